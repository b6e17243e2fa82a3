//! Cost of the summing alone, in memory, against a plain loop that adds the same integers.

use std::{hint::black_box, time::Instant};

use once::settlement::{Accumulator, Totals};
use seed::Plan;

use crate::stats::median;

/// Number of pairs of rounds.
const ROUNDS: usize = 15;

/// A transaction as a worker reads it: merchant and amounts.
type Transaction = (String, Totals);

/// Prints the time per transaction of both.
///
/// # Panics
/// If their sums differ.
pub fn run(plan: &Plan) {
    let (transactions, shards) = (plan.transactions, shards(plan));
    let (mut ours, mut bare, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a, sums) = time(transactions, || sum_by_merchant(&shards));
        let (b, expected) = time(transactions, || sum_in_plain_loop(&shards));
        assert_eq!(sums, expected);
        ours.push(a);
        bare.push(b);
        ratios.push(a / b);
    }
    println!(
        "\nsettlement: medians of {ROUNDS} pairs of sums of {transactions} transactions in memory, \
         in the ledger's order"
    );
    println!("by merchant  {:>8.2} ns per transaction", median(ours));
    println!("plain loop   {:>8.2} ns per transaction", median(bare));
    println!("ratio        {:>8.2}", median(ratios));
}

/// Returns the transactions of every shard, in the order of the ledger.
fn shards(plan: &Plan) -> Vec<Vec<Transaction>> {
    let catalog = plan.catalog().expect("a catalog");
    let mut entries: Vec<_> = plan.entries(&catalog).map(|entry| (entry.key(), entry)).collect();
    entries.sort_unstable_by(|(a, _), (b, _)| (&a.pk, &a.sk).cmp(&(&b.pk, &b.sk)));
    let shards = entries.chunk_by(|(a, _), (b, _)| a.pk == b.pk);
    let transaction = |entry: &once::ledger::Entry| {
        let totals = Totals {
            gross: entry.gross_cents,
            fee: entry.fee_cents,
            net: entry.net_cents,
            count: 1,
        };
        (entry.merchant_id.clone(), totals)
    };
    shards.map(|shard| shard.iter().map(|(_, entry)| transaction(entry)).collect()).collect()
}

/// Sums as the workers do.
fn sum_by_merchant(shards: &[Vec<Transaction>]) -> Totals {
    let mut all = Totals::ZERO;
    for shard in shards {
        let mut summing = Accumulator::default();
        for (merchant, amounts) in black_box(shard) {
            summing.add(merchant, *amounts).expect("small sums");
        }
        for row in summing.into_rows() {
            all = all.plus(row.totals).expect("small sums");
        }
    }
    all
}

/// Sums with four additions per transaction.
fn sum_in_plain_loop(shards: &[Vec<Transaction>]) -> Totals {
    let mut all = Totals::ZERO;
    for shard in shards {
        for (_, amounts) in black_box(shard) {
            all.gross += amounts.gross;
            all.fee += amounts.fee;
            all.net += amounts.net;
            all.count += amounts.count;
        }
    }
    all
}

/// Returns the nanoseconds per transaction, and the sum.
fn time(transactions: u64, sum: impl FnOnce() -> Totals) -> (f64, Totals) {
    let start = Instant::now();
    let totals = sum();
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 transactions")]
    let each = start.elapsed().as_secs_f64() * 1e9 / transactions as f64;
    (each, totals)
}
