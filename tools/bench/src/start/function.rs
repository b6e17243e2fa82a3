//! A function's binary and its instances.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use flate2::{Compression, write::DeflateEncoder};
use once::testing::{NAMES, root};
use serde_json::Value;
use tokio::process::{Child, Command};

use super::lambda::Lambda;

/// A binary that speaks to Lambda's runtime API.
#[derive(Debug)]
pub struct Function {
    path: PathBuf,
}

/// A process of it that has asked for its first event. Ends with its value.
#[derive(Debug)]
pub struct Instance {
    /// From the start of the process to its asking.
    pub start: Duration,
    lambda: Lambda,
    orders: u32,
    _process: Child,
}

impl Function {
    /// The binary of a package of this workspace, built alone and as it is deployed.
    ///
    /// # Panics
    /// If it cannot be built.
    pub async fn build(package: &str) -> Self {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--package",
                package,
                "--message-format",
                "json-render-diagnostics",
            ])
            .current_dir(root())
            .stderr(Stdio::inherit())
            .output()
            .await
            .expect("cargo runs");
        assert!(built.status.success(), "{package} cannot be built");
        let messages = String::from_utf8(built.stdout).expect("cargo writes JSON");
        let executable = messages.lines().rev().find_map(|message| {
            let message: Value = serde_json::from_str(message).ok()?;
            message["executable"].as_str().map(PathBuf::from)
        });
        Self { path: executable.expect("the package has a binary") }
    }

    /// A binary from elsewhere, to compare.
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// The name of its file.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Its size, and that of its deflated form, as a deployment package holds it.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn megabytes(&self) -> (f64, f64) {
        let binary = fs::read(&self.path).expect("the binary is there");
        let mut zipped = DeflateEncoder::new(Counter(0), Compression::default());
        zipped.write_all(&binary).expect("memory takes all");
        let Counter(zipped) = zipped.finish().expect("memory takes all");
        (megabytes(binary.len()), megabytes(zipped))
    }

    /// Starts a process with the environment that Lambda gives, and waits until it asks for an event.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(&self, store: &str) -> Instance {
        let mut lambda = Lambda::start().await;
        let begun = Instant::now();
        let instance = Command::new(&self.path)
            .env_clear()
            .envs([
                ("AWS_LAMBDA_RUNTIME_API", lambda.address()),
                ("AWS_LAMBDA_FUNCTION_NAME", "order-create"),
                ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
                ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "secret"),
                ("AWS_SESSION_TOKEN", "session"),
                ("AWS_ENDPOINT_URL", store),
            ])
            .envs(NAMES)
            .stdout(Stdio::null())
            // It complains of the runtime API that goes away before it does.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        let start = lambda.ready().await - begun;
        Instance { start, lambda, orders: 0, _process: instance }
    }
}

impl Instance {
    /// Hands over the sample order under a key of its own, and answers how long its response took.
    ///
    /// # Panics
    /// If there is no response.
    pub async fn order(&mut self) -> Duration {
        let sample = fs::read_to_string(root().join("events/order-create.json"))
            .expect("the sample is there");
        let mut event: Value = serde_json::from_str(&sample).expect("the sample is JSON");
        self.orders += 1;
        event["headers"]["idempotency-key"] =
            format!("{}-{}", self.lambda.address(), self.orders).into();
        self.lambda.invoke(event.to_string()).await
    }
}

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
