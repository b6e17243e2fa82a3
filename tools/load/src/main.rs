//! Drives a stack by its URL and checks what must hold afterwards. `load orders --help` tells the rest.

mod api;
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
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    match Arguments::parse().scenario {
        Scenario::Orders(rush) => rush.run().await,
    }
}
