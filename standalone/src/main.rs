//! `once`: the whole of Once in one process.

use std::{env, error::Error, process::ExitCode};

use clap::{Parser, Subcommand};
use load::{Load, Target};
use mimalloc::MiMalloc;
use seed::Seed;
use standalone::{
    background::{Start, Stop},
    backup::{Backup, Restore},
    play::Play,
    redrive::Redrive,
    serve::Serve,
};
use tokio::runtime::Builder;

/// A request allocates some hundred times.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The whole of Once in one process
#[derive(Parser)]
#[command(name = "once", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API, with all workers, rules and data in this process
    Serve(Serve),
    /// Serve in the background
    Start(Start),
    /// End what serves in the background
    Stop(Stop),
    /// Show the health of a stack (`API_URL`, `ONCE_TOKEN`) and its queues
    Status {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Move dead letters of the stack of the environment back to their queues
    Redrive(Redrive),
    /// Copy the data while it is served
    Backup(Backup),
    /// Make a folder of data from a copy
    Restore(Restore),
    /// Drive a stack by its URL (`API_URL`, `ONCE_TOKEN`) and check its invariants
    Load(Load),
    /// Play the main job of every feature against a stack (`API_URL`, `ONCE_TOKEN`), and show what
    /// happened
    Play(Play),
    /// Fill a stack with reproducible companies, products and payments
    Seed(Seed),
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Serve(serve) => {
            Builder::new_multi_thread().enable_all().build()?.block_on(serve.run())
        }
        Command::Start(start) => start.run(),
        Command::Stop(stop) => stop.run(),
        Command::Status { json } => {
            let target = target(None)?;
            on_one_thread(async { load::status(&target, json).await })
        }
        Command::Redrive(redrive) => on_one_thread(redrive.run()),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Load(load) => {
            let target = target(load.url())?;
            on_one_thread(async { load.run(target).await.map(drop) })
        }
        Command::Play(play) => {
            let target = target(None)?;
            on_one_thread(async { play.run(&target).await })
        }
        Command::Seed(seed) => on_one_thread(seed.run()),
    }
}

fn on_one_thread(
    command: impl Future<Output = Result<(), Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// Returns the stack to drive.
fn target(url: Option<&str>) -> Result<Target, &'static str> {
    let url = url.map(str::to_owned).or_else(|| variable("API_URL"));
    let url = url.ok_or("--url or API_URL is required: the stack to drive")?;
    Ok(Target { url, token: variable("ONCE_TOKEN") })
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
