//! Retries within a time budget: the loop that repeats a transaction until it has a decision.

#![expect(clippy::disallowed_types, reason = "the budget ends with its invocation")]

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::time::{Instant, sleep};

use crate::{aws::ServiceError, invocation};

/// The time that a request may spend on retries, and the backoff between its attempts: from 10 ms,
/// doubling to 160 ms, with a random jitter of up to the delay itself.
///
/// The time starts when the budget is made, and ends before the deadline of the invocation.
///
/// The first delays are shorter than the 25 ms for which a transaction holds an item, since the
/// retry uses another lane.
#[derive(Debug)]
pub struct RetryBudget {
    until: Instant,
    delays: ExponentialBackoff,
}

/// The retry budget is exhausted.
#[derive(Debug, PartialEq, Eq)]
pub struct Exhausted;

/// The result of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt<T, S = ()> {
    /// A decision, which ends the loop.
    Decided(T),
    /// No decision: retry with this state after a delay.
    Retry(S),
    /// No decision, but a state with which the next attempt can start at once.
    RetryNow(S),
}

impl RetryBudget {
    /// Makes a budget that starts now.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        let delays = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(10))
            .with_max_delay(Duration::from_millis(160))
            .with_jitter()
            .without_max_times()
            .build();
        let time = invocation::time_left().map_or(time, |left| left.min(time));
        Self { until: Instant::now() + time, delays }
    }

    /// Repeats `attempt` until it decides, fails permanently, or the budget is exhausted.
    ///
    /// `attempt` gets the state that the last one returned, and whether the outcome of an earlier
    /// one is unknown: the store failed without refusing it, and may have recorded it.
    ///
    /// # Errors
    /// The error that the attempt decided on; the failure of the store, if it is permanent or was
    /// the last one within the budget; otherwise [`Exhausted`].
    pub async fn retry<S, T, E, F>(
        mut self,
        mut state: S,
        mut attempt: impl FnMut(S, bool) -> F,
    ) -> Result<T, E>
    where
        S: Clone,
        E: From<Exhausted> + From<ServiceError>,
        F: Future<Output = Result<Attempt<Result<T, E>, S>, ServiceError>>,
    {
        let mut is_outcome_unknown = false;
        loop {
            match attempt(state.clone(), is_outcome_unknown).await {
                Ok(Attempt::Decided(decision)) => return decision,
                Ok(Attempt::Retry(next)) => {
                    self.wait().await?;
                    state = next;
                }
                Ok(Attempt::RetryNow(next)) => {
                    self.check(Duration::ZERO)?;
                    state = next;
                }
                Err(failure) if failure.is_transient() => {
                    let failure = failure.doubted_if(is_outcome_unknown);
                    is_outcome_unknown |= !failure.is_refused();
                    self.wait().await.map_err(|Exhausted| failure)?;
                }
                Err(failure) => return Err(failure.doubted_if(is_outcome_unknown).into()),
            }
        }
    }

    /// Waits before the next attempt of a loop other than [`RetryBudget::retry`]: one that must not
    /// retry failures of the store.
    ///
    /// # Errors
    /// [`Exhausted`], without waiting, if the delay would end after the budget.
    pub async fn wait(&mut self) -> Result<(), Exhausted> {
        let delay = self.delays.next().ok_or(Exhausted)?;
        self.check(delay)?;
        sleep(delay).await;
        Ok(())
    }

    fn check(&self, delay: Duration) -> Result<(), Exhausted> {
        (Instant::now() + delay < self.until).then_some(()).ok_or(Exhausted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Failure {
        Exhausted,
        Rejected,
        Store(ServiceError),
    }

    impl From<Exhausted> for Failure {
        fn from(Exhausted: Exhausted) -> Self {
            Self::Exhausted
        }
    }

    impl From<ServiceError> for Failure {
        fn from(cause: ServiceError) -> Self {
            Self::Store(cause)
        }
    }

    fn budget() -> RetryBudget {
        RetryBudget::new(Duration::from_secs(3))
    }

    fn transient() -> ServiceError {
        ServiceError::transient(std::io::Error::other("reset"))
    }

    #[tokio::test(start_paused = true)]
    async fn delays_grow_and_end_within_the_budget() {
        let start = Instant::now();
        let (mut last, mut delays) = (start, Vec::new());
        let result: Result<(), Failure> = budget()
            .retry((), |(), _| {
                delays.push(last.elapsed());
                last = Instant::now();
                async { Ok(Attempt::Retry(())) }
            })
            .await;
        assert!(matches!(result, Err(Failure::Exhausted)), "{result:?}");
        assert!((Duration::from_millis(2_680)..Duration::from_secs(3)).contains(&start.elapsed()));
        let delays = &delays[1..];
        let first = Duration::from_millis(10)..=Duration::from_millis(21);
        assert!(first.contains(&delays[0]), "{delays:?}");
        let longest = Duration::from_millis(321);
        assert!(delays.len() > 8 && delays.iter().all(|delay| *delay <= longest), "{delays:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_gets_the_state_of_the_last_one_and_whether_an_outcome_is_unknown() {
        let mut attempts = Vec::new();
        let result: Result<u32, Failure> = budget()
            .retry(1, |number, is_outcome_unknown| {
                attempts.push((number, is_outcome_unknown));
                let attempt = attempts.len();
                async move {
                    match attempt {
                        1 => Ok(Attempt::RetryNow(2)),
                        2 => Err(transient()),
                        3 => Ok(Attempt::Retry(3)),
                        _ => Ok(Attempt::Decided(Ok(7))),
                    }
                }
            })
            .await;
        assert_eq!(result.expect("a decision"), 7);
        assert_eq!(attempts, [(1, false), (2, false), (2, true), (3, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_decision_and_a_permanent_failure_end_the_loop_at_once() {
        let start = Instant::now();
        let reject = |(), _| async { Ok(Attempt::Decided(Err(Failure::Rejected))) };
        let rejected: Result<(), Failure> = budget().retry((), reject).await;
        assert!(matches!(rejected, Err(Failure::Rejected)), "{rejected:?}");
        let permanent = || ServiceError::permanent(std::io::Error::other("not an item"));
        let failed: Result<(), Failure> =
            budget().retry((), |(), _| async { Err(permanent()) }).await;
        assert!(matches!(failed, Err(Failure::Store(cause)) if !cause.is_transient()));
        assert!(start.elapsed().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_keeps_failing_is_the_error_when_the_budget_is_exhausted() {
        let failed: Result<(), Failure> =
            budget().retry((), |(), _| async { Err(transient()) }).await;
        assert!(matches!(failed, Err(Failure::Store(cause)) if cause.is_transient()));
    }
}
