//! Many measurements as few numbers.

use std::time::Duration;

/// Times in ascending order.
#[derive(Debug, Default)]
pub struct Sorted(Vec<Duration>);

impl FromIterator<Duration> for Sorted {
    fn from_iter<I: IntoIterator<Item = Duration>>(times: I) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }
}

impl Sorted {
    /// The time that `percent` of all do not exceed, in milliseconds; the median is 50.
    ///
    /// # Panics
    /// If nothing was measured.
    pub fn millis(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0[rank].as_secs_f64() * 1_000.0
    }
}

/// The middle of several measurements.
///
/// # Panics
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
