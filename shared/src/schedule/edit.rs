//! Jobs as callers change them.

use std::time::Duration;

use tracing::{info, warn};

use super::{
    JobView, ScheduledJobId, Schedules,
    job::{NewScheduledJob, ScheduledJob},
    run::{Occurrence, RunRequested},
    store::Due,
    when::Schedule,
};
use crate::{
    aws::ServiceError,
    idempotency::{IdempotencyKey, request_id},
    retry::{Exhausted, RetryBudget},
    tagged::FieldError,
    time::Timestamp,
};

/// How long a change is tried against others of the same job.
const BUDGET: Duration = Duration::from_secs(3);

/// How long an idempotency key of a run is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);

/// Why no job was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The idempotency key was used for another job.
    #[error("the idempotency key was used for another job")]
    KeyReused,
    /// The store failed; the job may be there.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

/// Why a job was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No job has this id.
    #[error("job {0} does not exist")]
    JobNotFound(ScheduledJobId),
    /// It is not at the version that the caller has seen.
    #[error("the job is at version {0}")]
    VersionChanged(u64),
    /// The schedule cannot be kept.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// Others changed it for longer than the budget.
    #[error("too many requests for the same job at once")]
    Contended,
    /// The store failed; the job may be changed.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for EditError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// A job that was made, or had been made by the same request.
#[derive(Debug)]
pub struct Created {
    /// The job.
    pub job: JobView,
    /// An earlier request with the same key made it.
    pub replayed: bool,
}

impl Schedules {
    /// Makes a job, without a schedule. With a key, the same request makes it once.
    pub async fn create(
        &self,
        new: NewScheduledJob,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Created, CreateError> {
        let job = ScheduledJob::new(request_id("job", key, now).into(), new, now);
        let stands = self.store.create(&job).await?;
        match stands {
            // By us: an earlier try was recorded, and its reply lost.
            Some(stands) if stands.generation != job.generation => {
                let same = stands.made_of == job.made_of;
                same.then_some(Created { job: JobView::of(stands, now), replayed: true })
                    .ok_or(CreateError::KeyReused)
            }
            _ => {
                info!(job.id = %job.id, "Made a scheduled job");
                Ok(Created { job: JobView::of(job, now), replayed: false })
            }
        }
    }

    /// The job: one read.
    pub async fn job(
        &self,
        id: ScheduledJobId,
        now: Timestamp,
    ) -> Result<Option<JobView>, ServiceError> {
        Ok(self.store.job(id).await?.map(|job| JobView::of(job, now)))
    }

    /// Gives a job another name and action. What is queued of it does the new one.
    pub async fn replace(
        &self,
        id: ScheduledJobId,
        new: NewScheduledJob,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| job.renamed(new.clone(), now)).await
    }

    /// Gives a job a schedule, in place of the one that it had, whose queued occurrences are taken back. Its occurrences begin after this moment.
    pub async fn schedule(
        &self,
        id: ScheduledJobId,
        schedule: Schedule,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        let schedule = schedule.begin(now)?;
        self.change(id, version, now, |job| job.scheduled(Some(schedule.clone()), now)).await
    }

    /// Takes a job's schedule away, with what is queued.
    pub async fn unschedule(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| job.scheduled(None, now)).await
    }

    /// Pauses a job: what is queued does not start. A job that is paused stays as it is.
    pub async fn pause(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| if job.paused { job } else { job.paused(true, now) })
            .await
    }

    /// Resumes a job: its occurrences go on after this moment. What it would have done meanwhile is not done.
    pub async fn resume(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| if job.paused { job.paused(false, now) } else { job })
            .await
    }

    /// Deletes a job: what is queued does not start, and its history is not to be had any more.
    pub async fn delete(&self, id: ScheduledJobId, version: Option<u64>) -> Result<(), EditError> {
        let mut budget = RetryBudget::new(BUDGET);
        let mut job = self.at_version(id, version).await?;
        while !self.store.delete(id, job.version).await? {
            budget.wait().await?;
            job = match self.at_version(id, version).await {
                // Deleted meanwhile: by us, if the reply was lost, or by another.
                Err(EditError::JobNotFound(_)) => return Ok(()),
                other => other?,
            };
        }
        info!(job.id = %id, "Deleted a scheduled job");
        Ok(())
    }

    /// Runs a job now, paused or not. With a key, the same request runs it once.
    pub async fn run_now(
        &self,
        id: ScheduledJobId,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<RunRequested, EditError> {
        self.at_version(id, None).await?;
        let run = request_id(&id.to_string(), key, now);
        let before = match key {
            Some(_) => self.store.remember(id, run, now, now.plus(REMEMBERED)).await?,
            None => None,
        };
        let occurrence = Occurrence::by_hand(id, run, before.unwrap_or(now));
        self.queue().send([&occurrence]).await?;
        info!(job.id = %id, run.id = %run, "Run asked for");
        Ok(RunRequested::from(&occurrence))
    }

    async fn change(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
        to: impl Fn(ScheduledJob) -> ScheduledJob,
    ) -> Result<JobView, EditError> {
        let mut budget = RetryBudget::new(BUDGET);
        loop {
            let before = self.at_version(id, version).await?;
            let after = to(before.clone());
            if after == before {
                return Ok(JobView::of(after, now));
            }
            if self.store.change(&before, &after).await? {
                info!(job.id = %id, job.version = after.version, "Changed a scheduled job");
                self.send_first(&before, &after, now).await;
                return Ok(JobView::of(after, now));
            }
            budget.wait().await?;
        }
    }

    async fn at_version(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
    ) -> Result<ScheduledJob, EditError> {
        let job = self.store.job(id).await?.ok_or(EditError::JobNotFound(id))?;
        match version {
            Some(version) if version != job.version => Err(EditError::VersionChanged(job.version)),
            _ => Ok(job),
        }
    }

    /// Sends what is due before the next tick looks. The job is recorded: what is not sent now, that tick sends.
    async fn send_first(&self, before: &ScheduledJob, after: &ScheduledJob, now: Timestamp) {
        let due = Due::of(after).filter(|due| before.generation != due.generation);
        let Some(due) = due.filter(|due| due.next_run_at < super::horizon(now)) else { return };
        if let Err(cause) = self.dispatch(&[due], now).await {
            warn!(job.id = %after.id, %cause, "The first occurrences could not be sent: the next tick sends them");
        }
    }
}
