//! Request latencies.

use std::{fmt, time::Duration};

/// Latencies of all requests, sorted.
#[derive(Debug)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Sorts these latencies.
    pub fn new(mut latencies: Vec<Duration>) -> Self {
        latencies.sort_unstable();
        Self(latencies)
    }

    /// Returns a percentile by nearest rank, or zero if there are no latencies.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |percent| self.percentile(percent).as_millis();
        write!(f, "p50 {} ms, p95 {} ms, p99 {} ms", millis(50), millis(95), millis(99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_measured_latency() {
        let latencies = Latencies::new((1..=200).rev().map(Duration::from_millis).collect());
        assert_eq!(latencies.to_string(), "p50 100 ms, p95 190 ms, p99 198 ms");
        assert_eq!(Latencies::new(vec![]).percentile(50), Duration::ZERO);
        assert_eq!(
            Latencies::new(vec![Duration::from_millis(7)]).percentile(99),
            Duration::from_millis(7)
        );
    }
}
