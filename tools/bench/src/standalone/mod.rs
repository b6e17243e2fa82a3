//! `once serve`: requests over HTTP to the whole process with its data on the disk, against the
//! same writes to the same store without a handler, HTTP or JSON.
//!
//! The generator shares the processors with the process; its share of their time is printed.

mod connection;
mod floor;
mod process;
mod requests;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use self::{connection::Connection, floor::Floor, process::Process};
use crate::stats::Durations;

/// How long each rate is measured.
const ROUND: Duration = Duration::from_secs(5);

/// Numbers of clients, each of which sends one request after the other on its own connection.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

const BUYERS: usize = 500;
const CALLERS: usize = 100;

/// Builds the process and measures it.
pub async fn run() {
    let process = Process::start();
    println!("\nstandalone: start to ready {:.0} ms; {}", process.start_ms(), process.megabytes());
    println!(
        "{:<28} {:>4} {:>9} {:>8} {:>8} {:>10}",
        "", "conn", "/s", "p50 ms", "p99 ms", "generator"
    );
    let floor = Floor::open().await;
    for connections in CONNECTIONS {
        floor.rate(connections).await;
        rate(&process, "unique ids", connections, requests::unique_id).await;
    }
    rate(&process, "known duplicates", 64, |_| requests::accept(7)).await;
    let product = process.create_product(10_000_000).await;
    for connections in CONNECTIONS {
        rate(&process, "orders", connections, |n| requests::order(product, n)).await;
    }
    for round in 1..=5 {
        buyers(&process, round).await;
    }
    callers(&process).await;
}

/// Sends requests for [`ROUND`] and prints their rate.
async fn rate(
    process: &Process,
    name: &str,
    connections: usize,
    request: impl Fn(u64) -> String + Copy,
) {
    let sent = AtomicU64::new(0);
    let used = process.processor_time();
    let start = Instant::now();
    let client = async || {
        let mut connection = Connection::open(process.address()).await;
        let mut times = Vec::new();
        while start.elapsed() < ROUND {
            let request = request(sent.fetch_add(1, Ordering::Relaxed));
            let began = Instant::now();
            let status = connection.send(&request).await;
            assert!(matches!(status, 200 | 201 | 409), "{status}");
            times.push(began.elapsed());
        }
        times
    };
    let times = join_all((0..connections).map(|_| client())).await;
    let took = start.elapsed();
    let share = process.processor_time().since(used).generator_share();
    print(name, connections, took, times.into_iter().flatten().collect(), Some(share));
}

fn print(name: &str, connections: usize, took: Duration, times: Vec<Duration>, share: Option<f64>) {
    #[expect(clippy::cast_precision_loss, reason = "a displayed rate")]
    let rate = times.len() as f64 / took.as_secs_f64();
    let times: Durations = times.into_iter().collect();
    let share = share.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default();
    println!(
        "{name:<28} {connections:>4} {rate:>9.0} {:>8.2} {:>8.2} {share:>10}",
        times.millis(50),
        times.millis(99)
    );
}

/// Lets all buyers order one of 100 units at once, over connections that are open.
async fn buyers(process: &Process, round: u32) {
    let product = process.create_product(100).await;
    let mut connections = join_all((0..BUYERS).map(|_| Connection::open(process.address()))).await;
    let start = Instant::now();
    let answers = join_all(connections.iter_mut().zip(0..).map(async |(connection, n)| {
        let status = connection.send(&requests::order(product, n)).await;
        (status, start.elapsed())
    }))
    .await;
    let sold = answers.iter().filter(|(status, _)| *status == 201).count();
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    let times: Durations = answers.into_iter().map(|(_, time)| time).collect();
    println!(
        "{BUYERS} buyers at once, round {round}: {sold} sold, {refused} sold out; p50 {:.0} ms, \
         p99 {:.0} ms, last {:.0} ms",
        times.millis(50),
        times.millis(99),
        times.millis(100)
    );
}

/// Lets all callers request the figures of a company that has none yet.
async fn callers(process: &Process) {
    process.put_company("bench").await;
    let mut connections = join_all((0..CALLERS).map(|_| Connection::open(process.address()))).await;
    let start = Instant::now();
    let answers = join_all(connections.iter_mut().map(async |connection| {
        let status = connection.send(&requests::figures("bench", process.token())).await;
        assert_eq!(status, 200);
        start.elapsed()
    }))
    .await;
    let times: Durations = answers.into_iter().collect();
    println!(
        "{CALLERS} callers of the figures of one company: first answer {:.0} ms, last {:.0} ms",
        times.millis(0),
        times.millis(100)
    );
}
