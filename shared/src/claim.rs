//! Claims: leases on units of work that need one live owner, each with a fence and a stored result.
//!
//! A claim is one item under a key that the caller chooses. Every process that wants the work done
//! [claims](Claims::claim) the key. One acquires the claim and does the work; the others get the
//! current holder or the stored result. The result stays in the item until it expires, counted from
//! its completion; then the key can be claimed again.
//!
//! | attribute | what |
//! |---|---|
//! | `state` | `RUNNING`, `DONE` or `FAILED` |
//! | `owner` | an id of the last claim or takeover, by which a call whose reply was lost recognizes itself |
//! | `fence` | a number that grows with every claim and takeover, and never decreases |
//! | `lease_until` | the time until which a running owner is presumed alive |
//! | `taken` | the owner that took the work over, if it was handed over |
//! | `result` or `error` | the outcome |
//! | `completed_at`, `expires_at` | the time of completion, and the end of the outcome's lifetime, which every reader checks itself |
//!
//! Items are never deleted, so that no fence is issued twice.
//!
//! # Protocol
//!
//! Each step is one conditional update of the item:
//!
//! 1. **Claim**: sets `RUNNING`, a new owner, a lease and `fence + 1`. Condition: the item is new,
//!    or finished and expired, or running with an expired lease. The loser gets the current item,
//!    in the same call.
//! 2. **Take over**: a claimer may leave the work to another process, for example with a message.
//!    That process takes it over: a new owner, a new lease and `fence + 1`. Condition: the claim is
//!    running and was not taken over yet. So if a message is delivered twice, one delivery takes
//!    the work over, and a late delivery takes over the work of a later claim, or nothing.
//! 3. **Renew**: extends the lease. Condition: the claim is still running with this fence.
//! 4. **Finish**: sets `DONE` or `FAILED`. Condition: the claim is still running with this fence.
//!
//! # Guarantees
//!
//! * **At most one live holder**: at any time one fence is the newest, and only its holder can
//!   renew or finish.
//! * **Exactly one recorded result** for each fence, and for each key and lifetime of a result: a
//!   holder whose lease has expired, and whose work another has taken up, cannot overwrite the
//!   result of its successor.
//! * **No key is stuck**: a holder that has crashed loses the key when its lease expires.
//! * **Work in flight is never evicted**: only finished work expires.
//!
//! # Limits
//!
//! Work may *start* more than once: no protocol can rule that out and also recover from crashes. A
//! holder that is slower than its lease, or whose clock differs from the others' by more than the
//! rest of the lease, continues beside its successor until [`Claims::renew`] or [`Claims::finish`]
//! returns that it has lost the lease. Its result is dropped, but its other side effects remain, so
//! they need an idempotency of their own. Wrong clocks cost duplicate work, never a wrong result:
//! the lease is the only guarantee that relies on clocks.
//!
//! # Alternatives
//!
//! *AWS Powertools* (idempotency) saves the result of a finished call without a condition: a call
//! that outlives its own expiry overwrites the result of its replacement. Here that write is
//! rejected.
//!
//! *The DynamoDB lock client* offers a lock without a result. It detects a dead holder by watching
//! its record version number for a whole lease, which needs no common clock, and leaves fencing to
//! its user. Here a clock decides which process may claim, and the fence which one may finish.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use crate::{
    aws::ServiceError,
    dynamo::{Item, Update, from_item, get, keys::Key, number, text},
    time::{Clock, Timestamp},
};

/// The key is free: the item is new, its outcome has expired, or its lease has.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR (#state <> :running AND expires_at <= :now) \
                         OR (#state = :running AND lease_until <= :now)";

/// The claim is running and was not taken over yet.
const HANDED_OVER: &str = "#state = :running AND attribute_not_exists(taken)";

/// The claim is still running, and no later claim or takeover has replaced this one.
const FENCE_IS_NEWEST: &str = "#state = :running AND fence = :fence";

/// Attributes of the previous claim, which a new one removes.
const RESET_ATTRIBUTES: [&str; 5] = ["taken", "result", "error", "completed_at", "expires_at"];

/// Fencing token: identifies one claim or takeover of a key. Later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(u64);

impl Fence {
    /// Returns the number of claims and takeovers of the key so far, including this one.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Result of an attempt to claim a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The caller holds the claim and does the work.
    Acquired(Fence),
    /// Another owner holds the claim, or its outcome has not expired.
    Occupied(Record),
}

/// Current state of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An owner is at work.
    Running {
        /// Fence of the owner.
        fence: Fence,
        /// End of its lease, unless it is renewed: until then the owner is presumed alive.
        lease_until: Timestamp,
    },
    /// The work is finished.
    Finished(Completion),
}

