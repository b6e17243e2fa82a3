//! The invocation that work is done for: until when, and under which id.
//!
//! An invocation is what Lambda, or the process in its place, hands to a function: a request, a
//! batch of messages or a tick. It ends at its deadline, on every platform:
//!
//! - Its work is dropped then, and with it each call in flight.
//! - No call of a service begins after it ([`is_over`], which the HTTP client of the SDK asks).
//!   This holds by the wall clock, also if the instance was frozen, and its monotonic clock with
//!   it.
//!
//! So a write that is sent at all is sent before the deadline. `docs/UNIQUES.md` and
//! `docs/SETTLEMENT.md` rest on that.
//!
//! Work outside an invocation, as at the start of an instance, has no deadline.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use lambda_runtime::Context;
use sha2::{Digest, Sha256};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{digest, time::Timestamp};

/// The time before the end of an invocation that is left for its answer.
const MARGIN: Duration = Duration::from_millis(250);

tokio::task_local! {
    static CURRENT: Invocation;
}

/// An invocation. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Invocation {
    tokens: Arc<Tokens>,
    deadline: Option<Timestamp>,
}

/// Tokens that no other invocation makes: the hash of its id and a number.
///
/// They come from the invocation and not from the process: processes that were restored from one
/// snapshot would share theirs.
#[derive(Debug)]
struct Tokens {
    first: Uuid,
    count: AtomicU64,
}

/// The invocation ended before its work: what the work has written is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the invocation reached its deadline")]
pub struct DeadlineReached;

impl Invocation {
    /// Makes an invocation with an id that no other one has.
    #[must_use]
    pub fn new(id: &str, deadline: Option<Timestamp>) -> Self {
        Self { tokens: Tokens::after(digest::uuid(Sha256::new().chain_update(id))), deadline }
    }

    /// Makes the invocation that Lambda's runtime interface describes. Lambda repeats a failed one
    /// with the same id, but with another deadline.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        let Context { request_id, deadline, .. } = context;
        let end = i64::try_from(*deadline).ok().filter(|end| *end > 0);
        let end = end.map(|end| Timestamp::from_millis(end).minus(MARGIN));
        Self::new(&format!("{request_id} {deadline}"), end)
    }

    /// Starts an invocation that may take `time`, answer included.
    #[must_use]
    pub fn starting(time: Duration) -> Self {
        Self { deadline: Some(Timestamp::now().plus(time).minus(MARGIN)), ..Self::unlimited() }
    }

    /// Starts an invocation without a deadline.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { tokens: Tokens::random(), deadline: None }
    }

    /// Returns the invocation that the caller works for.
    fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Does work of this invocation, until its deadline.
    ///
    /// # Errors
    /// The deadline was reached first.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> Result<T, DeadlineReached> {
        let left = self.deadline.map(|deadline| deadline.since(Timestamp::now()));
        let work = CURRENT.scope(self, work);
        match left {
            Some(left) => timeout(left, work).await.map_err(|_| DeadlineReached),
            None => Ok(work.await),
        }
    }
}

/// Does a part of the work of the current invocation, for `time` at most. No call of it begins
/// later.
///
/// # Errors
/// The time, or that of the invocation, was over first.
pub async fn within<T>(
    time: Duration,
    work: impl Future<Output = T>,
) -> Result<T, DeadlineReached> {
    let end = Timestamp::now().plus(time);
    let current = Invocation::current();
    let deadline = current.as_ref().and_then(|current| current.deadline);
    let tokens = current.map_or_else(Tokens::random, |current| current.tokens);
    let deadline = Some(deadline.map_or(end, |deadline| deadline.min(end)));
    Invocation { tokens, deadline }.run(work).await
}

/// Returns the time that the current invocation has left; `None`: without limit.
#[must_use]
pub fn time_left() -> Option<Duration> {
    let deadline = CURRENT.try_with(|current| current.deadline).ok().flatten();
    deadline.map(|deadline| deadline.since(Timestamp::now()))
}

/// Returns whether the current invocation has reached its deadline.
#[must_use]
pub fn is_over() -> bool {
    time_left().is_some_and(|left| left.is_zero())
}

/// Returns a token that no other work has.
#[must_use]
pub fn token() -> Uuid {
    CURRENT.try_with(|current| current.tokens.next()).unwrap_or_else(|_| Tokens::random().next())
}

impl Tokens {
    fn after(first: Uuid) -> Arc<Self> {
        Arc::new(Self { first, count: AtomicU64::new(0) })
    }

    /// Makes tokens outside an invocation.
    fn random() -> Arc<Self> {
        Self::after(Uuid::now_v7())
    }

    fn next(&self) -> Uuid {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        Uuid::from_u128(self.first.as_u128().wrapping_add(number.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending_in(time: Duration) -> Invocation {
        Invocation::new("1", Some(Timestamp::now().plus(time)))
    }

    #[tokio::test]
    async fn work_ends_at_the_deadline() {
        let never = std::future::pending::<()>();
        assert_eq!(ending_in(Duration::from_millis(20)).run(never).await, Err(DeadlineReached));
        assert_eq!(ending_in(Duration::from_mins(1)).run(async { 7 }).await, Ok(7));
        assert_eq!(Invocation::new("1", None).run(async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_part_of_the_work_has_the_earlier_deadline() {
        let (short, long) = (Duration::from_secs(10), Duration::from_mins(1));
        for (outer, inner) in [(short, long), (long, short)] {
            let left = ending_in(outer).run(within(inner, async { time_left() })).await;
            let left = left.expect("no wait").expect("no wait").expect("a deadline");
            assert!(left <= short && left > Duration::from_secs(5), "{left:?}");
        }
        assert!(within(short, async { time_left() }).await.expect("no wait").is_some());
        assert_eq!(time_left(), None);
    }

    #[tokio::test]
    async fn the_deadline_holds_by_the_wall_clock() {
        let invocation = Invocation::new("1", Some(Timestamp::now().minus(Duration::from_secs(1))));
        // The timer of an instance that was frozen has not fired yet.
        assert!(CURRENT.sync_scope(invocation, is_over));
        assert!(!is_over());
    }

    #[tokio::test]
    async fn tokens_depend_on_the_invocation_and_are_never_repeated() {
        let tokens = |id| Invocation::new(id, None).run(async { [token(), token()] });
        let (one, other) = (tokens("1").await.expect("ok"), tokens("2").await.expect("ok"));
        assert_eq!(tokens("1").await, Ok(one), "not from the process");
        let mut all = [one, other, [token(), token()]].concat();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }

    #[test]
    fn an_invocation_that_lambda_repeats_has_other_tokens() {
        let token_before = |deadline| {
            let mut context = Context::default();
            context.request_id = "1".to_owned();
            context.deadline = deadline;
            CURRENT.sync_scope(Invocation::of(&context), token)
        };
        let first = token_before(1_795_216_800_000);
        assert_eq!(token_before(1_795_216_800_000), first);
        assert_ne!(token_before(1_795_216_860_000), first);
        let unlimited = || CURRENT.sync_scope(Invocation::unlimited(), token);
        assert_ne!(unlimited(), unlimited());
    }

    #[test]
    fn the_deadline_of_lambda_leaves_time_for_the_answer() {
        let mut context = Context::default();
        context.request_id = "1".to_owned();
        assert_eq!(Invocation::of(&context).deadline, None);
        context.deadline = 1_795_216_800_000;
        let deadline = Invocation::of(&context).deadline;
        assert_eq!(deadline, Some(Timestamp::from_millis(1_795_216_799_750)));
    }
}
