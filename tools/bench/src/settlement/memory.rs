//! Peak memory of a process that does all work of a settlement, for settlements of different sizes.
//!
//! The embedded store has memory of its own, so the work is done in a child process.

use std::{env, fs};

use once::{settlement::Days, testing::Cloud, time::Day};
use seed::Plan;
use tokio::process::Command;

use super::{Ledger, days, workers, write_ledger};

/// Messages per event of the deployed function.
const MESSAGES_PER_EVENT: usize = 5;

/// The smaller settlements: the divisor of the number of transactions, and the days. The pages of
/// the ledger are small in the first, and as full as those of the largest settlement in the last.
const SMALLER_SETTLEMENTS: [(u64, u16); 3] = [(100, 30), (10, 30), (10, 3)];

/// Prints the peak of each settlement.
///
/// # Panics
/// If a child process fails.
pub async fn run(Ledger { cloud, plan: largest, .. }: &Ledger) {
    let (mut plans, mut start) = (Vec::new(), largest.start());
    for (divisor, days) in SMALLER_SETTLEMENTS {
        // Settlements do not share days.
        let until = Day::of(start).plus(-1);
        let plan = Plan {
            transactions: largest.transactions.div_ceil(divisor),
            days,
            until,
            ..largest.clone()
        };
        write_ledger(cloud, &plan).await;
        start = plan.start();
        plans.push(plan);
    }
    plans.push(largest.clone());
    println!(
        "\nsettlement: peak resident memory of an instance that does all work, \
         {MESSAGES_PER_EVENT} batches at a time"
    );
    for plan in plans {
        let mb = settle_in_child_process(cloud, days(&plan)).await;
        println!("{:>9} transactions in {:>2} days  {mb:>6} MB", plan.transactions, plan.days);
    }
}

/// Settles these days in a child process, and returns its output, the peak in MB.
async fn settle_in_child_process(cloud: &Cloud, days: Days) -> String {
    let program = env::current_exe().expect("the path of this program");
    let arguments =
        ["settle", cloud.endpoint().await, &days.from.to_string(), &days.to.to_string()];
    let output =
        Command::new(program).args(arguments).output().await.expect("the child process starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Settles these days and prints the peak: the main function of the child process.
pub async fn child(endpoint: &str, days: Days) {
    workers::settle_as_one_instance(&Cloud::at(endpoint).await, days, MESSAGES_PER_EVENT).await;
    println!("{:.1}", peak_mb());
}

/// Reads the peak resident memory of this process from `/proc`.
fn peak_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line VmHWM");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}
