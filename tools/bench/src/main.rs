//! What the project claims of its speed, measured: `make bench`, or one part of it with `bench start|orders|company|lanes|schedule|settlement|uniques`.
//!
//! `make bench` builds `uniques` as `accept` is built, for speed, and the others as the other functions are, for size.
//!
//! Every number stands next to a floor that was measured in the same run, since the machine decides the rest
//! (`docs/BENCHMARKS.md`).

mod company;
mod lanes;
mod orders;
mod schedule;
mod settlement;
mod start;
mod stats;
mod uniques;

use std::{env, path::PathBuf, process::ExitCode};

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
        }
        ["start", others @ ..] => {
            start::run(&others.iter().map(PathBuf::from).collect::<Vec<_>>()).await
        }
        ["company"] => company::run().await,
        ["schedule"] => schedule::run().await,
        ["orders"] => Box::pin(orders::run()).await,
        ["uniques"] => uniques::run().await,
        ["uniques", part] if uniques::part(part).await => {}
        // Started by `uniques` itself, to be counted.
        ["probe", side, ids] => uniques::probe(side, ids).await,
        ["settlement"] => settlement::run().await,
        ["settlement", part] if settlement::part(part, None).await => {}
        ["settlement", part, transactions] if settlement::part(part, Some(transactions)).await => {}
        // Started by `settlement` itself, to have a memory of its own.
        ["settle", endpoint, from, to] => settlement::probe(endpoint, from, to).await,
        ["lanes"] => lanes::run(None).await,
        ["lanes", "--svg", path] => lanes::run(Some(path.as_ref())).await,
        _ => {
            eprintln!(
                "usage: bench [start [binary …] | orders | company | lanes [--svg file] | schedule | settlement [ratio | summing | memory [transactions]] | uniques [ratio | instructions | throughput | memory | close | shards]]"
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
