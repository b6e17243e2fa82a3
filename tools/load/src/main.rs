//! Drives a stack by its URL and checks what must hold afterwards. `load orders --help` tells the rest.

mod accept;
mod api;
mod crowd;
mod latency;
mod orders;

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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse().scenario {
        Scenario::Orders(rush) => rush.run().await,
        Scenario::Accept(arrivals) => arrivals.run().await,
    }
}
