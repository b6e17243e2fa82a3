//! Finishing a job: the sums of its batches become the file and the settled days, and then the job is completed.
//!
//! The file is written first and as a whole, and held against what the batches come to; only then are the days written, and last the
//! job's state, which makes both count. Whoever finishes again, after a death or beside another, writes the same bytes.

use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tracing::info;
use uuid::Uuid;

use super::{
    Settlement,
    batches::{Plan, Summed},
    defect::Defect,
    files::{Upload, report_key},
    hold::Hold,
    job::{File, Job, Planned},
    message::Message,
    sheet::Sheet,
    step::Step,
    store::{Stepped, Work},
    totals::{Row, Totals},
    work::{Ended, WorkError},
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
        let ended = self.try_to_finish(Plan { job, id: plan }, Clock::starting(now)).await;
        self.conclude(ended, &message, (self.finishes(), delivery), now).await
    }

    async fn try_to_finish(&self, plan: Plan, clock: Clock) -> Result<(), Ended> {
        let work = Work::Finish { plan: plan.id };
        let Some((job, hold)) = Hold::take(&self.store, plan.job, work, Uuid::now_v7(), clock).await? else {
            return Err(Ended::Unwanted);
        };
        let ended = self.publish(&job, plan, &hold, clock).await;
        hold.end(ended).await
    }

    async fn publish(&self, job: &Job, plan: Plan, hold: &Hold<'_>, clock: Clock) -> Result<(), Ended> {
        let file = self.write_file(job, plan, hold).await?;
        self.settle_days(job, plan, hold).await?;
        let rows = file.rows;
        let step = Step::Complete { plan: plan.id, file };
        if let Stepped::Taken(job) = self.store.step(plan.job, &step, clock.now()).await? {
            let transactions = job.total();
            info!(job.id = %job.id, rows, transactions, "Settlement completed");
            metrics::counter!("SettlementsCompleted").increment(1);
        }
        Ok(())
    }

    /// Writes the file, if it says what the batches say.
    async fn write_file(&self, job: &Job, plan: Plan, hold: &Hold<'_>) -> Result<File, Ended> {
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
        plan: Plan,
        totals: Totals,
        hold: &Hold<'_>,
    ) -> Result<Sheet, Ended> {
        let mut sheet = Sheet::new();
        for day in job.days.each() {
            let mut rows = self.merge(plan, day).await?;
            while let Some(row) = rows.next().await? {
                sheet.add(day, &row).map_err(Defect::from)?;
                if let Some(chunk) = sheet.full_chunk() {
                    upload.write(chunk).await?;
                }
                hold.go_on().await?;
            }
        }
        if sheet.totals() != totals {
            return Err(Defect::TotalsDiffer { file: sheet.totals(), batches: totals }.into());
        }
        upload.write(sheet.chunk()).await?;
        Ok(sheet)
    }

    /// Writes what every merchant's day was settled to. A day that a job with a later cutoff has settled is left as it is.
    async fn settle_days(&self, job: &Job, plan: Plan, hold: &Hold<'_>) -> Result<(), Ended> {
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

    async fn settle_day(&self, job: &Job, day: Day, row: Row, hold: &Hold<'_>) -> Result<(), Ended> {
        hold.go_on().await?;
        Ok(self.store.settle(job, day, &row).await?)
    }
}

/// What the batches come to, if they are those that were planned, and balance.
fn as_planned(summed: &Summed, planned: Option<&Planned>) -> Result<Totals, Defect> {
    let (planned, planned_batches) = planned.map_or((0, 0), |planned| (planned.total, planned.batches));
    let &Summed { transactions, batches, .. } = summed;
    let totals = summed.totals?;
    if (transactions, batches) != (planned, planned_batches) || !totals.balance() {
        return Err(Defect::PlanDiffers { batches, transactions, planned_batches, planned });
    }
    Ok(totals)
}
