//! Benchmarks of the functions (`docs/BENCHMARKS.md`). `bench` runs all parts but `programs` and
//! `standalone`; `bench <part>` runs one.
//!
//! | part | measures |
//! |---|---|
//! | `start` | start-up of `order-create` and of other binaries, against the floor of `tools/bare` |
//! | `programs` | size and start-up of every program, as a Markdown table (`docs/STARTUP.md`) |
//! | `standalone` | requests to `once serve` |
//! | `orders`, `company`, `lanes`, `schedule`, `settlement`, `uniques` | throughput, latency and memory of a feature |
//!
//! Every number is next to a floor from the same run, because the machine determines the rest.

mod company;
mod lanes;
mod orders;
mod schedule;
mod services;
mod settlement;
mod standalone;
mod start;
mod stats;
mod uniques;

use std::{env, path::PathBuf, process::ExitCode};

const USAGE: &str = "\
usage: bench [part]
parts:
  start [binary …]
  programs
  orders
  company
  lanes [--svg file]
  schedule
  standalone
  settlement [ratio | summing | memory [transactions]]
  uniques [ratio | instructions | throughput | memory | close | shards]";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => {
            start::run(&[]).await;
            Box::pin(orders::run()).await;
            lanes::run(None).await;
            company::run().await;
            schedule::run().await;
            settlement::run().await;
            uniques::run().await;
        }
        ["start", others @ ..] => {
            start::run(&others.iter().map(PathBuf::from).collect::<Vec<_>>()).await;
        }
        ["programs"] => start::programs::run().await,
        ["standalone"] => standalone::run().await,
        ["company"] => company::run().await,
        ["schedule"] => schedule::run().await,
        ["orders"] => Box::pin(orders::run()).await,
        ["uniques"] => uniques::run().await,
        ["uniques", part] if uniques::part(part).await => {}
        // Started by `uniques instructions` under callgrind.
        ["probe", side, ids] => uniques::child(side, ids).await,
        ["settlement"] => settlement::run().await,
        ["settlement", part] if settlement::part(part, None).await => {}
        ["settlement", part, transactions] if settlement::part(part, Some(transactions)).await => {}
        // Started by `settlement memory`, to measure the memory of a process of its own.
        ["settle", endpoint, from, to] => settlement::child(endpoint, from, to).await,
        ["lanes"] => lanes::run(None).await,
        ["lanes", "--svg", path] => lanes::run(Some(path.as_ref())).await,
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
