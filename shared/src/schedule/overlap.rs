//! Which run of a job is live, for those jobs whose runs must not overlap.
//!
//! One small item a job: the run that is live, and until when it is taken to be. A run holds it from its first attempt to its last, over
//! all pauses between them; its next delivery finds it held by itself. Where one run may wait (`queue_one`), the item names that one too: it
//! comes again every [`POLL`], and no other takes the turn meanwhile.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use serde::Deserialize;
use uuid::Uuid;

use super::{ScheduledJobId, run::Occurrence};
use crate::{
    aws::ServiceError,
    dynamo::{Update, keys, number, read, text},
    time::Timestamp,
};

/// How long a run is taken to be live without a sign: longer than the queue hides the message of a worker that died.
pub const LEASE: Duration = Duration::from_mins(4);

/// How often a run that waits looks whether it is its turn.
pub const POLL: Duration = Duration::from_secs(5);

/// How long a run that waits is taken to be there without a sign.
const WAITS: Duration = Duration::from_mins(1);

/// How long the item is kept after its last use.
const KEPT: Duration = Duration::from_hours(24 * 7);

/// This run is live already.
const MINE: &str = "#run = :run";

/// No run is live.
const FREE: &str = "(attribute_not_exists(run) OR lease_until <= :now)";

/// No run waits, or it is this one.
const NEXT: &str = "(attribute_not_exists(waiting) OR waiting = :run OR waits_until <= :now)";

/// The live runs of all jobs.
#[derive(Debug)]
pub struct OverlapGuard {
    client: Client,
    table: String,
}

/// What a run finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// It is live now.
    Mine,
    /// It is the one that waits.
    Waits,
    /// Another is live, or waits.
    Taken,
}

#[derive(Deserialize)]
struct Stored {
    run: Option<Uuid>,
    lease_until: Option<Timestamp>,
    waiting: Option<Uuid>,
}

impl OverlapGuard {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Makes this run the live one for so long, if no other is, and none waits for it: one write unit. Holds it longer if it is.
    pub async fn hold(
        &self,
        run: &Occurrence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Slot, ServiceError> {
        let hold = self
            .expiring(run, now)
            .set("run", text(run.run))
            .set("lease_until", text(now.plus(lease)))
            .value("now", text(now))
            .condition(format!("{MINE} OR ({FREE} AND {NEXT})"));
        let Ok(item) = hold.send(&self.client).await? else { return Ok(Slot::Taken) };
        if read::<Stored>(item)?.waiting == Some(run.run) {
            self.wait_no_more(run).await?;
        }
        Ok(Slot::Mine)
    }

    /// The same, or else makes this run the one that waits, if no other does: one write unit more.
    pub async fn queue(
        &self,
        run: &Occurrence,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Slot, ServiceError> {
        if self.hold(run, lease, now).await? == Slot::Mine {
            return Ok(Slot::Mine);
        }
        let wait = self
            .expiring(run, now)
            .set("waiting", text(run.run))
            .set("waits_until", text(now.plus(WAITS)))
            .value("run", text(run.run))
            .value("now", text(now))
            .condition(NEXT);
        Ok(match wait.send(&self.client).await? {
            Ok(_) => Slot::Waits,
            // Nobody is live, and another is next: that one takes its turn within a moment, and then this one may wait.
            Err(Some(stands)) if read::<Stored>(stands.clone())?.is_free(now) => Slot::Waits,
            Err(_) => Slot::Taken,
        })
    }

    async fn wait_no_more(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let update = self
            .item(run.job)
            .remove("waiting")
            .remove("waits_until")
            .condition("#waiting = :run")
            .value("run", text(run.run));
        update.send(&self.client).await.map(drop)
    }

    /// The run is not live any more: one write unit.
    pub async fn release(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let release = self
            .item(run.job)
            .remove("run")
            .remove("lease_until")
            .condition(MINE)
            .value("run", text(run.run));
        release.send(&self.client).await.map(drop)
    }

    fn expiring(&self, run: &Occurrence, now: Timestamp) -> Update {
        self.item(run.job).set("ttl", number(now.plus(KEPT).as_seconds()))
    }

    fn item(&self, job: ScheduledJobId) -> Update {
        Update::new(&self.table, keys::live_run(&job.to_string()))
    }
}

impl Stored {
    fn is_free(&self, now: Timestamp) -> bool {
        self.run.is_none() || self.lease_until.is_none_or(|until| until <= now)
    }
}
