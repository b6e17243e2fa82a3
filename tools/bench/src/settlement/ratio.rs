//! How long a whole settlement takes, against the bare reading of what it settles.

use std::time::{Duration, Instant};

use super::{Ledger, bare, days, workers};
use crate::stats::median;

/// Pairs of rounds: one settlement, one bare reading.
const ROUNDS: usize = 3;

/// Batches, and shards, under way at a time.
const IN_FLIGHT: usize = 16;

/// Prints both times.
///
/// # Panics
/// If the file does not say, byte for byte, what was written.
pub async fn run(Ledger { cloud, plan, sums }: &Ledger) {
    let transactions = plan.transactions;
    let (mut whole, mut phases, mut floor, mut ratios) =
        (Vec::new(), [const { Vec::new() }; 3], Vec::new(), Vec::new());
    for pair in 0..ROUNDS {
        let ours = async || {
            let settled = workers::settle(cloud, days(plan), IN_FLIGHT).await;
            assert!(settled.csv == *sums, "the file says what was written");
            settled
        };
        let bare = async || {
            let begun = Instant::now();
            let entries = bare::read(cloud.client(), days(plan), IN_FLIGHT).await;
            assert_eq!(u64::try_from(entries), Ok(transactions));
            begun.elapsed().as_secs_f64()
        };
        // Each goes first in every other pair.
        let (a, b) = if pair % 2 == 0 {
            let a = ours().await;
            (a, bare().await)
        } else {
            let b = bare().await;
            (ours().await, b)
        };
        whole.push(a.whole.as_secs_f64());
        floor.push(b);
        ratios.push(a.whole.as_secs_f64() / b);
        for (times, phase) in phases.iter_mut().zip(a.phases) {
            times.push(Duration::as_secs_f64(&phase));
        }
    }
    let [planning, summing, finishing] = phases.map(median);
    let whole = median(whole);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 transactions")]
    let rate = transactions as f64 / whole;
    println!(
        "\nsettlement: medians of {ROUNDS} pairs over the embedded store, {transactions} transactions, {IN_FLIGHT} batches at a time"
    );
    println!("settlement   {whole:>8.2} s  ({rate:.0} transactions/s)");
    println!("  plan       {planning:>8.2} s");
    println!("  batches    {summing:>8.2} s");
    println!("  finish     {finishing:>8.2} s");
    println!("bare reading {:>8.2} s", median(floor));
    println!("ratio        {:>8.2}  (goal: at most 2.2)", median(ratios));
    println!("each file is, byte for byte, what was written: {} bytes", sums.len());
}
