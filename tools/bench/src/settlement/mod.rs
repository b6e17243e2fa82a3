//! Whole settlements through the handlers of their workers, against bare reads of the same ledger.

mod bare;
mod memory;
mod ratio;
mod summing;
mod workers;

use std::time::Instant;

use once::{
    settlement::Days,
    testing::{Cloud, LEDGER_TABLE, ORDERS_TABLE},
    time::{Day, Timestamp},
};
use seed::{Plan, Stack};

/// Default number of transactions.
const TRANSACTIONS: u64 = 1_000_000;

/// Concurrent calls that fill the ledger.
const FILL_CONCURRENCY: usize = 16;

/// Runs all parts.
pub async fn run() {
    let ledger = Ledger::of(TRANSACTIONS).await;
    ratio::run(&ledger).await;
    summing::run(&ledger.plan);
    memory::run(&ledger).await;
}

/// Runs one part with this number of transactions. Returns whether there is such a part.
pub async fn part(name: &str, transactions: Option<&str>) -> bool {
    let transactions = transactions
        .map_or(TRANSACTIONS, |number| number.parse().expect("a number of transactions"));
    match name {
        "ratio" => ratio::run(&Ledger::of(transactions).await).await,
        "summing" => summing::run(&plan(transactions)),
        "memory" => memory::run(&Ledger::of(transactions).await).await,
        _ => return false,
    }
    true
}

/// The child process of the part `memory`: settles these days of the store at `endpoint` and prints
/// its peak memory.
pub async fn child(endpoint: &str, from: &str, to: &str) {
    let day = |text: &str| text.parse().expect("a day");
    memory::child(endpoint, Days { from: day(from), to: day(to) }).await;
}

/// Returns the last day with transactions.
fn last_day() -> Day {
    "2026-11-20".parse().expect("a day")
}

/// Returns the time of the settlement, on the day after the last one.
fn now() -> Timestamp {
    last_day().plus(1).start().plus(once::settlement::LEDGER_LAG * 2)
}

/// Returns the days of a plan.
fn days(plan: &Plan) -> Days {
    Days { from: Day::of(plan.start()), to: plan.until }
}

/// Returns a plan with this number of transactions, of fifty merchants in thirty days.
fn plan(transactions: u64) -> Plan {
    Plan { transactions, ..Plan::until(last_day()) }
}

/// A ledger with the transactions of a plan, in an embedded store.
#[derive(Debug)]
struct Ledger {
    cloud: Cloud,
    plan: Plan,
    /// The CSV file that a settlement must return.
    sums: String,
}

impl Ledger {
    async fn of(transactions: u64) -> Self {
        let (cloud, plan) = (Cloud::start().await, plan(transactions));
        let sums = write_ledger(&cloud, &plan).await;
        Self { cloud, plan, sums }
    }
}

/// Writes the transactions of a plan, and returns the CSV file that a settlement must return.
async fn write_ledger(cloud: &Cloud, plan: &Plan) -> String {
    let stack = Stack {
        client: cloud.client().clone(),
        orders: ORDERS_TABLE.to_owned(),
        ledger: LEDGER_TABLE.to_owned(),
        companies: cloud.app().companies().clone(),
    };
    let start = Instant::now();
    let catalog = plan.catalog().expect("a catalog");
    let summary = seed::write_entries(&stack, plan, &catalog, FILL_CONCURRENCY, |_| {})
        .await
        .expect("the store writes");
    eprintln!(
        "\nsettlement: {} transactions written in {:.0} s",
        plan.transactions,
        start.elapsed().as_secs_f64()
    );
    let mut sums = Vec::new();
    summary.sums.write_csv(&mut sums).expect("a Vec accepts all writes");
    String::from_utf8(sums).expect("a text")
}
