//! The promises, held against the embedded store where they are of tables.

mod plan;
mod sparing;
mod tables;

use once::ledger::Entry;

use crate::plan::Plan;

/// A plan that is no larger than a test needs.
fn plan(transactions: u64) -> Plan {
    let until = "2026-11-20".parse().expect("a day");
    Plan { merchants: 3, products: 5, days: 4, transactions, ..Plan::until(until) }
}

fn entries(plan: &Plan) -> Vec<Entry> {
    plan.entries(&plan.catalog().expect("a catalog")).collect()
}
