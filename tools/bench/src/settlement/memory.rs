//! How much memory a process needs that does all of a settlement's work, for settlements of different sizes. The embedded store has
//! its tables in memory, so the work is done in a process of its own.

use std::{env, fs};

use once::{settlement::Days, testing::Cloud, time::Day};
use seed::Plan;
use tokio::process::Command;

use super::{Ledger, days, fill, workers};

/// Messages that one event brings to the deployed function.
const EVENT: usize = 5;

/// How many times fewer transactions than all the smaller settlements have, and their days: pages of the ledger are small at first,
/// and full when its days are as busy as those of all.
const SMALLER: [(u64, u16); 3] = [(100, 30), (10, 30), (10, 3)];

/// Prints the peak of each.
///
/// # Panics
/// If a process fails.
pub async fn run(Ledger { cloud, plan: all, .. }: &Ledger) {
    let (mut plans, mut begin) = (Vec::new(), all.begin());
    for (fewer, over) in SMALLER {
        // Each has days of its own.
        let until = Day::of(begin).plus(-1);
        let plan = Plan {
            transactions: all.transactions.div_ceil(fewer),
            days: over,
            until,
            ..all.clone()
        };
        fill(cloud, &plan).await;
        begin = plan.begin();
        plans.push(plan);
    }
    plans.push(all.clone());
    println!(
        "\nsettlement: peak of a instance's resident memory that does all of it, {EVENT} batches at a time"
    );
    for plan in plans {
        let mb = settle_elsewhere(cloud, days(&plan)).await;
        println!("{:>9} transactions in {:>2} days  {mb:>6} MB", plan.transactions, plan.days);
    }
}

/// Has a process of its own settle these days, and answers what it said.
async fn settle_elsewhere(cloud: &Cloud, days: Days) -> String {
    let own = env::current_exe().expect("this program has a path");
    let arguments = ["settle", cloud.endpoint(), &days.from.to_string(), &days.to.to_string()];
    let output = Command::new(own).args(arguments).output().await.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Settles these days and tells the peak.
pub async fn probe(endpoint: &str, days: Days) {
    workers::settle_alone(&Cloud::at(endpoint.to_owned()), days, EVENT).await;
    println!("{:.1}", peak_mb());
}

/// Linux's own word for it.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a instance has memory");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}
