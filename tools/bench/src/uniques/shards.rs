//! Number of partition keys over which a minute's ids must be distributed so that no partition of
//! the table exceeds its capacity.
//!
//! This is a model, not a measurement of DynamoDB: a hash assigns each key to a random partition, a
//! partition accepts 1 000 writes per second, there are 1.6 times as many partitions as the traffic
//! needs, and the excess is throttled. DynamoDB also splits partitions that stay hot, so it can
//! only be better.

/// Writes per second that a partition accepts.
const PARTITION_CAPACITY: f64 = 1_000.0;

/// Random assignments of the keys.
const TRIALS: u32 = 400;

/// Prints the share of throttled writes.
pub fn run() {
    println!("\nuniques: throttled writes by keys per minute (model, {TRIALS} trials)");
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

/// Returns the share of throttled writes.
fn throttled(writes: f64, partitions: usize, keys: u32) -> f64 {
    let mut random = fastrand::Rng::with_seed(7);
    let each = writes / f64::from(keys);
    let excess: f64 = (0..TRIALS)
        .map(|_| {
            let mut loads = vec![0.0; partitions];
            (0..keys).for_each(|_| loads[random.usize(0..partitions)] += each);
            loads.iter().map(|load| f64::max(0.0, load - PARTITION_CAPACITY)).sum::<f64>()
        })
        .sum();
    excess / f64::from(TRIALS) / writes
}
