//! Start-up: from the start of the process to its first `/next`, against the smallest function there can be.

mod function;
mod lambda;

use std::{path::PathBuf, time::Duration};

use once::testing::Cloud;

use self::function::Function;
use crate::stats::Sorted;

/// Starts of each binary, taken in turns, so that what disturbs the machine disturbs all alike.
const STARTS: usize = 40;

/// Requests of an instance after its first one.
const WARM: usize = 10;

#[derive(Default)]
struct Times {
    start: Vec<Duration>,
    first: Vec<Duration>,
    warm: Vec<Duration>,
}

/// Builds the floor and `order-create` as they are deployed, and starts them and `others` many times each.
pub async fn run(others: &[PathBuf]) {
    let cloud = Cloud::start().await;
    cloud.instance().product(1_000_000).await;
    let mut functions = vec![Function::build("bare").await, Function::build("order-create").await];
    functions.extend(others.iter().cloned().map(Function::at));

    let mut times: Vec<Times> = functions.iter().map(|_| Times::default()).collect();
    for _ in 0..STARTS {
        for (function, times) in functions.iter().zip(&mut times) {
            let mut instance = function.start(cloud.endpoint()).await;
            times.start.push(instance.start);
            times.first.push(instance.order().await);
            for _ in 0..WARM {
                times.warm.push(instance.order().await);
            }
        }
    }
    print(&functions, times);
}

fn print(functions: &[Function], times: Vec<Times>) {
    println!(
        "\nstart: medians of {STARTS} starts in turns, first order of each and {WARM} warm ones"
    );
    println!(
        "{:>24} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "start ms", "ratio", "MB", "zip MB", "first ms", "warm ms"
    );
    let mut floor = None;
    for (function, Times { start, first, warm }) in functions.iter().zip(times) {
        let start = Sorted::from_iter(start).millis(50);
        let ratio = start / *floor.get_or_insert(start);
        let (first, warm) =
            (Sorted::from_iter(first).millis(50), Sorted::from_iter(warm).millis(50));
        let (size, zipped) = function.megabytes();
        println!(
            "{:<15} {start:>8.2} {ratio:>8.2} {size:>8.2} {zipped:>8.2} {first:>9.2} {warm:>9.2}",
            function.name()
        );
    }
}
