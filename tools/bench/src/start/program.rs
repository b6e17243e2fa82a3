//! The binary of a Lambda function and its instances.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use flate2::{Compression, write::DeflateEncoder};
use once::testing::{ENVIRONMENT, root};
use serde_json::Value;
use tokio::process::{Child, Command};

use super::lambda::Lambda;

/// The access key of the functions.
pub const ACCESS_KEY: &str = "AKIDEXAMPLEEXAMPLE00";

/// A binary that calls Lambda's runtime API.
#[derive(Debug)]
pub struct Program {
    path: PathBuf,
}

/// A process that has requested its first event. It is killed on drop.
#[derive(Debug)]
pub struct Instance {
    /// Time from the start of the process to its first request for an event.
    pub start: Duration,
    lambda: Lambda,
    orders: u32,
    _process: Child,
}

impl Program {
    /// Builds a program of a package of this workspace, as it is deployed.
    ///
    /// # Panics
    /// If the build fails.
    pub async fn build(package: &str, program: &str) -> Self {
        let mut programs = cargo_build(&["--package", package, "--bin", program]).await;
        programs.pop().unwrap_or_else(|| panic!("package {package} has no program {program}"))
    }

    /// Builds all programs of a package of this workspace, as they are deployed. Returns them
    /// sorted by name.
    ///
    /// # Panics
    /// If the build fails.
    pub async fn build_all(package: &str) -> Vec<Self> {
        let mut programs = cargo_build(&["--package", package, "--bins"]).await;
        programs.sort_by_key(Self::name);
        programs
    }

    /// Returns the program of an existing binary.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns the name of the binary.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns the size of the binary, and its deflated size as in a deployment package, in MB.
    ///
    /// # Panics
    /// If the binary cannot be read.
    pub fn megabytes(&self) -> (f64, f64) {
        let binary = fs::read(&self.path).expect("a readable binary");
        let mut zipped = DeflateEncoder::new(Counter(0), Compression::default());
        zipped.write_all(&binary).expect("a counter accepts all writes");
        let Counter(zipped) = zipped.finish().expect("a counter accepts all writes");
        (megabytes(binary.len()), megabytes(zipped))
    }

    /// Starts a process in the environment that Lambda provides, and waits until it requests an
    /// event.
    ///
    /// # Panics
    /// If it does not request one in time.
    pub async fn start(&self, store: &str) -> Instance {
        let mut lambda = Lambda::start().await;
        let name = self.name();
        let started_at = Instant::now();
        let process = Command::new(&self.path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", lambda.address()),
                ("AWS_LAMBDA_FUNCTION_NAME", name.as_str()),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_SESSION_TOKEN", "session"),
                ("AWS_ENDPOINT_URL", store),
            ])
            .envs(ENVIRONMENT)
            .stdout(Stdio::null())
            // The runtime API ends before the process, which reports that.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        let start = lambda.ready().await - started_at;
        Instance { start, lambda, orders: 0, _process: process }
    }
}

impl Instance {
    /// Sends the sample order with a new idempotency key, and returns the time to its response.
    ///
    /// # Panics
    /// If there is no response in time.
    pub async fn order(&mut self) -> Duration {
        let sample =
            fs::read_to_string(root().join("events/order-create.json")).expect("the sample event");
        let mut event: Value = serde_json::from_str(&sample).expect("a sample in JSON");
        self.orders += 1;
        event["headers"]["idempotency-key"] =
            format!("{}-{}", self.lambda.address(), self.orders).into();
        self.lambda.invoke(event.to_string()).await
    }
}

/// Runs `cargo build --release` with these arguments and returns the built programs.
async fn cargo_build(arguments: &[&str]) -> Vec<Program> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--release", "--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()
        .await
        .expect("cargo to start");
    assert!(output.status.success(), "cargo build {} failed", arguments.join(" "));
    let messages = String::from_utf8(output.stdout).expect("JSON messages");
    let programs = messages.lines().filter_map(|message| {
        let message: Value = serde_json::from_str(message).ok()?;
        let path = message["executable"].as_str().map(PathBuf::from)?;
        Some(Program { path })
    });
    programs.collect()
}

/// A writer that counts bytes.
struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "files are far smaller than 2^52 bytes")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
