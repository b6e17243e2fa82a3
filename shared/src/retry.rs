//! How long a request may retry, and how it waits in between.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep};

/// Pauses that double from 10 ms to 160 ms, each lengthened by up to itself at random, until the time is up.
///
/// It begins with the request. When it is spent, at most two more calls of the store follow, each at most 3 s
/// ([`crate::aws::configure`]): the longest budget of 8 s ends inside the functions' 15 s.
///
/// The first pauses are shorter than the 25 ms for which a transaction holds an item, since the retry goes to another lane.
#[derive(Debug)]
pub struct RetryBudget {
    until: Instant,
    pauses: ExponentialBackoff,
}

/// The time is up.
#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

impl RetryBudget {
    /// From now on.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(160))
            .with_jitter()
            .without_max_times()
            .build();
        Self { until: Instant::now() + time, pauses }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// [`Exhausted`], at once, where the wait would outlast the time.
    pub async fn pause(&mut self) -> Result<(), Exhausted> {
        let pause = self.pauses.next().ok_or(Exhausted)?;
        self.allows(pause)?;
        sleep(pause).await;
        Ok(())
    }

    /// Goes on without a wait.
    ///
    /// # Errors
    /// [`Exhausted`] where the time is up.
    pub fn go_on(&self) -> Result<(), Exhausted> {
        self.allows(Duration::ZERO)
    }

    fn allows(&self, pause: Duration) -> Result<(), Exhausted> {
        (Instant::now() + pause < self.until).then_some(()).ok_or(Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_and_end_within_the_time() {
        let begun = Instant::now();
        let mut budget = RetryBudget::new(Duration::from_secs(3));
        let mut last = begun;
        let mut pauses = Vec::new();
        while budget.pause().await.is_ok() {
            pauses.push(last.elapsed());
            last = Instant::now();
        }
        assert!((Duration::from_millis(2_680)..Duration::from_secs(3)).contains(&begun.elapsed()));
        assert!(
            pauses[0] >= Duration::from_millis(10) && pauses[0] <= Duration::from_millis(21),
            "{pauses:?}"
        );
        assert!(
            pauses.len() > 8 && pauses.iter().all(|pause| *pause <= Duration::from_millis(321)),
            "{pauses:?}"
        );
    }
}
