//! Whole settlements through the queues that feed them, against the bare reading of the same ledger.

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

/// Transactions that are settled, if no other number is asked for.
const TRANSACTIONS: u64 = 1_000_000;

/// Calls under way while the ledger is filled.
const AT_ONCE: usize = 16;

/// All parts.
pub async fn run() {
    let ledger = Ledger::of(TRANSACTIONS).await;
    ratio::run(&ledger).await;
    summing::run(&ledger.plan);
    memory::run(&ledger).await;
}

/// One part of it, over so many transactions.
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

/// A process that settles these days of a store elsewhere, and tells how much memory that took.
pub async fn probe(endpoint: &str, from: &str, to: &str) {
    let day = |text: &str| text.parse().expect("a day");
    memory::probe(endpoint, Days { from: day(from), to: day(to) }).await;
}

/// The last day that has transactions.
fn last_day() -> Day {
    "2026-11-20".parse().expect("a day")
}

/// When everything is settled: on the day after.
fn now() -> Timestamp {
    last_day().plus(1).start().plus(once::settlement::LEDGER_LAG * 2)
}

/// The days of a plan.
fn days(plan: &Plan) -> Days {
    Days { from: Day::of(plan.begin()), to: plan.until }
}

/// So many transactions of fifty merchants in thirty days.
fn plan(transactions: u64) -> Plan {
    Plan { transactions, ..Plan::until(last_day()) }
}

/// A ledger with a plan's transactions, in an embedded store.
#[derive(Debug)]
struct Ledger {
    cloud: Cloud,
    plan: Plan,
    /// What they come to: the CSV that a settlement must write.
    sums: String,
}

impl Ledger {
    async fn of(transactions: u64) -> Self {
        let (cloud, plan) = (Cloud::start().await, plan(transactions));
        let sums = fill(&cloud, &plan).await;
        Self { cloud, plan, sums }
    }
}

/// Writes a plan's transactions, and answers what they come to.
async fn fill(cloud: &Cloud, plan: &Plan) -> String {
    let stack = Stack {
        client: cloud.client().clone(),
        orders: ORDERS_TABLE.to_owned(),
        ledger: LEDGER_TABLE.to_owned(),
        companies: cloud.app().companies().clone(),
    };
    let begun = Instant::now();
    let catalog = plan.catalog().expect("a catalog");
    let written = seed::write_entries(&stack, plan, &catalog, AT_ONCE, |_| {})
        .await
        .expect("the store writes");
    eprintln!(
        "\nsettlement: {} transactions written in {:.0} s",
        plan.transactions,
        begun.elapsed().as_secs_f64()
    );
    let mut sums = Vec::new();
    written.sums.write_csv(&mut sums).expect("memory takes all");
    String::from_utf8(sums).expect("a text")
}