/// Outcome of a finished claim, and its lifetime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Fence of the owner that finished.
    pub fence: Fence,
    /// The outcome.
    pub outcome: Outcome,
    /// Time of completion.
    pub completed_at: Timestamp,
    /// End of the outcome's lifetime.
    pub expires_at: Timestamp,
}

/// Outcome of the work, in a format that the worker chooses. At most 350 KB: an item holds 400 KB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A result.
    Done(String),
    /// An error, kept for a short time so that callers do not all repeat failing work at once.
    Failed(String),
}

impl Record {
    /// Returns the outcome, if it has not expired.
    #[must_use]
    pub fn fresh(&self, now: Timestamp) -> Option<&Completion> {
        match self {
            Self::Finished(completion) if now < completion.expires_at => Some(completion),
            _ => None,
        }
    }

    /// Returns whether an owner holds the claim with an unexpired lease.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        matches!(self, Self::Running { lease_until, .. } if now < *lease_until)
    }

    /// Returns whether a claim of the key is rejected now: it is held, or its outcome is fresh.
    #[must_use]
    pub fn is_occupied(&self, now: Timestamp) -> bool {
        self.is_held(now) || self.fresh(now).is_some()
    }
}

/// A lease that was acquired, with the means to renew it and to finish the work.
///
/// Dropping it releases nothing: the lease then expires by itself.
#[derive(Debug)]
pub struct LeaseGuard<'a> {
    claims: &'a Claims,
    key: Key,
    fence: Fence,
    lease: Duration,
    clock: Clock,
}

/// The lease was lost: a later claim or takeover has replaced it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the lease was lost to another owner")]
pub struct LeaseLost;

impl LeaseGuard<'_> {
    /// Returns the fence of the lease.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Runs the work and renews the lease every third of its duration. Drops the work as soon as a
    /// renewal shows that the lease was lost.
    pub async fn run_while_held<T>(&self, work: impl Future<Output = T>) -> Result<T, LeaseLost> {
        let renewals = async {
            loop {
                sleep(self.lease / 3).await;
                // A call that fails may succeed next time: only a rejection means a lost lease.
                match self
                    .claims
                    .renew(self.key.clone(), self.fence, self.lease, self.clock.now())
                    .await
                {
                    Ok(false) => return LeaseLost,
                    Ok(true) => {}
                    Err(cause) => warn!(%cause, "Lease renewal failed"),
                }
            }
        };
        tokio::select! {
            output = work => Ok(output),
            lost = renewals => Err(lost),
        }
    }

    /// Records the outcome for `lifetime`. If the lease was lost, the outcome is dropped.
    pub async fn finish(
        self,
        outcome: &Outcome,
        lifetime: Duration,
    ) -> Result<Result<(), LeaseLost>, ServiceError> {
        let finished =
            self.claims.finish(self.key, self.fence, outcome, lifetime, self.clock.now()).await?;
        Ok(finished.then_some(()).ok_or(LeaseLost))
    }
}

/// Stored form of a claim.
#[derive(Debug, Deserialize)]
struct ClaimItem {
    state: State,
    owner: Uuid,
    fence: Fence,
    lease_until: Option<Timestamp>,
    result: Option<String>,
    error: Option<String>,
    completed_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Running,
    Done,
    Failed,
}

impl ClaimItem {
    fn is_held_by(&self, owner: Uuid) -> bool {
        self.state == State::Running && self.owner == owner
    }
}

/// The item lacks an attribute that its state requires.
#[derive(Debug, thiserror::Error)]
#[error("invalid claim: neither running nor finished")]
struct InvalidClaim;

impl TryFrom<ClaimItem> for Record {
    type Error = ServiceError;

    fn try_from(item: ClaimItem) -> Result<Self, ServiceError> {
        let ClaimItem {
            state,
            fence,
            lease_until,
            result,
            error,
            completed_at,
            expires_at,
            owner: _,
        } = item;
        let outcome = match state {
            State::Running => None,
            State::Done => result.map(Outcome::Done),
            State::Failed => error.map(Outcome::Failed),
        };
        match (outcome, lease_until, completed_at, expires_at) {
            (None, Some(lease_until), ..) if state == State::Running => {
                Ok(Self::Running { fence, lease_until })
            }
            (Some(outcome), _, Some(completed_at), Some(expires_at)) => {
                Ok(Self::Finished(Completion { fence, outcome, completed_at, expires_at }))
            }
            _ => Err(ServiceError::permanent(InvalidClaim)),
        }
    }
}

/// The claims of a table.
#[derive(Debug, Clone)]
pub struct Claims {
    client: Client,
    table: String,
}

impl Claims {
    /// Returns the claims of this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads the claim, strongly consistent: one read unit per 4 KB.
    pub async fn read(&self, key: Key) -> Result<Option<Record>, ServiceError> {
        let item: Option<ClaimItem> = get(&self.client, &self.table, key).await?;
        item.map(Record::try_from).transpose()
    }

