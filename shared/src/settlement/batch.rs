//! Summing a batch: reads its part of the ledger, sums it by merchant, and records the sums once.

use futures_util::future::try_join;
use tracing::info;

use super::{
    Settlement,
    batch_store::PendingBatch,
    csv_report,
    files::part_key,
    job::{Job, PlanRef},
    job_failure::JobFailure,
    ledger_reader::Shard,
    message::{BatchId, Message},
    totals::{Accumulator, Row, sum},
    work::{WorkError, WorkOutcome},
};
use crate::{
    dynamo::Commit,
    ledger::read_payment,
    sqs::Delivery,
    time::{Clock, Timestamp},
};

impl Settlement {
    /// Processes a message of the batch queue. A batch that is finished is not summed again, and
    /// one of a settlement that is no longer running is ignored.
    pub async fn batch(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Batch { job, run, plan, batch } = message else {
            return Err(WorkError::WrongQueue);
        };
        let result =
            self.try_to_sum(PlanRef { job, id: plan }, run, batch, Clock::starting(now)).await;
        self.conclude(result, &message, (self.batch_queue(), delivery), now).await
    }

    async fn try_to_sum(
        &self,
        plan: PlanRef,
        run: u32,
        batch: BatchId,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let (job, pending) =
            try_join(self.store.job(plan.job), self.store.pending(plan, batch)).await?;
        let job = job.filter(|job| job.is_running(plan)).ok_or(WorkOutcome::Skipped)?;
        if let Some(pending) = pending {
            let rows = self.sum_batch(&job, plan, batch, &pending).await?;
            let totals = sum(&rows).map_err(JobFailure::from)?;
            self.files().put(&part_key(plan, batch), csv_report::part(&rows)).await?;
            match self.store.finish_batch(plan, batch, totals, clock.now()).await? {
                // If it was recorded before, then by another delivery of the same message.
                Commit::Done | Commit::AlreadyRecorded(_) => {}
                Commit::Conflict | Commit::ConditionFailed => {
                    return Err(WorkError::Contended.into());
                }
            }
            info!(job.id = %plan.job, %batch, transactions = totals.count, "Batch summed");
        }
        // Also if the batch was finished before: that worker may have died before this step.
        Ok(self.finish_if_none_pending(plan, run, clock.now()).await?)
    }

    /// Returns the sums of a batch, if it has exactly the transactions that the plan counted.
    ///
    /// The plan counts with consistent reads. This reads eventually consistently, at half the
    /// price, and once more, consistently, only if the counts differ.
    async fn sum_batch(
        &self,
        job: &Job,
        plan: PlanRef,
        batch: BatchId,
        pending: &PendingBatch,
    ) -> Result<Vec<Row>, WorkOutcome> {
        let mut found = 0;
        for consistent in [false, true] {
            let rows = self.sum_entries(job, plan, batch, pending, consistent).await?;
            found = sum(&rows).map_err(JobFailure::from)?.count;
            if found == pending.count {
                return Ok(rows);
            }
        }
        Err(JobFailure::LedgerChanged { batch, planned: pending.count, found }.into())
    }

    async fn sum_entries(
        &self,
        job: &Job,
        plan: PlanRef,
        batch: BatchId,
        pending: &PendingBatch,
        consistent: bool,
    ) -> Result<Vec<Row>, WorkOutcome> {
        let shard = Shard { day: batch.day, number: batch.shard, cutoff: job.cutoff };
        let mut accumulator = Accumulator::default();
        let mut after = pending.after.clone();
        loop {
            let (page, last) = self
                .ledger
                .read(shard, after.as_deref(), pending.through.as_deref(), consistent)
                .await?;
            for entry in &page {
                let payment = read_payment(entry).map_err(JobFailure::from)?;
                accumulator.add(payment.merchant_id, payment.into()).map_err(JobFailure::from)?;
            }
            if last.is_none() {
                return Ok(accumulator.into_rows());
            }
            after = last;
            self.check_running(plan).await?;
        }
    }

    /// Checks, before each further page, that the settlement is still running.
    async fn check_running(&self, plan: PlanRef) -> Result<(), WorkOutcome> {
        let job = self.store.job(plan.job).await?;
        job.filter(|job| job.is_running(plan)).map(drop).ok_or(WorkOutcome::Skipped)
    }
}
