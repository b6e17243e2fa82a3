//! Creating settlements. A request for days that are already being settled joins that settlement.

use std::time::Duration;

use serde::Serialize;
use tracing::info;

use super::{
    Settlement,
    days::Days,
    job::{Job, JobId, State},
};
use crate::{
    aws::ServiceError,
    dynamo::Commit,
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// How long a request is retried against other requests for the same days.
const RETRY_BUDGET: Duration = Duration::from_secs(3);

/// A settlement that was created, joined or retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AcceptedJob {
    /// Its id.
    pub job_id: JobId,
    /// Its state.
    pub status: State,
}

impl From<&Job> for AcceptedJob {
    fn from(job: &Job) -> Self {
        Self { job_id: job.id, status: job.state }
    }
}

/// Why a settlement is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Other requests for the same days used up the retry budget.
    #[error("too many concurrent requests for the same days: retry")]
    Contended,
    /// The store failed; the settlement may have been created.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for CreateError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

impl Settlement {
    /// Creates a settlement of these days, or joins the one that has not ended yet unless `force`
    /// is set.
    pub async fn create(
        &self,
        days: Days,
        force: bool,
        now: Timestamp,
    ) -> Result<AcceptedJob, CreateError> {
        self.create_with_id(JobId::new(), days, force, now).await
    }

    /// Creates a settlement with this id, unless it exists, in whatever state: idempotent. Joins
    /// another of the same days that has not ended yet.
    pub async fn create_once(
        &self,
        id: JobId,
        days: Days,
        now: Timestamp,
    ) -> Result<AcceptedJob, CreateError> {
        match self.store.job(id).await? {
            Some(job) => Ok(AcceptedJob::from(&job)),
            None => self.create_with_id(id, days, false, now).await,
        }
    }

    async fn create_with_id(
        &self,
        id: JobId,
        days: Days,
        force: bool,
        now: Timestamp,
    ) -> Result<AcceptedJob, CreateError> {
        let job = Job::new(id, days, now);
        let attempt = |(), _| async {
            let latest = self.store.latest_of(days).await?;
            if latest == Some(job.id) {
                // An earlier attempt was recorded, and its reply was lost.
                return Ok(Attempt::Decided(Ok(None)));
            }
            if !force
                && let Some(latest) = latest
                && let Some(live) = self.store.job(latest).await?
                && !live.state.has_ended()
            {
                return Ok(Attempt::Decided(Ok(Some(live))));
            }
            Ok(match self.store.create(&job, latest).await? {
                Commit::Done | Commit::AlreadyRecorded(_) => Attempt::Decided(Ok(None)),
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        let live: Result<_, CreateError> = RetryBudget::new(RETRY_BUDGET).retry((), attempt).await;
        if let Some(live) = live? {
            return Ok(AcceptedJob::from(&live));
        }
        info!(job.id = %job.id, from = %days.from, to = %days.to, "Settlement requested");
        self.request_plan(&job, now).await;
        Ok(AcceptedJob::from(&job))
    }
}
