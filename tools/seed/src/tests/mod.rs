//! The promises, held against the embedded store where they are of tables.

mod plan;
mod sparing;
mod tables;

use clap::Parser;
use once::ledger::Entry;

use crate::{Arguments, plan::Plan};

fn parsed(changes: &[&str]) -> Result<Arguments, clap::Error> {
    let given = ["seed", "--until", "2026-11-20"].into_iter();
    Arguments::try_parse_from(given.chain(changes.iter().copied()))
}

fn plan(transactions: &str) -> Plan {
    let changes = ["--merchants", "3", "--products", "5", "--days", "4", "--transactions", transactions];
    parsed(&changes).expect("fit arguments").plan
}

fn entries(plan: &Plan) -> Vec<Entry> {
    plan.entries(&plan.catalog().expect("a catalog")).collect()
}
