//! Planning a settlement: counts the ledger of its days and divides it into batches.
//!
//! A plan's id is unique and part of the keys of its batches. The plan takes effect when the
//! settlement records that id, which happens once. The batches of any other plan are never used and
//! expire.

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;
use uuid::Uuid;

use super::{
    Settlement,
    batch_store::PendingBatch,
    job::{Job, PlanRef, PlanSummary},
    lease::{Lease, LeasedWork},
    ledger_reader::Shard,
    message::{BatchId, Message},
    transition::{Transition, TransitionOutcome},
    work::{WorkError, WorkOutcome},
};
use crate::{
    dynamo::keys::LEDGER_SHARDS,
    sqs::Delivery,
    time::{Clock, Timestamp},
};

/// Number of shards that are counted concurrently. Each is a partition of the ledger, which
/// delivers 3 000 read units per second.
const CONCURRENT_SHARDS: usize = 16;

impl Settlement {
    /// Processes a message of the plan queue.
    pub async fn plan(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Plan { not_before, .. } = message else { return Err(WorkError::WrongQueue) };
        if now < not_before {
            self.plan_queue().postpone(delivery, not_before.since(now)).await?;
            return Err(WorkError::TooEarly(not_before));
        }
        let result = self.try_to_plan(&message, Clock::starting(now)).await;
        self.conclude(result, &message, (self.plan_queue(), delivery), now).await
    }

    async fn try_to_plan(&self, message: &Message, clock: Clock) -> Result<(), WorkOutcome> {
        let (id, run) = message.job_and_run();
        let plan = PlanRef { job: id, id: Uuid::now_v7() };
        let (job, lease) =
            Lease::acquire(&self.store, id, LeasedWork::Plan { run }, plan.id, clock)
                .await?
                .ok_or(WorkOutcome::Skipped)?;
        let result = self.write_plan(&job, plan, &lease, clock).await;
        lease.end(result).await
    }

    async fn write_plan(
        &self,
        job: &Job,
        plan: PlanRef,
        lease: &Lease<'_>,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let (id, run) = (job.id, job.run);
        let (total, batches) = self.count(job, plan, lease, clock).await?;
        let planned = PlanSummary { total, batches, at: clock.now() };
        let transition = Transition::Run { run, plan: plan.id, planned };
        match self.store.transition(id, &transition, clock.now()).await? {
            TransitionOutcome::Applied(_) => {
                info!(job.id = %id, total, batches, "Settlement planned");
            }
            // The transition was ours: its reply was lost.
            TransitionOutcome::Rejected(job) if job.is_running(plan) => {}
            TransitionOutcome::Rejected(_) | TransitionOutcome::NotFound => {
                return Err(WorkOutcome::Skipped);
            }
        }
        if batches == 0 {
            return Ok(self.finish_if_none_pending(plan, run, clock.now()).await?);
        }
        Ok(self.send_pending_batches(plan, run).await?)
    }

    /// Writes the batches, and returns the number of their transactions and of the batches.
    async fn count(
        &self,
        job: &Job,
        plan: PlanRef,
        lease: &Lease<'_>,
        clock: Clock,
    ) -> Result<(u64, u64), WorkOutcome> {
        let cutoff = job.cutoff;
        let shards = job
            .days
            .each()
            .flat_map(|day| (0..LEDGER_SHARDS).map(move |number| Shard { day, number, cutoff }));
        let counts = stream::iter(shards).map(|shard| self.count_shard(shard, plan, lease, clock));
        counts
            .buffer_unordered(CONCURRENT_SHARDS)
            .try_fold((0, 0), async |sum, count| Ok((sum.0 + count.0, sum.1 + count.1)))
            .await
    }

    async fn count_shard(
        &self,
        shard: Shard,
        plan: PlanRef,
        lease: &Lease<'_>,
        clock: Clock,
    ) -> Result<(u64, u64), WorkOutcome> {
        let (mut total, mut batches) = (0, 0);
        let mut after = None;
        loop {
            let (count, through) = self.count_batch(shard, after.as_deref(), lease).await?;
            if count > 0 {
                let batch = BatchId { day: shard.day, shard: shard.number, number: batches };
                let pending = PendingBatch { after, through: through.clone(), count };
                self.store.put_pending(plan, batch, &pending, clock.now()).await?;
                total += count;
                batches += 1;
            }
            if through.is_none() {
                return Ok((total, batches.into()));
            }
            after = through;
        }
    }

    /// Counts the entries of one batch, page by page. Returns the number of those up to the cutoff,
    /// and the sort key of the last entry if the shard has more.
    async fn count_batch(
        &self,
        shard: Shard,
        after: Option<&str>,
        lease: &Lease<'_>,
    ) -> Result<(u64, Option<String>), WorkOutcome> {
        let mut remaining = u64::from(self.settings.batch_size);
        let mut count = 0;
        let mut last = after.map(str::to_owned);
        while remaining > 0 {
            lease.renew_if_due().await?;
            let page = self.ledger.count(shard, last.as_deref(), remaining).await?;
            count += page.matched;
            remaining = remaining.saturating_sub(page.scanned);
            last = page.last;
            if last.is_none() {
                break;
            }
        }
        Ok((count, last))
    }
}
