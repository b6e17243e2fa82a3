//! Finishing a job: the sums of its batches become the file and the settled days, and then the job is completed.
//!
//! The file is written first and as a whole, and held against what the batches come to; only then are the days written, and last the
//! job's state, which makes both count. Whoever finishes again, after a death or beside another, writes the same bytes.

use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tracing::info;
use uuid::Uuid;

use super::{
    Settlement,
    batches::{PlanRef, Progress},
    csv_report::CsvReport,
    files::{Upload, report_key},
    job::{File, Job, Planned},
    job_failure::JobFailure,
    lease::Lease,
    message::Message,
    store::{TransitionOutcome, Work},
    totals::{Row, Totals},
    transition::Transition,
    work::{WorkError, WorkOutcome},
};
use crate::{
    sqs::Delivery,
    time::{Clock, Day, Timestamp},
};

/// Settled days that are written at the same time.
const DAYS_AT_ONCE: usize = 32;

impl Settlement {
    /// Does what a message of the queue of jobs to be finished says.
    pub async fn finish(&self, delivery: &Delivery, now: Timestamp) -> Result<(), WorkError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        let Message::Finish { job, plan, .. } = message else { return Err(WorkError::Misplaced) };
        let ended = self.try_to_finish(PlanRef { job, id: plan }, Clock::starting(now)).await;
        self.conclude(ended, &message, (self.finishes(), delivery), now).await
    }

    async fn try_to_finish(&self, plan: PlanRef, clock: Clock) -> Result<(), WorkOutcome> {
        let work = Work::Finish { plan: plan.id };
        let Some((job, hold)) =
            Lease::take(&self.store, plan.job, work, Uuid::now_v7(), clock).await?
        else {
            return Err(WorkOutcome::Unwanted);
        };
        let ended = self.publish(&job, plan, &hold, clock).await;
        hold.end(ended).await
    }

    async fn publish(
        &self,
        job: &Job,
        plan: PlanRef,
        hold: &Lease<'_>,
        clock: Clock,
    ) -> Result<(), WorkOutcome> {
        let file = self.write_file(job, plan, hold).await?;
        self.settle_days(job, plan, hold).await?;
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

    /// Writes the file, if it says what the batches say.
    async fn write_file(
        &self,
        job: &Job,
        plan: PlanRef,
        hold: &Lease<'_>,
    ) -> Result<File, WorkOutcome> {
        let summed = self.store.summed(plan).await?;
        let totals = as_planned(&summed, job.planned.as_ref())?;
        let mut upload = self.files().upload(report_key(plan.job, plan.id)).await?;
        match self.write_lines(&mut upload, job, plan, totals, hold).await {
            Ok(sheet) => {
                upload.complete().await?;
                Ok(sheet.into_file())
            }
            Err(ended) => {
                // If this fails, too, the bucket's own rule drops what was written.
                drop(upload.abort().await);
                Err(ended)
            }
        }
    }

    async fn write_lines(
        &self,
        upload: &mut Upload<'_>,
        job: &Job,
        plan: PlanRef,
        totals: Totals,
        hold: &Lease<'_>,
    ) -> Result<CsvReport, WorkOutcome> {
        let mut sheet = CsvReport::new();
        for day in job.days.each() {
            let mut rows = self.merge(plan, day).await?;
            while let Some(row) = rows.next().await? {
                sheet.add(day, &row).map_err(JobFailure::from)?;
                if let Some(chunk) = sheet.full_chunk() {
                    upload.write(chunk).await?;
                }
                hold.go_on().await?;
            }
        }
        if sheet.totals() != totals {
            return Err(JobFailure::TotalsDiffer { file: sheet.totals(), batches: totals }.into());
        }
        upload.write(sheet.chunk()).await?;
        Ok(sheet)
    }

    /// Writes what every merchant's day was settled to. A day that a job with a later cutoff has settled is left as it is.
    async fn settle_days(
        &self,
        job: &Job,
        plan: PlanRef,
        hold: &Lease<'_>,
    ) -> Result<(), WorkOutcome> {
        for day in job.days.each() {
            let mut rows = self.merge(plan, day).await?;
            let mut settling = FuturesUnordered::new();
            while let Some(row) = rows.next().await? {
                settling.push(self.settle_day(job, day, row, hold));
                if settling.len() >= DAYS_AT_ONCE {
                    settling.try_next().await?;
                }
            }
            settling.try_collect::<()>().await?;
        }
        Ok(())
    }

    async fn settle_day(
        &self,
        job: &Job,
        day: Day,
        row: Row,
        hold: &Lease<'_>,
    ) -> Result<(), WorkOutcome> {
        hold.go_on().await?;
        Ok(self.store.settle(job, day, &row).await?)
    }
}

/// What the batches come to, if they are those that were planned, and balance.
fn as_planned(summed: &Progress, planned: Option<&Planned>) -> Result<Totals, JobFailure> {
    let (planned, planned_batches) =
        planned.map_or((0, 0), |planned| (planned.total, planned.batches));
    let &Progress { transactions, batches, .. } = summed;
    let totals = summed.totals?;
    if (transactions, batches) != (planned, planned_batches) || !totals.balance() {
        return Err(JobFailure::PlanDiffers { batches, transactions, planned_batches, planned });
    }
    Ok(totals)
}
