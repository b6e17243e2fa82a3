//! Finishing a settlement: writes the file and the settled days from the sums of its batches.
//!
//! The file is written first, as a whole, and only if its totals equal those of the batches; then
//! the settled days; last the state, which makes the file available to callers. A worker that
//! finishes again, after a crash or concurrently, writes the same bytes.

use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tracing::info;
use uuid::Uuid;

use super::{
    Settlement,
    csv_report::CsvReport,
    files::{Upload, report_key},
    job::{Job, PlanRef, PlanSummary, ReportFile},
    job_failure::JobFailure,
    lease::{Lease, LeasedWork},
    message::Message,
    progress::Progress,
    totals::{Row, Totals},
    transition::{Transition, TransitionOutcome},
    work::{WorkError, WorkOutcome},
};
use crate::{
    sqs::Delivery,
    time::{Clock, Day, Timestamp},
};

/// Number of settled days that are written concurrently.
const CONCURRENT_WRITES: usize = 32;

impl Settlement {
    /// Processes a message of the finish queue.
    pub async fn finish(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Finish { job, plan, .. } = message else { return Err(WorkError::WrongQueue) };
        let result = self.try_to_finish(PlanRef { job, id: plan }, Clock::starting(now)).await;
        self.conclude(result, &message, (self.finish_queue(), delivery), now).await
    }

    async fn try_to_finish(&self, plan: PlanRef, clock: Clock) -> Result<(), WorkOutcome> {
        let work = LeasedWork::Finish { plan: plan.id };
        let (job, lease) = Lease::acquire(&self.store, plan.job, work, Uuid::now_v7(), clock)
            .await?
            .ok_or(WorkOutcome::Skipped)?;
        let result = self.publish(&job, plan, &lease, clock).await;
        lease.end(result).await
    }

    async fn publish(
        &self,
        job: &Job,
        plan: PlanRef,
        lease: &Lease<'_>,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let file = self.write_file(job, plan, lease).await?;
        self.write_days(job, plan, lease).await?;
        let rows = file.rows;
        let transition = Transition::Complete { plan: plan.id, file };
        if let TransitionOutcome::Applied(job) =
            self.store.transition(plan.job, &transition, clock.now()).await?
        {
            let transactions = job.total();
            info!(job.id = %job.id, rows, transactions, "Settlement completed");
            metrics::counter!("SettlementsCompleted").increment(1);
        }
        Ok(())
    }

    /// Writes the file, if its totals equal those of the batches.
    async fn write_file(
        &self,
        job: &Job,
        plan: PlanRef,
        lease: &Lease<'_>,
    ) -> Result<ReportFile, WorkOutcome> {
        let progress = self.store.progress(plan).await?;
        let totals = planned_totals(&progress, job.planned.as_ref())?;
        let mut upload = self.files().upload(report_key(plan.job, plan.id)).await?;
        match self.write_lines(&mut upload, job, plan, totals, lease).await {
            Ok(report) => {
                upload.complete().await?;
                Ok(report.into_file())
            }
            Err(outcome) => {
                // If this fails, too, the bucket's lifecycle rule drops the upload.
                drop(upload.abort().await);
                Err(outcome)
            }
        }
    }

    async fn write_lines(
        &self,
        upload: &mut Upload<'_>,
        job: &Job,
        plan: PlanRef,
        totals: Totals,
        lease: &Lease<'_>,
    ) -> Result<CsvReport, WorkOutcome> {
        let mut report = CsvReport::new();
        for day in job.days.each() {
            let mut rows = self.merge(plan, day).await?;
            while let Some(row) = rows.next().await? {
                report.add(day, &row).map_err(JobFailure::from)?;
                if let Some(chunk) = report.full_chunk() {
                    upload.write(chunk).await?;
                }
                lease.renew_if_due().await?;
            }
        }
        if report.totals() != totals {
            return Err(JobFailure::TotalsDiffer { file: report.totals(), batches: totals }.into());
        }
        upload.write(report.chunk()).await?;
        Ok(report)
    }

    /// Writes every merchant's settled day, unless a settlement with a later cutoff has written it.
    async fn write_days(
        &self,
        job: &Job,
        plan: PlanRef,
        lease: &Lease<'_>,
    ) -> Result<(), WorkOutcome> {
        for day in job.days.each() {
            let mut rows = self.merge(plan, day).await?;
            let mut writes = FuturesUnordered::new();
            while let Some(row) = rows.next().await? {
                writes.push(self.write_day(job, day, row, lease));
                if writes.len() >= CONCURRENT_WRITES {
                    writes.try_next().await?;
                }
            }
            writes.try_collect::<()>().await?;
        }
        Ok(())
    }

    async fn write_day(
        &self,
        job: &Job,
        day: Day,
        row: Row,
        lease: &Lease<'_>,
    ) -> Result<(), WorkOutcome> {
        lease.renew_if_due().await?;
        Ok(self.store.put_settled_day(job, day, &row).await?)
    }
}

/// Returns the totals of the batches, if the batches are those of the plan and balance.
fn planned_totals(
    progress: &Progress,
    planned: Option<&PlanSummary>,
) -> Result<Totals, JobFailure> {
    let (planned, planned_batches) =
        planned.map_or((0, 0), |planned| (planned.total, planned.batches));
    let &Progress { transactions, batches, .. } = progress;
    let totals = progress.totals?;
    if (transactions, batches) != (planned, planned_batches) || !totals.is_balanced() {
        return Err(JobFailure::PlanDiffers { batches, transactions, planned_batches, planned });
    }
    Ok(totals)
}
