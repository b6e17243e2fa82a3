//! Jobs as callers ask for them: begun, looked at, cancelled, tried again.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tracing::{info, warn};

use super::{
    Settlement,
    batches::PlanRef,
    job::{Job, JobId, State},
    job_status::JobStatus,
    message::Message,
    range::Days,
    store::TransitionOutcome,
    transition::Transition,
};
use crate::{
    aws::ServiceError,
    cursor::{Limit, paginate},
    dynamo::{Commit, keys},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// How long a new job is tried against others for the same days.
const BUDGET: Duration = Duration::from_secs(3);

/// Jobs of a page whose progress is read at the same time.
const JOBS_AT_ONCE: usize = 16;

/// A job that was begun, or was live already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Its name.
    pub job_id: JobId,
    /// Where it is.
    pub status: State,
}

impl From<&Job> for Accepted {
    fn from(job: &Job) -> Self {
        Self { job_id: job.id, status: job.state }
    }
}

/// Jobs, newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobPage {
    /// With their progress.
    pub jobs: Vec<JobStatus>,
    /// `None`: this was the last page.
    pub next_cursor: Option<Cursor>,
}

/// The place of a job in the list.
pub type Cursor = crate::cursor::Cursor<JobId>;

/// Why no job was begun.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Others asked for the same days for longer than the budget.
    #[error("too many requests for the same days at once")]
    Contended,
    /// The store failed; a job may have been begun.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for CreateError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// Why a job is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No job has this id.
    #[error("job {0} does not exist")]
    JobNotFound(JobId),
    /// It is too late.
    #[error("the job is {0}")]
    TooLate(State),
    /// The store failed; the job may be cancelled.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

/// Why a job is not tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No job has this id.
    #[error("job {0} does not exist")]
    JobNotFound(JobId),
    /// It has not failed.
    #[error("the job is {0}")]
    NotFailed(State),
    /// The store failed; the job may be tried again.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl Settlement {
    /// Begins to settle these days. If a job does already, that one is answered, unless a new one is forced.
    pub async fn create(
        &self,
        days: Days,
        force: bool,
        now: Timestamp,
    ) -> Result<Accepted, CreateError> {
        self.begin(JobId::new(), days, force, now).await
    }

    /// The same under a name that the caller gives: a job that has it is answered, whatever has become of it.
    pub async fn create_once(
        &self,
        id: JobId,
        days: Days,
        now: Timestamp,
    ) -> Result<Accepted, CreateError> {
        match self.store.job(id).await? {
            Some(job) => Ok(Accepted::from(&job)),
            None => self.begin(id, days, false, now).await,
        }
    }

    async fn begin(
        &self,
        id: JobId,
        days: Days,
        force: bool,
        now: Timestamp,
    ) -> Result<Accepted, CreateError> {
        let job = Job::new(id, days, now);
        let attempt = |(), _| async {
            let before = self.store.settled_by(days).await?;
            if before == Some(job.id) {
                // An earlier attempt was recorded, and its reply lost.
                return Ok(Attempt::Decided(Ok(None)));
            }
            if !force
                && let Some(before) = before
                && let Some(live) = self.store.job(before).await?
                && !live.state.is_over()
            {
                return Ok(Attempt::Decided(Ok(Some(live))));
            }
            Ok(match self.store.create(&job, before).await? {
                Commit::Done | Commit::AlreadyRecorded(_) => Attempt::Decided(Ok(None)),
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        let live: Result<_, CreateError> = RetryBudget::new(BUDGET).retry((), attempt).await;
        if let Some(live) = live? {
            return Ok(Accepted::from(&live));
        }
        info!(job.id = %job.id, from = %days.from, to = %days.to, "Settlement requested");
        self.ask_for_plan(&job, now).await;
        Ok(Accepted::from(&job))
    }

    /// The job with its progress: one read, and the batches that are done.
    pub async fn job_status(
        &self,
        id: JobId,
        now: Timestamp,
    ) -> Result<Option<JobStatus>, ServiceError> {
        match self.store.job(id).await? {
            None => Ok(None),
            Some(job) => self.stands(job, now).await.map(Some),
        }
    }

    async fn stands(&self, job: Job, now: Timestamp) -> Result<JobStatus, ServiceError> {
        let summed = match job.plan {
            Some(id) if !matches!(job.state, State::Finishing | State::Completed) => {
                Some(self.store.summed(PlanRef { job: job.id, id }).await?)
            }
            _ => None,
        };
        Ok(JobStatus::of(&job, summed.as_ref(), now))
    }

    /// Jobs, newest first, as the index knows them: a job is listed a moment after it was begun.
    pub async fn list(
        &self,
        limit: Limit,
        before: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<JobPage, ServiceError> {
        let jobs = self.store.newest(before.map(Cursor::sort_key), limit.to_usize() + 1).await?;
        let (jobs, next_cursor) =
            paginate(jobs, limit, |job| keys::recent_job(job.created_at, &job.id.to_string()).sk);
        let job_status = stream::iter(jobs).map(|job| self.stands(job, now)).buffered(JOBS_AT_ONCE);
        Ok(JobPage { jobs: job_status.try_collect().await?, next_cursor })
    }

    /// Stops a job: at once while it is queued, before the next page of each worker while it runs. Stopped before, that is as good.
    pub async fn cancel(&self, id: JobId, now: Timestamp) -> Result<(), CancelError> {
        match self.store.transition(id, &Transition::Cancel, now).await? {
            TransitionOutcome::Applied(_) => {
                info!(job.id = %id, "Settlement cancelled");
                Ok(())
            }
            TransitionOutcome::Rejected(job) if job.state == State::Cancelled => Ok(()),
            TransitionOutcome::Rejected(job) => Err(CancelError::TooLate(job.state)),
            TransitionOutcome::NotFound => Err(CancelError::JobNotFound(id)),
        }
    }

    /// Tries a failed job again, from the beginning and with the same cutoff. Who asks twice gets the same run.
    pub async fn retry(&self, id: JobId, now: Timestamp) -> Result<Accepted, RetryError> {
        let job = self.store.job(id).await?.ok_or(RetryError::JobNotFound(id))?;
        match self.store.transition(id, &Transition::Retry { run: job.run }, now).await? {
            // Queued already: by another click, or by us, and the reply was lost. A plan that is asked for twice is made once.
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job)
                if job.state == State::Queued =>
            {
                info!(job.id = %id, job.run, "Settlement is tried again");
                self.ask_for_plan(&job, now).await;
                Ok(Accepted::from(&job))
            }
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job)
                if !job.state.is_over() =>
            {
                Ok(Accepted::from(&job))
            }
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job) => {
                Err(RetryError::NotFailed(job.state))
            }
            TransitionOutcome::NotFound => Err(RetryError::JobNotFound(id)),
        }
    }

    /// The job is recorded: what is not sent now, `recover` sends.
    async fn ask_for_plan(&self, job: &Job, now: Timestamp) {
        if let Err(cause) = self.send_plan(job, now).await {
            warn!(job.id = %job.id, %cause, "A job could not be queued: it is in a minute or two");
        }
    }

    pub(super) async fn send_plan(&self, job: &Job, now: Timestamp) -> Result<(), ServiceError> {
        let not_before = job.ledger_settled_at();
        let message = Message::Plan { job: job.id, run: job.run, not_before };
        self.plans().send_after([message], not_before.since(now)).await
    }
}
