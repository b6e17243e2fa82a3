//! Load scenarios that drive a deployed stack by its URL and then check its invariants.
//!
//! `load --help` lists the scenarios. Requests carry the bearer token in the environment variable
//! `ONCE_TOKEN`, if it is set.

mod accept;
mod api;
mod burst;
mod figures;
mod latency;
mod orders;
mod report;
mod schedule;
mod settlement;

use std::{error::Error, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

use self::{
    api::Api,
    report::{Options, Run},
};

/// Drives a deployed stack and checks its invariants
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Base URL of the stack, as in .local/api-url or the output `ApiUrl`
    #[arg(long, global = true)]
    url: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Buyers compete for a product's units; fails unless each unit is sold once or is left
    Orders(orders::Scenario),
    /// Sends ids, some more than once; fails unless each minute's published count matches the
    /// answers
    Accept(accept::Scenario),
    /// Concurrent callers request the same figures of a company; fails unless all get the same
    /// ones, computed at most once
    Figures(figures::Scenario),
    /// A job calls a receiver every few seconds; fails unless each occurrence runs once
    Schedule(schedule::Scenario),
    /// Settles days of the ledger; fails unless the file is complete, balances and equals the
    /// expected one
    Settlement(settlement::Scenario),
}

impl Command {
    fn name(&self) -> &'static str {
        match self {
            Self::Orders(_) => "orders",
            Self::Accept(_) => "accept",
            Self::Figures(_) => "figures",
            Self::Schedule(_) => "schedule",
            Self::Settlement(_) => "settlement",
        }
    }

    async fn run(self, api: &Api, url: &str, run: &Run) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Orders(scenario) => scenario.run(api, run).await,
            Self::Accept(scenario) => scenario.run(api, run).await,
            Self::Figures(scenario) => scenario.run(api, run).await,
            Self::Schedule(scenario) => scenario.run(api, url, run).await,
            Self::Settlement(scenario) => scenario.run(api, run).await,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The functions use ring, too; a second provider would take a minute to compile.
    let is_first = rustls::crypto::ring::default_provider().install_default();
    is_first.expect("no other provider is installed");
    let Arguments { command, url, options } = Arguments::parse();
    // clap does not allow a global argument to be required.
    let Some(url) = url else {
        Arguments::command()
            .error(ErrorKind::MissingRequiredArgument, "--url is required: the stack to drive")
            .exit()
    };
    let run = Run::new(command.name(), &url, options);
    let result = match Api::new(&url) {
        Ok(api) => command.run(&api, &url, &run).await,
        Err(cause) => Err(cause.into()),
    };
    match run.finish(result) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
