//! `once serve` as a process of its own.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{api::Api, folder::Folder};

/// The program.
pub const ONCE: &str = env!("CARGO_BIN_EXE_once");

/// How long a process may take to end after it was asked to.
const MAX_STOP: Duration = Duration::from_mins(1);

/// A process that serves. It is killed if the test ends before it.
pub struct Once {
    child: Child,
    _output: BufReader<ChildStdout>,
    url: String,
    env: PathBuf,
}

/// Returns `once serve` at a free port, with these options.
pub fn serve<'a>(options: impl IntoIterator<Item = &'a str>) -> Command {
    serve_at("0", options)
}

/// Returns `once serve` at a port, with these options.
pub fn serve_at<'a>(port: &str, options: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(ONCE);
    command.args(["serve", "--port", port]).args(options);
    command
}

/// Returns `once serve` on the data of a folder, with more options.
pub fn serve_data<'a>(folder: &Folder, more: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = serve(["--data"]);
    command.arg(folder.path("data")).args(more);
    command
}

/// Returns the variables of a process, as a shell reads them.
pub fn variables(env: &Path) -> BTreeMap<String, String> {
    let lines = fs::read_to_string(env).expect("the file of a process");
    let variables = lines.lines().filter_map(|line| line.strip_prefix("export ")?.split_once('='));
    variables.map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned())).collect()
}

/// Runs a command that must fail at its start, and returns its message.
#[track_caller]
pub fn refusal(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    let message = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "it did not serve");
    message
}

impl Once {
    /// Starts on the data of a folder, and returns when it serves.
    pub fn start<'a>(folder: &Folder, more: impl IntoIterator<Item = &'a str>) -> Self {
        Self::spawn(&mut serve_data(folder, more), folder)
    }

    /// Starts a command, with its log in the folder, and returns when it serves.
    pub fn spawn(command: &mut Command, folder: &Folder) -> Self {
        let log = folder.path("log");
        let stderr = OpenOptions::new().create(true).append(true).open(&log).expect("a log");
        let mut child =
            command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = |start: &str| {
            let mut line = String::new();
            output.read_line(&mut line).expect("text");
            let value = line.trim_end().strip_prefix(start).map(str::to_owned);
            value.unwrap_or_else(|| panic!("{line:?} is not {start:?}: see {}", log.display()))
        };
        let url = line("Once serves ");
        let env = line("Variables for other programs: ").into();
        Self { child, _output: output, url, env }
    }

    /// Returns a client of the API with the token of admins.
    pub fn api(&self) -> Api {
        Api::new(&self.url, Some(self.variable("ONCE_TOKEN")))
    }

    /// Returns a client of the API with this bearer token, or with none.
    pub fn api_with(&self, token: Option<String>) -> Api {
        Api::new(&self.url, token)
    }

    /// Returns a variable for other programs.
    pub fn variable(&self, name: &str) -> String {
        variables(&self.env).remove(name).expect(name)
    }

    /// Returns `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("HTTP")
    }

    /// Returns the file with the variables for other programs.
    pub fn env(&self) -> &Path {
        &self.env
    }

    /// Sends SIGTERM or another signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.child.id().to_string()).status();
        assert!(status.expect("kill runs").success());
    }

    /// Returns the status with which the process ends, soon.
    pub fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + MAX_STOP;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops the process, which must succeed.
    pub fn stop(self) {
        self.signal("-TERM");
        let status = self.end();
        assert!(status.success(), "{status}");
    }

    /// Kills the process: SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
    }
}

impl Drop for Once {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
