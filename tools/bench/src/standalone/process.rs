//! A process of `once serve` with its data in a folder for temporary files.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use once::testing::root;
use serde_json::Value;

use super::{connection::Connection, requests};

/// The process and its data; both end with this value.
pub struct Process {
    child: Child,
    address: SocketAddr,
    token: String,
    start: Duration,
    binary: PathBuf,
    data: PathBuf,
}

/// Processor time of the generator and of the process, in ticks of the system.
#[derive(Clone, Copy)]
pub struct ProcessorTime {
    generator: u64,
    process: u64,
}

impl ProcessorTime {
    /// Returns what was used after `earlier`.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            generator: self.generator - earlier.generator,
            process: self.process - earlier.process,
        }
    }

    /// Returns the part of all used time that the generator used.
    #[expect(clippy::cast_precision_loss, reason = "a displayed share")]
    pub fn generator_share(self) -> f64 {
        self.generator as f64 / (self.generator + self.process).max(1) as f64
    }
}

/// Builds the program and returns its path.
fn build() -> PathBuf {
    let arguments = ["build", "--profile", "standalone", "--package", "standalone"];
    let built = Command::new(env!("CARGO")).args(arguments).current_dir(root()).status();
    assert!(built.expect("cargo starts").success(), "the build failed");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    target.join("standalone/once")
}

impl Process {
    /// Builds the program, unless the variable `ONCE` names one, and starts it. There is no limit
    /// of rates.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start() -> Self {
        let binary = env::var_os("ONCE").map_or_else(build, PathBuf::from);
        let data = env::temp_dir().join(format!("bench-{:016x}", fastrand::u64(..)));
        let began = Instant::now();
        let mut child = Command::new(&binary)
            .args(["serve", "--port", "0", "--data"])
            .arg(&data)
            .args(
                ["AcceptPerSecond", "AcceptBurst", "OrdersPerSecond", "OrdersBurst"]
                    .iter()
                    .flat_map(|limit| ["--parameter".to_owned(), format!("{limit}=1000000")]),
            )
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the process starts");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("a pipe");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let start = began.elapsed();
        let address = line.trim().rsplit("//").next().expect("a URL");
        let address = address.parse().unwrap_or_else(|_| panic!("{line:?}"));
        let env = fs::read_to_string(data.join("env")).expect("variables");
        let token = env.split("ONCE_TOKEN='").nth(1).and_then(|rest| rest.split('\'').next());
        let token = token.expect("a token").to_owned();
        Self { child, address, token, start, binary, data }
    }

    /// Returns the token that may do everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the time from the start of the process to its first line of output.
    pub fn start_ms(&self) -> f64 {
        self.start.as_secs_f64() * 1_000.0
    }

    /// Returns the size of the program in words.
    pub fn megabytes(&self) -> String {
        let bytes = fs::metadata(&self.binary).expect("the program").len();
        #[expect(clippy::cast_precision_loss, reason = "a displayed size")]
        let megabytes = bytes as f64 / 1e6;
        format!("program {megabytes:.1} MB")
    }

    /// Returns the processor time of both processes until now.
    pub fn processor_time(&self) -> ProcessorTime {
        ProcessorTime { generator: ticks("self"), process: ticks(&self.child.id().to_string()) }
    }

    /// Creates a product and returns its id.
    pub async fn create_product(&self, stock: u32) -> u64 {
        let body = format!(
            r#"{{"name":"Bench","price":100,"stock":{stock},"merchant_id":"merchant_001"}}"#
        );
        let product = self.call("POST", "/products", &body).await;
        product["id"].as_u64().expect("an id")
    }

    /// Creates a company.
    pub async fn put_company(&self, id: &str) {
        let path = format!("/companies/{id}");
        self.call("PUT", &path, r#"{"name":"Bench","employees":12}"#).await;
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let mut connection = Connection::open(self.address).await;
        let status =
            connection.send(&requests::with_body(method, path, Some(&self.token), body)).await;
        assert!(matches!(status, 200 | 201), "{status}");
        serde_json::from_slice(connection.body()).expect("JSON")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.data));
    }
}

/// Returns the processor time of a process in ticks, user and system.
fn ticks(process: &str) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("Linux");
    // The name, in parentheses, may have spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}
