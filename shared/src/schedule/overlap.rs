//! Which run of a job is live, for those jobs whose runs must not overlap.
//!
//! One small item a job: the run that is live, and until when it is taken to be. A run holds it from its first attempt to its last, over
//! all pauses between them; its next delivery finds it held by itself. Where one run may wait (`queue_one`), the item names that one too: it
//! comes again every [`POLL`], and no other takes the turn meanwhile.

use std::time::Duration;

use aws_sdk_dynamodb::{Client, operation::update_item::builders::UpdateItemFluentBuilder};
use serde::Deserialize;
use uuid::Uuid;

use super::{ScheduledJobId, run::Occurrence};
use crate::{
    aws::ServiceError,
    dynamo::{keys, number, read, text, update_if},
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
const MINE: &str = "run = :run";

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
            .update(run, now)
            .update_expression("SET run = :run, lease_until = :until, #ttl = :ttl")
            .condition_expression(format!("{MINE} OR ({FREE} AND {NEXT})"))
            .expression_attribute_values(":until", text(now.plus(lease)));
        let Ok(item) = update_if(hold).await? else { return Ok(Slot::Taken) };
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
            .update(run, now)
            .update_expression("SET waiting = :run, waits_until = :until, #ttl = :ttl")
            .condition_expression(NEXT)
            .expression_attribute_values(":until", text(now.plus(WAITS)));
        Ok(match update_if(wait).await? {
            Ok(_) => Slot::Waits,
            // Nobody is live, and another is next: that one takes its turn within a moment, and then this one may wait.
            Err(Some(stands)) if read::<Stored>(stands.clone())?.is_free(now) => Slot::Waits,
            Err(_) => Slot::Taken,
        })
    }

    async fn wait_no_more(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let update = self
            .item(run.job)
            .update_expression("REMOVE waiting, waits_until")
            .condition_expression("waiting = :run")
            .expression_attribute_values(":run", text(run.run));
        update_if(update).await.map(drop)
    }

    /// The run is not live any more: one write unit.
    pub async fn release(&self, run: &Occurrence) -> Result<(), ServiceError> {
        let release = self
            .item(run.job)
            .update_expression("REMOVE run, lease_until")
            .condition_expression(MINE)
            .expression_attribute_values(":run", text(run.run));
        update_if(release).await.map(drop)
    }

    fn update(&self, run: &Occurrence, now: Timestamp) -> UpdateItemFluentBuilder {
        self.item(run.job)
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":run", text(run.run))
            .expression_attribute_values(":now", text(now))
            .expression_attribute_values(":ttl", number(now.plus(KEPT).as_seconds()))
    }

    fn item(&self, job: ScheduledJobId) -> UpdateItemFluentBuilder {
        let key = keys::live_run(&job.to_string()).attributes();
        self.client.update_item().table_name(&self.table).set_key(Some(key))
    }
}

impl Stored {
    fn is_free(&self, now: Timestamp) -> bool {
        self.run.is_none() || self.lease_until.is_none_or(|until| until <= now)
    }
}
