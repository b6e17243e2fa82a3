//! Over how many keys a minute's ids must be spread so that no partition of the table gets more than it takes.
//!
//! A model, not a measurement of DynamoDB: each key falls on a partition at random, as a hash puts it; a partition takes 1 000
//! writes a second, and there are 1.6 times as many as the traffic needs; what comes above is throttled. DynamoDB also splits
//! partitions that stay hot, so it can only be better.

/// Writes a second that a partition takes.
const PARTITION: f64 = 1_000.0;

/// How often the keys are thrown.
const THROWS: u32 = 400;

/// Prints the share of writes that would be throttled.
pub fn run() {
    println!("\nuniques: writes that are throttled, by keys a minute (model, {THROWS} throws)");
    println!(
        "{:>10} {:>10} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "writes/s", "partitions", 16, 64, 256, 1024, 4096
    );
    for (writes, partitions) in [(10_000.0, 16), (100_000.0, 160)] {
        let shares = [16, 64, 256, 1_024, 4_096]
            .map(|keys| format!("{:.1} %", 100.0 * throttled(writes, partitions, keys)));
        println!(
            "{writes:>10.0} {partitions:>10} {}",
            shares.map(|share| format!("{share:>8}")).join(" ")
        );
    }
}

fn throttled(writes: f64, partitions: usize, keys: u32) -> f64 {
    let mut random = fastrand::Rng::with_seed(7);
    let each = writes / f64::from(keys);
    let lost: f64 = (0..THROWS)
        .map(|_| {
            let mut loads = vec![0.0; partitions];
            (0..keys).for_each(|_| loads[random.usize(0..partitions)] += each);
            loads.iter().map(|load| f64::max(0.0, load - PARTITION)).sum::<f64>()
        })
        .sum();
    lost / f64::from(THROWS) / writes
}
