//! Drives a stack by its URL and checks what must hold afterwards. `load orders --help` tells the rest.

mod accept;
mod api;
mod crowd;
mod figures;
mod latency;
mod orders;
mod schedule;
mod settlement;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Drives a stack and checks its promises.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let ended = match Arguments::parse().scenario {
        Scenario::Orders(rush) => rush.run().await,
        Scenario::Accept(arrivals) => arrivals.run().await,
        Scenario::Figures(demand) => demand.run().await,
        Scenario::Schedule(clockwork) => clockwork.run().await,
        Scenario::Settlement(days) => days.run().await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
