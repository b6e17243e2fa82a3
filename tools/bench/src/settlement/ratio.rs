//! Duration of a whole settlement, against bare reads of the same ledger.

use std::time::{Duration, Instant};

use super::{Ledger, bare, days, workers};
use crate::stats::median;

/// Number of pairs of rounds: one settlement, one bare read of the ledger.
const ROUNDS: usize = 3;

/// Concurrent messages of a settlement, and concurrent shards of a bare read.
const IN_FLIGHT: usize = 16;

/// Prints both durations.
///
/// # Panics
/// If the file differs from the expected sums.
pub async fn run(Ledger { cloud, plan, sums }: &Ledger) {
    let transactions = plan.transactions;
    let (mut whole, mut phases, mut floor, mut ratios) =
        (Vec::new(), [const { Vec::new() }; 3], Vec::new(), Vec::new());
    for pair in 0..ROUNDS {
        let ours = async || {
            let run = workers::settle(cloud, days(plan), IN_FLIGHT).await;
            assert!(run.csv == *sums, "the file differs from the expected sums");
            run
        };
        let bare = async || {
            let start = Instant::now();
            let entries = bare::read(cloud.client(), days(plan), IN_FLIGHT).await;
            assert_eq!(u64::try_from(entries), Ok(transactions));
            start.elapsed().as_secs_f64()
        };
        // Each side is first in every other pair.
        let (a, b) = if pair % 2 == 0 {
            let a = ours().await;
            (a, bare().await)
        } else {
            let b = bare().await;
            (ours().await, b)
        };
        whole.push(a.duration.as_secs_f64());
        floor.push(b);
        ratios.push(a.duration.as_secs_f64() / b);
        for (times, phase) in phases.iter_mut().zip(a.phases) {
            times.push(Duration::as_secs_f64(&phase));
        }
    }
    let [planning, summing, finishing] = phases.map(median);
    let whole = median(whole);
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 transactions")]
    let rate = transactions as f64 / whole;
    println!(
        "\nsettlement: medians of {ROUNDS} pairs over the embedded store, {transactions} \
         transactions, {IN_FLIGHT} batches at a time"
    );
    println!("settlement   {whole:>8.2} s  ({rate:.0} transactions/s)");
    println!("  plan       {planning:>8.2} s");
    println!("  batches    {summing:>8.2} s");
    println!("  finish     {finishing:>8.2} s");
    println!("bare reads   {:>8.2} s", median(floor));
    println!("ratio        {:>8.2}  (goal: at most 2.2)", median(ratios));
    println!("each file equals the expected sums, byte for byte: {} bytes", sums.len());
}
