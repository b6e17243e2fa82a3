//! The slot of a job, which only its live run holds: for jobs whose runs must not overlap.
//!
//! Each job has one small item that names the live run and the end of its lease. A run holds the
//! slot from its first attempt to its last, including the pauses between them; its next delivery
//! finds the slot held by its own run. With `queue_one`, the item also names the one run that
//! waits: it polls every [`POLL_INTERVAL`], and no other run acquires the slot before it.
//!
//! Leases expire, so the slot of a run whose worker died is free again after [`LEASE`], or later by
//! the pause that followed a failed attempt.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use uuid::Uuid;

use super::{id::ScheduledJobId, occurrence::Occurrence};
use crate::{
    aws::ServiceError,
    dynamo::{Update, from_item, keys, number, text},
    time::Timestamp,
};

/// How long a run holds the slot without renewal: longer than the visibility timeout of the queue,
/// after which the message of a dead worker is delivered again.
pub const LEASE: Duration = Duration::from_mins(4);

/// How often a waiting run tries to acquire the slot.
pub const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How long a waiting run keeps its place without polling.
const WAIT_LEASE: Duration = Duration::from_mins(1);

/// How long the item is kept after its last use.
const ITEM_LIFETIME: Duration = Duration::from_hours(24 * 7);

/// This run holds the slot.
const HELD_BY_RUN: &str = "#run = :run";

/// No run holds the slot.
const FREE: &str = "(attribute_not_exists(run) OR lease_until <= :now)";

/// No other run waits.
const NO_OTHER_WAITS: &str =
    "(attribute_not_exists(waiting) OR waiting = :run OR waits_until <= :now)";

/// The slots of all jobs.
#[derive(Debug)]
pub struct OverlapGuard {
    client: Client,
    table: String,
}

/// What a run gets when it requests the slot of its job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It holds the slot.
    Acquired,
    /// It waits for the slot.
    Waiting,
    /// Another run holds the slot, or waits for it.
    Occupied,
}

#[derive(Deserialize)]
struct SlotRecord {
    run: Option<Uuid>,
    lease_until: Option<Timestamp>,
    waiting: Option<Uuid>,
}

impl OverlapGuard {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Acquires the slot for `lease`, if it is free and no other run waits for it; extends the
    /// lease if this run holds it already. One write unit.
    pub async fn acquire(
        &self,
        run: &Occurrence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Slot, ServiceError> {
        let acquire = self
            .expiring(run, now)
            .set("run", text(run.run))
            .set("lease_until", text(now.plus(lease)))
            .value("now", text(now))
            .condition(format!("{HELD_BY_RUN} OR ({FREE} AND {NO_OTHER_WAITS})"));
        let Ok(item) = acquire.send(&self.client).await? else { return Ok(Slot::Occupied) };
        if from_item::<SlotRecord>(item)?.waiting == Some(run.run) {
            self.stop_waiting(run).await?;
        }
        Ok(Slot::Acquired)
    }

    /// Acquires the slot, or else lets this run wait for it, if no other run waits: one more write
    /// unit.
    pub async fn acquire_or_wait(
        &self,
        run: &Occurrence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Slot, ServiceError> {
        if self.acquire(run, lease, now).await? == Slot::Acquired {
            return Ok(Slot::Acquired);
        }
        let wait = self
            .expiring(run, now)
            .set("waiting", text(run.run))
            .set("waits_until", text(now.plus(WAIT_LEASE)))
            .value("run", text(run.run))
            .value("now", text(now))
            .condition(NO_OTHER_WAITS);
        Ok(match wait.send(&self.client).await? {
            Ok(_) => Slot::Waiting,
            // The slot is free and another run waits: that one acquires it in a moment, and then
            // this one may wait.
            Err(Some(slot)) if from_item::<SlotRecord>(slot.clone())?.is_free(now) => Slot::Waiting,
            Err(_) => Slot::Occupied,
        })
    }

    async fn stop_waiting(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let update = self
            .item(run.job)
            .remove("waiting")
            .remove("waits_until")
            .condition("#waiting = :run")
            .value("run", text(run.run));
        update.send(&self.client).await.map(drop)
    }

    /// Releases the slot, if this run holds it: one write unit.
    pub async fn release(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let release = self
            .item(run.job)
            .remove("run")
            .remove("lease_until")
            .condition(HELD_BY_RUN)
            .value("run", text(run.run));
        release.send(&self.client).await.map(drop)
    }

    fn expiring(&self, run: &Occurrence, now: Timestamp) -> Update {
        self.item(run.job).set("ttl", number(now.plus(ITEM_LIFETIME).as_seconds()))
    }

    fn item(&self, job: ScheduledJobId) -> Update {
        Update::new(&self.table, keys::live_run(&job.to_string()))
    }
}

impl SlotRecord {
    fn is_free(&self, now: Timestamp) -> bool {
        self.run.is_none() || self.lease_until.is_none_or(|until| until <= now)
    }
}
