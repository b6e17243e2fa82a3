//! Summing a batch: its part of the ledger is read, summed by merchant, and recorded once.

use futures_util::future::try_join;
use tracing::info;

use super::{
    Settlement,
    batches::{PendingBatch, PlanRef},
    csv_report,
    entries::Shard,
    files::part_key,
    job::{Job, State},
    job_failure::JobFailure,
    message::{BatchId, Message},
    totals::{Row, Summing, sum},
    work::{WorkError, WorkOutcome},
};
use crate::{
    dynamo::Commit,
    ledger::read_payment,
    sqs::Delivery,
    time::{Clock, Timestamp},
};

impl Settlement {
    /// Does what a message of the queue of batches says. A batch that is done, or whose job is not running any more, is left alone.
    pub async fn batch(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Batch { job, run, plan, batch } = message else {
            return Err(WorkError::Misplaced);
        };
        let ended =
            self.try_to_sum(PlanRef { job, id: plan }, run, batch, Clock::starting(now)).await;
        self.conclude(ended, &message, (self.batches(), delivery), now).await
    }

    async fn try_to_sum(
        &self,
        plan: PlanRef,
        run: u32,
        batch: BatchId,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let (job, todo) = try_join(self.store.job(plan.job), self.store.todo(plan, batch)).await?;
        let job = job.filter(|job| job.is_running(plan)).ok_or(WorkOutcome::Unwanted)?;
        if let Some(todo) = todo {
            let rows = self.sum_batch(&job, plan, batch, &todo).await?;
            let totals = sum(&rows).map_err(JobFailure::from)?;
            self.files().put(&part_key(plan, batch), csv_report::part(&rows)).await?;
            match self.store.done(plan, batch, totals, clock.now()).await? {
                // Before: by another delivery of the same message.
                Commit::Done | Commit::AlreadyRecorded(_) => {}
                Commit::Conflict | Commit::ConditionFailed => {
                    return Err(WorkError::Contended.into());
                }
            }
            info!(job.id = %plan.job, %batch, transactions = totals.count, "Progress batch");
        }
        // Also by who finds it done: whoever did it may have died before this.
        Ok(self.finish_if_last(plan, run, clock.now()).await?)
    }

    /// The sums of a batch: as many transactions as the plan has counted, or none.
    ///
    /// The plan reads consistently; this reads at half the price, and again, consistently, only if it did not find all of them.
    async fn sum_batch(
        &self,
        job: &Job,
        plan: PlanRef,
        batch: BatchId,
        todo: &PendingBatch,
    ) -> Result<Vec<Row>, WorkOutcome> {
        let mut found = 0;
        for consistent in [false, true] {
            let rows = self.sum_entries(job, plan, batch, todo, consistent).await?;
            found = sum(&rows).map_err(JobFailure::from)?.count;
            if found == todo.count {
                return Ok(rows);
            }
        }
        Err(JobFailure::LedgerChanged { batch, planned: todo.count, found }.into())
    }

    async fn sum_entries(
        &self,
        job: &Job,
        plan: PlanRef,
        batch: BatchId,
        todo: &PendingBatch,
        consistent: bool,
    ) -> Result<Vec<Row>, WorkOutcome> {
        let shard = Shard { day: batch.day, number: batch.shard, cutoff: job.cutoff };
        let mut summing = Summing::default();
        let mut after = todo.after.clone();
        loop {
            let (page, last) = self
                .ledger
                .read(shard, after.as_deref(), todo.through.as_deref(), consistent)
                .await?;
            for entry in &page {
                let paid = read_payment(entry).map_err(JobFailure::from)?;
                summing.add(paid.merchant_id, paid.into()).map_err(JobFailure::from)?;
            }
            if last.is_none() {
                return Ok(summing.into_rows());
            }
            after = last;
            self.still_running(plan).await?;
        }
    }

    /// Asked before each page: a cancelled job is read no further.
    async fn still_running(&self, plan: PlanRef) -> Result<(), WorkOutcome> {
        let job = self.store.job(plan.job).await?;
        job.filter(|job| job.is_running(plan)).map(drop).ok_or(WorkOutcome::Unwanted)
    }
}

impl Job {
    /// It sums the batches of this plan.
    pub(super) fn is_running(&self, plan: PlanRef) -> bool {
        self.state == State::Running && self.plan == Some(plan.id)
    }
}
