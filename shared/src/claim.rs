//! Work that must have one live owner: claimed, renewed, handed over, finished, and found finished by all others.
//!
//! A claim is one item under a key of the caller's choice. Whoever wants the work done [claims](Claims::claim) the key. One wins and does it;
//! the others are told who holds it, or what came of it. The result stays in the item until it expires, counted from its completion, and
//! who comes then claims anew.
//!
//! | attribute | what |
//! |---|---|
//! | `state` | `RUNNING`, `DONE` or `FAILED` |
//! | `owner` | whoever claimed or took it last: a name of its own, so that a claim whose reply was lost is known again |
//! | `fence` | a number that grows with every claim and every hand-over, and never falls |
//! | `lease_until` | until when a running owner is taken to be alive |
//! | `taken` | whoever claimed it has handed it over |
//! | `result` or `error` | what came of it |
//! | `completed_at`, `expires_at` | when, and until when that holds: every reader compares it itself |
//!
//! Items are never deleted, so that no fence comes twice.
//!
//! # The protocol
//!
//! 1. **Claim**: `RUNNING`, a new owner and lease, `fence + 1`; if the item is new, or finished and expired, or running with a lapsed lease.
//!    Who loses gets the item as it stands, in the same call.
//! 2. **Take**: who claims may leave the work to another process, say by a message. That one takes it over: a new owner, `fence + 1`; if it is
//!    running and nobody has taken it yet. So of a message that is delivered twice, one delivery takes the work, and one that comes late
//!    takes what a later claim has asked for, or nothing.
//! 3. **Renew**: a later lease; if it is still running with my fence.
//! 4. **Finish**: `DONE` or `FAILED`; if it is still running with my fence.
//!
//! # What it promises
//!
//! * **At most one live holder**: at any time one fence is the newest, and only its holder can renew or finish.
//! * **Exactly one recorded result** for each fence, and for each key and lifetime of a result: a holder whose lease lapsed, and whose work another took
//!   up, cannot overwrite what that one does.
//! * **No key is stuck**: a holder that died loses it when its lease lapses.
//! * Work in flight is never evicted: only what is finished expires.
//!
//! # What it does not promise
//!
//! That the work is *begun* once. Strictly once cannot be had together with recovery: a holder that is slow beyond its lease, or whose clock
//! differs from the others' by more than what is left of it, works on beside its successor until it learns at [`Claims::renew`] or [`Claims::finish`] that it has
//! lost. Its result is dropped; what it did elsewhere it did, so side effects need an idempotency of their own. Wrong clocks cost work done twice, never
//! a wrong result: no promise rests on them but the lease.
//!
//! # Others
//!
//! *AWS Powertools* (idempotency) saves a finished call's result without a condition: a call that outlived its own expiry overwrites the result of
//! the one that replaced it. Here it is refused. *The `DynamoDB` lock client* gives a lock without a result, finds a dead holder by watching
//! its record number for a whole lease, which needs no common clock, and leaves fencing to its user. Here a clock decides who may try, and the
//! fence who may finish.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tracing::warn;
use uuid::Uuid;

use crate::{
    aws::ServiceError,
    dynamo::{Item, Update, get, keys::Key, number, read, text},
    time::{Clock, Timestamp},
};

/// Nobody holds it: it is new, its result has expired, or its holder let the lease lapse.
const CLAIMABLE: &str = "attribute_not_exists(pk) OR (#state <> :running AND expires_at <= :now) \
                         OR (#state = :running AND lease_until <= :now)";

/// It was claimed, and whoever did leaves it to others.
const HANDED_OVER: &str = "#state = :running AND attribute_not_exists(taken)";

/// It is still running, and I am the last who claimed or took it.
const MINE: &str = "#state = :running AND fence = :fence";

/// Attributes that a new claim removes.
const OF_ONE_CLAIM: [&str; 5] = ["taken", "result", "error", "completed_at", "expires_at"];

/// Which claim of a key: a later one has a larger number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(u64);

impl Fence {
    /// How often the key was claimed or taken, this time included.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The work is ours to do.
    Acquired(Fence),
    /// Another holds it, or it is done.
    Occupied(Record),
}

/// A claim as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Somebody is at work, and is taken to be alive until this moment.
    Running {
        /// Which claim.
        fence: Fence,
        /// Its end, if it is not renewed.
        lease_until: Timestamp,
    },
    /// It is finished.
    Finished(Finished),
}

/// A finished claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// Which claim.
    pub fence: Fence,
    /// What came of it.
    pub outcome: Outcome,
    /// When.
    pub completed_at: Timestamp,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// What came of some work, in a form of the worker's choice. At most 350 KB: an item has 400.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A result.
    Done(String),
    /// An error. Kept for a short time, so that what is broken is not asked for by everybody at once.
    Failed(String),
}

impl Record {
    /// What came of it, if that holds at this moment.
    #[must_use]
    pub fn fresh(&self, now: Timestamp) -> Option<&Finished> {
        match self {
            Self::Finished(finished) if now < finished.expires_at => Some(finished),
            _ => None,
        }
    }

    /// Somebody holds it who is taken to be alive.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        matches!(self, Self::Running { lease_until, .. } if now < *lease_until)
    }

    /// One or the other: who claims it now is refused.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.is_held(now) || self.fresh(now).is_some()
    }
}

/// Work that is ours, as long as we renew it.
#[derive(Debug)]
pub struct LeaseGuard<'a> {
    claims: &'a Claims,
    key: Key,
    fence: Fence,
    lease: Duration,
    clock: Clock,
}

/// Another has taken the work up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another has taken the work up")]
pub struct LeaseLost;

