//! What lanes do for a product that everybody wants, where transactions that overlap on an item conflict.
//!
//! The conflicts are modelled (`once::testing::ConflictWindow`): a transaction holds its items for a time of a log-normal
//! distribution, and another that wants one of them meanwhile is cancelled.

mod crowd;
mod picture;

use std::{
    cell::Cell,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use once::testing::ConflictWindow;

use self::crowd::{Crowd, Outcome};

/// How long a transaction holds its items (`docs/LANES.md`).
const HELD_MEDIAN: Duration = Duration::from_millis(25);
const HELD_P99: Duration = Duration::from_millis(90);

const LANES: [u32; 6] = [1, 2, 4, 8, 16, 32];

/// For how long an order retries: the default of `ORDER_BUDGET_MS`.
const BUDGET: Duration = Duration::from_secs(3);

/// Long enough for every order.
const PATIENCE: Duration = Duration::from_mins(1);

/// Buyers who each place one order after another, and for how long they do.
const BUYERS: [usize; 2] = [64, 200];
const TIME: Duration = Duration::from_secs(8);

/// Buyers who come at once for a unit each.
const RUSH: u32 = 500;

/// Units of the product that is sold to the last by the first of [`BUYERS`].
const STOCK: u32 = 500;
const END: u32 = STOCK / 10;

/// Orders a second over lanes.
#[derive(Debug)]
pub struct Curve {
    buyers: usize,
    points: Vec<(u32, f64)>,
}

/// Prints the tables, and draws the first two if asked to.
///
/// # Panics
/// If the picture cannot be written.
pub async fn run(svg: Option<&Path>) {
    let mut curves = Vec::new();
    for buyers in BUYERS {
        head(&format!("{buyers} buyers for {} s, each one order after another", TIME.as_secs()));
        let mut points = Vec::new();
        for lanes in LANES {
            let crowd = Crowd::of(1_000_000, lanes, &window(), BUDGET).await;
            let until = Instant::now() + TIME;
            let outcome = crowd.buy(buyers, || Instant::now() < until).await;
            points.push((lanes, outcome.orders_per_s));
            row(lanes, &outcome);
        }
        curves.push(Curve { buyers, points });
    }
    head(&format!("{RUSH} buyers at once, one order each"));
    for lanes in LANES {
        let crowd = Crowd::of(RUSH, lanes, &window(), BUDGET).await;
        row(lanes, &crowd.buy(RUSH as usize, times(RUSH)).await);
    }
    head(&format!("{} buyers of the last {END} of {STOCK} units", BUYERS[0]));
    for lanes in LANES {
        let crowd = Crowd::of(STOCK, lanes, &window(), PATIENCE).await;
        crowd.buy(BUYERS[0], times(STOCK - END)).await;
        row(lanes, &crowd.buy(BUYERS[0], times(END)).await);
    }
    restocks().await;
    if let Some(path) = svg {
        fs::write(path, picture::draw(&curves)).expect("the picture can be written");
    }
}

/// A restock writes every lane at once, so it has to meet them all free.
async fn restocks() {
    println!(
        "\nlanes: a restocker, one restock after another for {} s, among so many buyers",
        TIME.as_secs()
    );
    println!("{:>5} {:>7} {:>5} {:>8}", "lanes", "buyers", "done", "refused");
    for lanes in LANES {
        for buyers in [4, BUYERS[0]] {
            let crowd = Crowd::of(1_000_000, lanes, &window(), BUDGET).await;
            let until = Instant::now() + TIME;
            let goes_on = || Instant::now() < until;
            let (_, (done, refused)) =
                tokio::join!(crowd.buy(buyers, goes_on), crowd.restock(goes_on));
            println!("{lanes:>5} {buyers:>7} {done:>5} {refused:>8}");
        }
    }
}

fn window() -> ConflictWindow {
    ConflictWindow::new(1, HELD_MEDIAN, HELD_P99)
}

/// Says yes so many times.
fn times(count: u32) -> impl Fn() -> bool {
    let left = Cell::new(count);
    move || left.replace(left.get().saturating_sub(1)) > 0
}

fn head(what: &str) {
    println!("\nlanes: {what}");
    println!(
        "{:>5} {:>9} {:>10} {:>10} {:>10} {:>7} {:>7}",
        "lanes", "orders/s", "tries", "lane reads", "refused %", "p50 ms", "p99 ms"
    );
}

fn row(lanes: u32, outcome: &Outcome) {
    let Outcome { orders_per_s, transactions, reads, refused, times } = outcome;
    println!(
        "{lanes:>5} {orders_per_s:>9.0} {transactions:>10.2} {reads:>10.2} {refused:>10.1} {:>7.0} {:>7.0}",
        times.millis(50),
        times.millis(99)
    );
}
