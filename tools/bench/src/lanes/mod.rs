//! The effect of stock lanes on a product in high demand, where transactions that overlap on an
//! item conflict.
//!
//! The conflicts are modeled (`once::testing::ConflictWindow`): a transaction holds its items for a
//! time from a log-normal distribution, and another one that needs one of them meanwhile is
//! canceled.

mod plot;
mod storefront;

use std::{
    cell::Cell,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use once::testing::ConflictWindow;

use self::storefront::{Outcome, Storefront};

/// Time for which a transaction holds its items (`docs/LANES.md`).
const HOLD_MEDIAN: Duration = Duration::from_millis(25);
const HOLD_P99: Duration = Duration::from_millis(90);

const LANES: [u32; 6] = [1, 2, 4, 8, 16, 32];

/// Retry budget of an order: the default of `ORDER_RETRY_BUDGET_MS`.
const RETRY_BUDGET: Duration = Duration::from_secs(3);

/// Retry budget that is long enough for every order.
const LONG_RETRY_BUDGET: Duration = Duration::from_mins(1);

/// Numbers of buyers who each place one order after another, and the duration.
const BUYERS: [usize; 2] = [64, 200];
const DURATION: Duration = Duration::from_secs(8);

/// Concurrent buyers of one unit each.
const BURST: u32 = 500;

/// Units of the product that the first of [`BUYERS`] buy until none is left, and those of them
/// whose sale is measured.
const STOCK: u32 = 500;
const LAST_UNITS: u32 = STOCK / 10;

/// Orders per second by lanes.
#[derive(Debug)]
pub struct Curve {
    buyers: usize,
    points: Vec<(u32, f64)>,
}

/// Prints the tables, and plots the first two as SVG if a path is given.
///
/// # Panics
/// If the SVG cannot be written.
pub async fn run(svg: Option<&Path>) {
    let mut curves = Vec::new();
    for buyers in BUYERS {
        head(&format!(
            "{buyers} buyers for {} s, each one order after another",
            DURATION.as_secs()
        ));
        let mut points = Vec::new();
        for lanes in LANES {
            let storefront = Storefront::open(1_000_000, lanes, &window(), RETRY_BUDGET).await;
            let until = Instant::now() + DURATION;
            let outcome = storefront.buy(buyers, || Instant::now() < until).await;
            points.push((lanes, outcome.orders_per_s));
            row(lanes, &outcome);
        }
        curves.push(Curve { buyers, points });
    }
    head(&format!("{BURST} concurrent buyers, one order each"));
    for lanes in LANES {
        let storefront = Storefront::open(BURST, lanes, &window(), RETRY_BUDGET).await;
        row(lanes, &storefront.buy(BURST as usize, times(BURST)).await);
    }
    head(&format!("{} buyers of the last {LAST_UNITS} of {STOCK} units", BUYERS[0]));
    for lanes in LANES {
        let storefront = Storefront::open(STOCK, lanes, &window(), LONG_RETRY_BUDGET).await;
        storefront.buy(BUYERS[0], times(STOCK - LAST_UNITS)).await;
        row(lanes, &storefront.buy(BUYERS[0], times(LAST_UNITS)).await);
    }
    restocks().await;
    if let Some(path) = svg {
        fs::write(path, plot::svg(&curves)).expect("a writable path");
    }
}

/// Prints the successful and refused restocks. A restock writes all lanes in one transaction, so it
/// conflicts with an order in any of them.
async fn restocks() {
    println!(
        "\nlanes: one restock after another for {} s, during the orders of these buyers",
        DURATION.as_secs()
    );
    println!("{:>5} {:>7} {:>5} {:>8}", "lanes", "buyers", "done", "refused");
    for lanes in LANES {
        for buyers in [4, BUYERS[0]] {
            let storefront = Storefront::open(1_000_000, lanes, &window(), RETRY_BUDGET).await;
            let until = Instant::now() + DURATION;
            let proceed = || Instant::now() < until;
            let (_, (done, refused)) =
                tokio::join!(storefront.buy(buyers, proceed), storefront.restock(proceed));
            println!("{lanes:>5} {buyers:>7} {done:>5} {refused:>8}");
        }
    }
}

fn window() -> ConflictWindow {
    ConflictWindow::new(1, HOLD_MEDIAN, HOLD_P99)
}

/// Returns a function that returns `true` this number of times.
fn times(count: u32) -> impl Fn() -> bool {
    let left = Cell::new(count);
    move || left.replace(left.get().saturating_sub(1)) > 0
}

fn head(title: &str) {
    println!("\nlanes: {title}");
    println!(
        "{:>5} {:>9} {:>10} {:>10} {:>10} {:>7} {:>7}",
        "lanes", "orders/s", "attempts", "lane reads", "refused %", "p50 ms", "p99 ms"
    );
}

fn row(lanes: u32, outcome: &Outcome) {
    let Outcome { orders_per_s, attempts, reads, refused, latencies } = outcome;
    println!(
        "{lanes:>5} {orders_per_s:>9.0} {attempts:>10.2} {reads:>10.2} {refused:>10.1} \
         {:>7.0} {:>7.0}",
        latencies.millis(50),
        latencies.millis(99)
    );
}