impl LeaseGuard<'_> {
    /// Which claim it is.
    #[must_use]
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Does the work and renews the lease meanwhile, three times as often as it must. Ends early when another has it.
    pub async fn run_while_held<T>(&self, work: impl Future<Output = T>) -> Result<T, LeaseLost> {
        let renewing = async {
            loop {
                sleep(self.lease / 3).await;
                // A renewal that fails may succeed the next time; only an answer of no is one.
                match self
                    .claims
                    .renew(self.key.clone(), self.fence, self.lease, self.clock.now())
                    .await
                {
                    Ok(false) => return LeaseLost,
                    Ok(true) => {}
                    Err(cause) => warn!(%cause, "A lease could not be renewed"),
                }
            }
        };
        tokio::select! {
            done = work => Ok(done),
            lost = renewing => Err(lost),
        }
    }

    /// Records what came of it, for so long.
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

/// As the table has it.
#[derive(Debug, Deserialize)]
struct Stored {
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

impl Stored {
    fn is_held_by(&self, owner: Uuid) -> bool {
        self.state == State::Running && self.owner == owner
    }
}

/// A claim that lacks what its state must have.
#[derive(Debug, thiserror::Error)]
#[error("a claim that is neither running nor finished")]
struct InvalidClaim;

impl TryFrom<Stored> for Record {
    type Error = ServiceError;

    fn try_from(stored: Stored) -> Result<Self, ServiceError> {
        let Stored { state, fence, lease_until, result, error, completed_at, expires_at, owner: _ } =
            stored;
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
                Ok(Self::Finished(Finished { fence, outcome, completed_at, expires_at }))
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
    /// Those in this table.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The claim as it stands, consistently: one read unit for 4 KB.
    pub async fn read(&self, key: Key) -> Result<Option<Record>, ServiceError> {
        let stored: Option<Stored> = get(&self.client, &self.table, key).await?;
        stored.map(Record::try_from).transpose()
    }

    /// Claims the work, if nobody holds it: one write unit for a kilobyte, and the same if somebody does.
    ///
    /// `owner` is new for each claim. It is how a claim knows itself whose reply was lost.
    pub async fn claim(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Claim, ServiceError> {
        self.claim_noting(key, owner, lease, now, Item::new()).await
    }

    /// The same, and notes these attributes in the item, if it is the first claim of the key.
    pub async fn claim_noting(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
        notes: Item,
    ) -> Result<Claim, ServiceError> {
        let claim = self
            .running(key)
            .set("state", text("RUNNING"))
            .set("owner", text(owner))
            .set("lease_until", text(now.plus(lease)))
            .increment("fence")
            .condition(CLAIMABLE)
            .value("now", text(now));
        let claim = OF_ONE_CLAIM.into_iter().fold(claim, Update::remove);
        let claim = notes
            .into_iter()
            .fold(claim, |claim, (name, value)| claim.set_if_missing(&name, value));
        match changed(&self.client, claim).await? {
            Ok(won) => Ok(Claim::Acquired(won.fence)),
            // It was we: an earlier try was recorded.
            Err(Some(stands)) if stands.is_held_by(owner) => Ok(Claim::Acquired(stands.fence)),
            Err(Some(stands)) => Ok(Claim::Occupied(stands.try_into()?)),
            Err(None) => Err(ServiceError::permanent(InvalidClaim)),
        }
    }

    /// Takes over the work that was claimed last. `None`: it is done, or another has taken it.
    pub async fn take(
        &self,
        key: Key,
        owner: Uuid,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Option<Fence>, ServiceError> {
        let take = self
            .running(key)
            .set("taken", text(owner))
            .set("owner", text(owner))
            .set("lease_until", text(now.plus(lease)))
            .increment("fence")
            .condition(HANDED_OVER)
            .name("state", "state");
        Ok(match changed(&self.client, take).await? {
            Ok(taken) => Some(taken.fence),
            Err(Some(stands)) if stands.is_held_by(owner) => Some(stands.fence),
            Err(_) => None,
        })
    }

    /// Shows that its holder is alive. `false`: another has it.
    pub async fn renew(
        &self,
        key: Key,
        fence: Fence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let renew = self.mine(key, fence).set("lease_until", text(now.plus(lease)));
        Ok(changed(&self.client, renew).await?.is_ok())
    }

    /// Records what came of the work, for so long. `false`: another has it, and this result is dropped.
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
            .mine(key, fence)
            .set("state", text(state))
            .set(name, text(value))
            .set("completed_at", text(now))
            .set("expires_at", text(now.plus(lifetime)))
            .remove("lease_until");
        Ok(match changed(&self.client, finish).await? {
            Ok(_) => true,
            // It was we: nobody else finishes with this fence.
            Err(stands) => {
                stands.is_some_and(|stands| stands.state != State::Running && stands.fence == fence)
            }
        })
    }

    /// Work that was won or taken.
    #[must_use]
    pub fn hold(&self, key: Key, fence: Fence, lease: Duration, clock: Clock) -> LeaseGuard<'_> {
        LeaseGuard { claims: self, key, fence, lease, clock }
    }

    fn mine(&self, key: Key, fence: Fence) -> Update {
        let fence = i64::try_from(fence.0).unwrap_or(i64::MAX);
        self.running(key).condition(MINE).name("state", "state").value("fence", number(fence))
    }

    fn running(&self, key: Key) -> Update {
        Update::new(&self.table, key).value("running", text("RUNNING"))
    }
}

/// The claim after an update; if its condition did not hold, as it is instead.
async fn changed(
    client: &Client,
    update: Update,
) -> Result<Result<Stored, Option<Stored>>, ServiceError> {
    Ok(match update.send(client).await? {
        Ok(claim) => Ok(read(claim)?),
        Err(other) => Err(other.map(read).transpose()?),
    })
}
