//! What callers do to jobs: creating, changing and deleting them, and requesting runs.

use std::time::Duration;

use tracing::{info, warn};

use super::{
    Schedules,
    due::horizon,
    id::ScheduledJobId,
    job::{JobView, NewScheduledJob, ScheduledJob},
    job_store::DueJob,
    occurrence::Occurrence,
    run::RunRequested,
    when::Schedule,
};
use crate::{
    aws::ServiceError,
    idempotency::{IdempotencyKey, request_id},
    json::FieldError,
    retry::{Exhausted, RetryBudget},
    time::Timestamp,
};

/// How long a change is retried while others change the same job.
const RETRY_TIME: Duration = Duration::from_secs(3);

/// How long the idempotency key of a requested run is kept.
const RUN_KEY_LIFETIME: Duration = Duration::from_hours(24);

/// Why no job was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The idempotency key was used for another job.
    #[error("the idempotency key was used for another job")]
    KeyReused,
    /// The store failed; the job may have been created.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

/// Why a job was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No job has this id.
    #[error("job {0} does not exist")]
    JobNotFound(ScheduledJobId),
    /// The job is not at the version that the caller named, but at this one.
    #[error("the job was modified since (now version {0}): fetch it and retry")]
    VersionChanged(u64),
    /// The schedule is invalid.
    #[error(transparent)]
    Invalid(#[from] FieldError),
    /// Other requests kept changing the job until the retry budget was exhausted.
    #[error("too many concurrent requests for the same job: retry")]
    Contended,
    /// The store failed; the job may have been changed.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for EditError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// A job that a request created.
#[derive(Debug)]
pub struct CreatedJob {
    /// The job.
    pub job: JobView,
    /// An earlier request with the same idempotency key created it.
    pub replayed: bool,
}

impl Schedules {
    /// Creates a job without a schedule. With a key, repeats of the same request create one job.
    pub async fn create(
        &self,
        new: NewScheduledJob,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<CreatedJob, CreateError> {
        let job = ScheduledJob::new(request_id("job", key, now).into(), new, now);
        let existing = self.jobs.create(&job).await?;
        match existing {
            // With the same generation, it is this job: an earlier attempt of this call was
            // recorded, and its reply was lost.
            Some(existing) if existing.generation != job.generation => {
                let is_same_request = existing.request_hash == job.request_hash;
                is_same_request
                    .then_some(CreatedJob { job: JobView::new(existing, now), replayed: true })
                    .ok_or(CreateError::KeyReused)
            }
            _ => {
                info!(job.id = %job.id, "Scheduled job created");
                Ok(CreatedJob { job: JobView::new(job, now), replayed: false })
            }
        }
    }

    /// Reads a job: one read.
    pub async fn job(
        &self,
        id: ScheduledJobId,
        now: Timestamp,
    ) -> Result<Option<JobView>, ServiceError> {
        Ok(self.jobs.job(id).await?.map(|job| JobView::new(job, now)))
    }

    /// Replaces a job's name and action. Queued occurrences perform the new action.
    pub async fn replace(
        &self,
        id: ScheduledJobId,
        new: NewScheduledJob,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| job.replaced(new.clone(), now)).await
    }

    /// Sets or replaces a job's schedule, whose occurrences begin after `now`. Queued occurrences
    /// are revoked.
    pub async fn schedule(
        &self,
        id: ScheduledJobId,
        schedule: Schedule,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        let schedule = schedule.begin(now)?;
        self.change(id, version, now, |job| job.with_schedule(Some(schedule.clone()), now)).await
    }

    /// Removes a job's schedule. Queued occurrences are revoked.
    pub async fn unschedule(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(id, version, now, |job| job.with_schedule(None, now)).await
    }

    /// Pauses a job. Queued occurrences are revoked. A paused job is not changed.
    pub async fn pause(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(
            id,
            version,
            now,
            |job| {
                if job.paused { job } else { job.with_paused(true, now) }
            },
        )
        .await
    }

    /// Resumes a job. Occurrences that were due while it was paused do not run. A job that is not
    /// paused is not changed.
    pub async fn resume(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<JobView, EditError> {
        self.change(
            id,
            version,
            now,
            |job| {
                if job.paused { job.with_paused(false, now) } else { job }
            },
        )
        .await
    }

    /// Deletes a job. Queued occurrences are revoked, and its history can no longer be read.
    pub async fn delete(&self, id: ScheduledJobId, version: Option<u64>) -> Result<(), EditError> {
        let mut retry_budget = RetryBudget::new(RETRY_TIME);
        let mut job = self.at_version(id, version).await?;
        while !self.jobs.delete(id, job.version).await? {
            retry_budget.wait().await?;
            job = match self.at_version(id, version).await {
                // It was deleted since: by this call, if its reply was lost, or by another one.
                Err(EditError::JobNotFound(_)) => return Ok(()),
                other => other?,
            };
        }
        info!(job.id = %id, "Scheduled job deleted");
        Ok(())
    }

    /// Requests a run of a job, paused or not. With a key, repeats of the same request run it once.
    pub async fn run_now(
        &self,
        id: ScheduledJobId,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<RunRequested, EditError> {
        self.at_version(id, None).await?;
        let run = request_id(&id.to_string(), key, now);
        let requested_at = match key {
            Some(_) => self.jobs.record_run_key(id, run, now, now.plus(RUN_KEY_LIFETIME)).await?,
            None => None,
        };
        let occurrence = Occurrence::requested(id, run, requested_at.unwrap_or(now));
        self.queue().send([&occurrence]).await?;
        info!(job.id = %id, run.id = %run, "Run requested");
        Ok(RunRequested::from(&occurrence))
    }

    async fn change(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
        now: Timestamp,
        edit: impl Fn(ScheduledJob) -> ScheduledJob,
    ) -> Result<JobView, EditError> {
        let mut retry_budget = RetryBudget::new(RETRY_TIME);
        loop {
            let before = self.at_version(id, version).await?;
            let after = edit(before.clone());
            if after == before {
                return Ok(JobView::new(after, now));
            }
            if self.jobs.change(&before, &after).await? {
                info!(job.id = %id, job.version = after.version, "Scheduled job updated");
                self.send_first_occurrences(&before, &after, now).await;
                return Ok(JobView::new(after, now));
            }
            retry_budget.wait().await?;
        }
    }

    async fn at_version(
        &self,
        id: ScheduledJobId,
        version: Option<u64>,
    ) -> Result<ScheduledJob, EditError> {
        let job = self.jobs.job(id).await?.ok_or(EditError::JobNotFound(id))?;
        match version {
            Some(version) if version != job.version => Err(EditError::VersionChanged(job.version)),
            _ => Ok(job),
        }
    }

    /// Sends the occurrences of a new generation that are due before the next tick. A failure is
    /// only logged: the job is recorded as due, so the next tick sends them.
    async fn send_first_occurrences(
        &self,
        before: &ScheduledJob,
        after: &ScheduledJob,
        now: Timestamp,
    ) {
        let due = DueJob::of(after).filter(|due| before.generation != due.generation);
        let Some(due) = due.filter(|due| due.next_run_at < horizon(now)) else { return };
        if let Err(cause) = self.dispatch(&[due], now).await {
            warn!(
                job.id = %after.id, %cause,
                "First occurrences not sent: the next tick sends them"
            );
        }
    }
}
