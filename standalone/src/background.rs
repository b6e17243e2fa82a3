//! `once start` and `once stop`: a process that serves in the background.

use std::{
    env,
    error::Error,
    fs::{self, File, TryLockError},
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use clap::Args;

use crate::{data, serve::Serve};

/// How long a process may take to end: its requests, its workers, and some seconds.
const MAX_STOP: Duration = Duration::from_mins(1);

const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The options of `once start`.
#[derive(Debug, Args)]
pub struct Start {
    #[command(flatten)]
    serve: Serve,
}

/// The options of `once stop`.
#[derive(Debug, Args)]
pub struct Stop {
    /// Folder of the data of the process
    #[arg(long, default_value = "data")]
    data: PathBuf,
}

impl Start {
    /// Starts `once serve` with the same options in the background, and returns when it serves. It
    /// does nothing if a process serves the data already.
    ///
    /// # Errors
    /// The process ended: its log says why.
    pub fn run(self) -> Result<(), Box<dyn Error>> {
        let folder = self.serve.folder().ok_or("--memory: only `once serve` can end its data")?;
        if serves(folder)? {
            println!("Once serves the data in {} already", folder.display());
            return Ok(());
        }
        fs::create_dir_all(folder)?;
        let log = folder.join("log");
        let mut process = Command::new(env::current_exe()?)
            .arg("serve")
            .args(env::args_os().skip(2))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            // A signal to the terminal's programs is not for it.
            .process_group(0)
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        let lines: Vec<String> =
            BufReader::new(output).lines().take(2).collect::<Result<_, _>>()?;
        if lines.len() < 2 {
            process.wait()?;
            return Err(fs::read_to_string(&log)?.trim().trim_start_matches("error: ").into());
        }
        println!("{}", lines.join("\n"));
        Ok(())
    }
}

impl Stop {
    /// Asks the process that serves the data to end, and waits until it has. It does nothing if
    /// there is none.
    ///
    /// # Errors
    /// It does not end.
    pub fn run(self) -> Result<(), Box<dyn Error>> {
        let folder = &self.data;
        if !serves(folder)? {
            println!("No process serves the data in {}", folder.display());
            return Ok(());
        }
        // The lock is held, so this is the number of the process that holds it.
        let pid = fs::read_to_string(folder.join(data::PID))?;
        if !Command::new("kill").args(["-TERM", pid.trim()]).status()?.success() {
            return Err(format!("cannot stop process {pid}").into());
        }
        let deadline = Instant::now() + MAX_STOP;
        while serves(folder)? {
            if Instant::now() > deadline {
                return Err(format!("process {pid} does not end").into());
            }
            thread::sleep(POLL_INTERVAL);
        }
        println!("Once has stopped");
        Ok(())
    }
}

/// Returns whether a process has the data of a folder open.
fn serves(folder: &Path) -> io::Result<bool> {
    let lock = match File::open(folder.join(data::LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        lock => lock?,
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
