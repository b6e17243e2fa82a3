//! Percentiles and medians.

use std::time::Duration;

/// Durations in ascending order.
#[derive(Debug, Default)]
pub struct Durations(Vec<Duration>);

impl FromIterator<Duration> for Durations {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut durations: Vec<_> = durations.into_iter().collect();
        durations.sort_unstable();
        Self(durations)
    }
}

impl Durations {
    /// Returns a percentile by nearest rank, in milliseconds; 50 is the median.
    ///
    /// # Panics
    /// If there are no durations.
    pub fn millis(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0[rank].as_secs_f64() * 1_000.0
    }
}

/// Returns the median; of an even number of values, the upper one of the middle two.
///
/// # Panics
/// If there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
