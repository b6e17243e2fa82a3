//! Summing a batch: its part of the ledger is read, summed by merchant, and recorded once.

use futures_util::future::try_join;
use tracing::info;

use super::{
    Settlement,
    batches::{Plan, Todo},
    defect::Defect,
    entries::Shard,
    files::part_key,
    job::{Job, State},
    message::{BatchId, Message},
    sheet,
    totals::{Row, Summing, sum},
    work::{Ended, WorkError},
};
use crate::{
    dynamo::Commit,
    ledger::paid,
    sqs::Delivery,
    time::{Clock, Timestamp},
};

impl Settlement {
    /// Does what a message of the queue of batches says. A batch that is done, or whose job is not running any more, is left alone.
    pub async fn batch(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Batch { job, run, plan, batch } = message else { return Err(WorkError::Misplaced) };
        let ended = self.try_to_sum(Plan { job, id: plan }, run, batch, Clock::starting(now)).await;
        self.conclude(ended, &message, (self.batches(), delivery), now).await
    }

    async fn try_to_sum(&self, plan: Plan, run: u32, batch: BatchId, clock: Clock) -> Result<(), Ended> {
        let (job, todo) = try_join(self.store.job(plan.job), self.store.todo(plan, batch)).await?;
        let job = job.filter(|job| job.is_running(plan)).ok_or(Ended::Unwanted)?;
        if let Some(todo) = todo {
            let rows = self.sum_batch(&job, plan, batch, &todo).await?;
            let totals = sum(&rows).map_err(Defect::from)?;
            self.files().put(&part_key(plan, batch), sheet::part(&rows)).await?;
            match self.store.done(plan, batch, totals, clock.now()).await? {
                // Before: by another delivery of the same message.
                Commit::Done | Commit::Before(_) => {}
                Commit::Contended | Commit::Refused => return Err(WorkError::Contended.into()),
            }
            info!(job.id = %plan.job, %batch, transactions = totals.count, "Summed batch");
        }
        // Also by who finds it done: whoever did it may have died before this.
        Ok(self.finish_if_last(plan, run, clock.now()).await?)
    }

    /// The sums of a batch: as many transactions as the plan has counted, or none.
    ///
    /// The plan reads consistently; this reads at half the price, and again, consistently, only if it did not find all of them.
    async fn sum_batch(&self, job: &Job, plan: Plan, batch: BatchId, todo: &Todo) -> Result<Vec<Row>, Ended> {
        let mut found = 0;
        for consistent in [false, true] {
            let rows = self.sum_entries(job, plan, batch, todo, consistent).await?;
            found = sum(&rows).map_err(Defect::from)?.count;
            if found == todo.count {
                return Ok(rows);
            }
        }
        Err(Defect::LedgerChanged { batch, planned: todo.count, found }.into())
    }

    async fn sum_entries(
        &self,
        job: &Job,
        plan: Plan,
        batch: BatchId,
        todo: &Todo,
        consistent: bool,
    ) -> Result<Vec<Row>, Ended> {
        let shard = Shard { day: batch.day, number: batch.shard, cutoff: job.cutoff };
        let mut summing = Summing::default();
        let mut after = todo.after.clone();
        loop {
            let (page, last) = self.ledger.read(shard, after.as_deref(), todo.through.as_deref(), consistent).await?;
            for entry in &page {
                let paid = paid(entry).map_err(Defect::from)?;
                summing.add(paid.merchant_id, paid.into()).map_err(Defect::from)?;
            }
            if last.is_none() {
                return Ok(summing.into_rows());
            }
            after = last;
            self.still_running(plan).await?;
        }
    }

    /// Asked before each page: a cancelled job is read no further.
    async fn still_running(&self, plan: Plan) -> Result<(), Ended> {
        let job = self.store.job(plan.job).await?;
        job.filter(|job| job.is_running(plan)).map(drop).ok_or(Ended::Unwanted)
    }
}

impl Job {
    /// It sums the batches of this plan.
    pub(super) fn is_running(&self, plan: Plan) -> bool {
        self.state == State::Running && self.plan == Some(plan.id)
    }
}
