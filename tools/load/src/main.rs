//! Drives a stack by its URL and checks what must hold afterwards. `load orders --help` tells the rest.
//! A stack that asks for a token gets the one in the variable `ONCE_TOKEN`.

mod accept;
mod api;
mod crowd;
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

/// Drives a stack and checks its promises.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
    /// Base URL of the stack, as in .local/api-url or the output `ApiUrl`
    #[arg(long, global = true)]
    url: Option<String>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Scenario {
    /// Buyers compete for a product's units; fails unless exactly as many are sold as there are.
    Orders(orders::Rush),
    /// Ids are sent, some more than once; fails unless each minute's published count is that of the ids accepted in it.
    Accept(accept::Arrivals),
    /// Callers ask for the same figures of a company; fails unless all get the same ones, which were computed at most once.
    Figures(figures::Demand),
    /// A job calls a receiver every few seconds; fails unless each occurrence fires once.
    Schedule(schedule::Clockwork),
    /// Days of the ledger are settled; fails unless the file is whole, adds up, and is the one that is expected.
    Settlement(settlement::Days),
}

impl Scenario {
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
            Self::Orders(rush) => rush.run(api, run).await,
            Self::Accept(arrivals) => arrivals.run(api, run).await,
            Self::Figures(demand) => demand.run(api, run).await,
            Self::Schedule(clockwork) => clockwork.run(api, url, run).await,
            Self::Settlement(days) => days.run(api, run).await,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { scenario, url, options } = Arguments::parse();
    // An argument of all scenarios cannot be required by clap itself.
    let Some(url) = url else {
        Arguments::command()
            .error(ErrorKind::MissingRequiredArgument, "--url is required: the stack to drive")
            .exit()
    };
    let run = Run::of(scenario.name(), &url, options);
    let ended = match Api::new(&url) {
        Ok(api) => scenario.run(&api, &url, &run).await,
        Err(cause) => Err(cause.into()),
    };
    match run.end(ended) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
