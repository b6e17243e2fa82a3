//! Start-up: the time from the start of a process to its first `/next`, against the smallest
//! possible function (`tools/bare`).

mod lambda;
mod program;
pub mod programs;

use std::{future::pending, net::Ipv4Addr, path::PathBuf, time::Duration};

use embedded::Endpoint;
use once::testing::{app_over, new_product};

use self::program::{ACCESS_KEY, Program};
use crate::{services::OwnServices, stats::Durations};

/// Starts of each binary. The binaries start in turns, so that disturbances affect all alike.
const STARTS: usize = 40;

/// Orders sent to an instance after its first one.
const WARM: usize = 10;

/// Measured times of one program.
#[derive(Default)]
struct Times {
    start: Vec<Duration>,
    first: Vec<Duration>,
    warm: Vec<Duration>,
}

/// Builds the floor and `order-create` as they are deployed, and measures them and `others`.
pub async fn run(others: &[PathBuf]) {
    let services = OwnServices::open().await;
    let app = app_over(services.services.clone());
    let created = app.orders().create_product(new_product(1_000_000, 16), None, app.now()).await;
    created.expect("a product");
    let address = (Ipv4Addr::LOCALHOST, 0).into();
    let endpoint = Endpoint::bind(address, services.services.clone(), ACCESS_KEY.to_owned()).await;
    let endpoint = endpoint.expect("a free port");
    let url = format!("http://{}", endpoint.local_address().expect("bound"));
    let serving = tokio::spawn(endpoint.serve(pending()));
    let mut programs = vec![
        Program::build("bare", "bare").await,
        Program::build("functions", "order-create").await,
    ];
    programs.extend(others.iter().cloned().map(Program::at));

    let mut times: Vec<Times> = programs.iter().map(|_| Times::default()).collect();
    for _ in 0..STARTS {
        for (program, times) in programs.iter().zip(&mut times) {
            let mut instance = program.start(&url).await;
            times.start.push(instance.start);
            times.first.push(instance.order().await);
            for _ in 0..WARM {
                times.warm.push(instance.order().await);
            }
        }
    }
    serving.abort();
    print(&programs, times);
}

fn print(programs: &[Program], times: Vec<Times>) {
    println!(
        "\nstart: medians of {STARTS} starts in turns, with a first order and {WARM} warm ones each"
    );
    println!(
        "{:>24} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "start ms", "ratio", "MB", "zip MB", "first ms", "warm ms"
    );
    let mut floor = None;
    for (program, Times { start, first, warm }) in programs.iter().zip(times) {
        let start = Durations::from_iter(start).millis(50);
        let ratio = start / *floor.get_or_insert(start);
        let (first, warm) =
            (Durations::from_iter(first).millis(50), Durations::from_iter(warm).millis(50));
        let (size, zipped) = program.megabytes();
        println!(
            "{:<15} {start:>8.2} {ratio:>8.2} {size:>8.2} {zipped:>8.2} {first:>9.2} {warm:>9.2}",
            program.name()
        );
    }
}
