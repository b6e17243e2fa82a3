//! Tests of the plan, and of the tables in the embedded store.

mod plan;
mod tables;
mod throttled;

use once::ledger::Entry;

use crate::plan::Plan;

/// Returns a small plan.
fn plan(transactions: u64) -> Plan {
    let until = "2026-11-20".parse().expect("a day");
    Plan { merchants: 3, products: 5, days: 4, transactions, ..Plan::until(until) }
}

fn entries(plan: &Plan) -> Vec<Entry> {
    plan.entries(&plan.catalog().expect("a catalog")).collect()
}
