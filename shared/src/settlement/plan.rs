//! Planning a job: the ledger of its days is counted and cut into batches.
//!
//! A plan has a name that no other has, and its batches are keyed by it. It counts from the moment that the job names it, which happens
//! once; before that, nobody looks at its batches, and the batches of a plan that came too late expire.

use futures_util::{StreamExt, TryStreamExt, stream};
use tracing::info;
use uuid::Uuid;

use super::{
    Settlement,
    batches::{PendingBatch, PlanRef},
    entries::Shard,
    job::{Job, Planned, State},
    lease::Lease,
    message::{BatchId, Message},
    store::{TransitionOutcome, Work},
    transition::Transition,
    work::{WorkError, WorkOutcome},
};
use crate::{
    dynamo::keys::LEDGER_SHARDS,
    sqs::Delivery,
    time::{Clock, Timestamp},
};

/// Shards that are counted at the same time. Each is a partition of the ledger, which gives 3 000 read units a second.
const SHARDS_AT_ONCE: usize = 16;

impl Settlement {
    /// Does what a message of the queue of plans says.
    pub async fn plan(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Plan { not_before, .. } = message else { return Err(WorkError::Misplaced) };
        if now < not_before {
            self.plans().postpone(delivery, not_before.since(now)).await?;
            return Err(WorkError::TooEarly(not_before));
        }
        let ended = self.try_to_plan(&message, Clock::starting(now)).await;
        self.conclude(ended, &message, (self.plans(), delivery), now).await
    }

    async fn try_to_plan(&self, message: &Message, clock: Clock) -> Result<(), WorkOutcome> {
        let (id, run) = message.about();
        let plan = PlanRef { job: id, id: Uuid::now_v7() };
        let Some((job, hold)) =
            Lease::take(&self.store, id, Work::Plan { run }, plan.id, clock).await?
        else {
            return Err(WorkOutcome::Unwanted);
        };
        let ended = self.write_plan(&job, plan, &hold, clock).await;
        hold.end(ended).await
    }

    async fn write_plan(
        &self,
        job: &Job,
        plan: PlanRef,
        hold: &Lease<'_>,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let (id, run) = (job.id, job.run);
        let (total, batches) = self.count(job, plan, hold, clock).await?;
        let planned = Planned { total, batches, at: clock.now() };
        let transition = Transition::Run { run, plan: plan.id, planned };
        match self.store.transition(id, &transition, clock.now()).await? {
            TransitionOutcome::Applied(_) => {
                info!(job.id = %id, total, batches, "Planned settlement");
            }
            // It was we: the reply was lost.
            TransitionOutcome::Rejected(job)
                if job.plan == Some(plan.id) && job.state == State::Running => {}
            TransitionOutcome::Rejected(_) | TransitionOutcome::NotFound => {
                return Err(WorkOutcome::Unwanted);
            }
        }
        if batches == 0 {
            return Ok(self.finish_if_last(plan, run, clock.now()).await?);
        }
        Ok(self.dispatch(plan, run).await?)
    }

    /// Writes the batches; answers how many transactions they hold, and how many they are.
    async fn count(
        &self,
        job: &Job,
        plan: PlanRef,
        hold: &Lease<'_>,
        clock: Clock,
    ) -> Result<(u64, u64), WorkOutcome> {
        let cutoff = job.cutoff;
        let shards = job
            .days
            .each()
            .flat_map(|day| (0..LEDGER_SHARDS).map(move |number| Shard { day, number, cutoff }));
        let counts = stream::iter(shards).map(|shard| self.count_shard(shard, plan, hold, clock));
        counts
            .buffer_unordered(SHARDS_AT_ONCE)
            .try_fold((0, 0), async |sum, count| Ok((sum.0 + count.0, sum.1 + count.1)))
            .await
    }

    async fn count_shard(
        &self,
        shard: Shard,
        plan: PlanRef,
        hold: &Lease<'_>,
        clock: Clock,
    ) -> Result<(u64, u64), WorkOutcome> {
        let (mut total, mut batches) = (0, 0);
        let mut begin = None;
        loop {
            let (count, through) = self.count_batch(shard, begin.as_deref(), hold).await?;
            if count > 0 {
                let batch = BatchId { day: shard.day, shard: shard.number, number: batches };
                let todo = PendingBatch { after: begin, through: through.clone(), count };
                self.store.put_todo(plan, batch, &todo, clock.now()).await?;
                total += count;
                batches += 1;
            }
            if through.is_none() {
                return Ok((total, batches.into()));
            }
            begin = through;
        }
    }

    /// Counts as many entries as a batch may have, page by page of the store; answers how many are settled, and where they end.
    async fn count_batch(
        &self,
        shard: Shard,
        begin: Option<&str>,
        hold: &Lease<'_>,
    ) -> Result<(u64, Option<String>), WorkOutcome> {
        let mut room = u64::from(self.settings.batch_size);
        let mut count = 0;
        let mut last = begin.map(str::to_owned);
        while room > 0 {
            hold.go_on().await?;
            let page = self.ledger.count(shard, last.as_deref(), room).await?;
            count += page.in_time;
            room = room.saturating_sub(page.looked_at);
            last = page.last;
            if last.is_none() {
                break;
            }
        }
        Ok((count, last))
    }
}