    /// Claims the key, if it is free: one write unit per kilobyte of the item, also if the claim is
    /// rejected.
    ///
    /// `owner` must be new for each claim: by it a claim whose reply was lost recognizes itself.
    pub async fn claim(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Claim, ServiceError> {
        self.claim_with_attributes(key, owner, lease, now, Item::new()).await
    }

    /// Claims the key like [`Claims::claim`], and adds those of `attributes` that the item does not
    /// have yet: only the first claim of a key sets them.
    pub async fn claim_with_attributes(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
        attributes: Item,
    ) -> Result<Claim, ServiceError> {
        let claim = self
            .update(key)
            .set("state", text("RUNNING"))
            .set("owner", text(owner))
            .set("lease_until", text(now.plus(lease)))
            .increment("fence")
            .condition(CLAIMABLE)
            .value("now", text(now));
        let claim = RESET_ATTRIBUTES.into_iter().fold(claim, Update::remove);
        let claim = attributes
            .into_iter()
            .fold(claim, |claim, (name, value)| claim.set_if_missing(&name, value));
        match send(&self.client, claim).await? {
            Ok(claimed) => Ok(Claim::Acquired(claimed.fence)),
            // An earlier attempt of this call was recorded.
            Err(Some(current)) if current.is_held_by(owner) => Ok(Claim::Acquired(current.fence)),
            Err(Some(current)) => Ok(Claim::Occupied(current.try_into()?)),
            Err(None) => Err(ServiceError::permanent(InvalidClaim)),
        }
    }

    /// Takes over the work of the newest claim. `None`: there is no running claim, or it was taken
    /// over already.
    pub async fn take_over(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Fence>, ServiceError> {
        let takeover = self
            .update(key)
            .set("taken", text(owner))
            .set("owner", text(owner))
            .set("lease_until", text(now.plus(lease)))
            .increment("fence")
            .condition(HANDED_OVER)
            .name("state", "state");
        Ok(match send(&self.client, takeover).await? {
            Ok(taken) => Some(taken.fence),
            // An earlier attempt of this call was recorded.
            Err(Some(current)) if current.is_held_by(owner) => Some(current.fence),
            Err(_) => None,
        })
    }

    /// Extends the lease of the newest holder, even if it has expired. `false`: the claim is
    /// finished, or another owner has it.
    pub async fn renew(
        &self,
        key: Key,
        fence: Fence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let renewal = self.fenced_update(key, fence).set("lease_until", text(now.plus(lease)));
        Ok(send(&self.client, renewal).await?.is_ok())
    }

    /// Records the outcome for `lifetime`. `false`: another owner has the claim, and this outcome
    /// is dropped. If this fence has finished already, the first outcome stays.
    pub async fn finish(
        &self,
        key: Key,
        fence: Fence,
        outcome: &Outcome,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let (state, name, value) = match outcome {
            Outcome::Done(result) => ("DONE", "result", result),
            Outcome::Failed(error) => ("FAILED", "error", error),
        };
        let finish = self
            .fenced_update(key, fence)
            .set("state", text(state))
            .set(name, text(value))
            .set("completed_at", text(now))
            .set("expires_at", text(now.plus(lifetime)))
            .remove("lease_until");
        Ok(match send(&self.client, finish).await? {
            Ok(_) => true,
            // An earlier attempt of this holder was recorded: no other finishes with this fence.
            Err(current) => current
                .is_some_and(|current| current.state != State::Running && current.fence == fence),
        })
    }

    /// Returns a guard of a lease that was acquired by a claim or a takeover.
    #[must_use]
    pub fn guard(&self, key: Key, fence: Fence, lease: Duration, clock: Clock) -> LeaseGuard<'_> {
        LeaseGuard { claims: self, key, fence, lease, clock }
    }

    fn fenced_update(&self, key: Key, fence: Fence) -> Update {
        let fence = i64::try_from(fence.0).unwrap_or(i64::MAX);
        self.update(key)
            .condition(FENCE_IS_NEWEST)
            .name("state", "state")
            .value("fence", number(fence))
    }

    fn update(&self, key: Key) -> Update {
        Update::new(&self.table, key).value("running", text("RUNNING"))
    }
}

/// Sends an update and returns the claim after it. If its condition fails, the inner error is the
/// current claim, if there is one.
async fn send(
    client: &Client,
    update: Update,
) -> Result<Result<ClaimItem, Option<ClaimItem>>, ServiceError> {
    Ok(match update.send(client).await? {
        Ok(claim) => Ok(from_item(claim)?),
        Err(current) => Err(current.map(from_item).transpose()?),
    })
}
