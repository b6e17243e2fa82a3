//! Retrying failed settlements.

use tracing::info;

use super::{
    Settlement,
    create::AcceptedJob,
    job::{JobId, State},
    transition::{Transition, TransitionOutcome},
};
use crate::{aws::ServiceError, time::Timestamp};

/// Why a settlement is not retried.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No settlement has this id.
    #[error("settlement {0} does not exist")]
    JobNotFound(JobId),
    /// The settlement has not failed.
    #[error("the settlement is {0}: only a failed settlement can be retried")]
    NotFailed(State),
    /// The store failed; the settlement may be retried.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl Settlement {
    /// Starts a new run of a failed settlement, from the beginning and with the same cutoff.
    /// Concurrent requests start one run.
    pub async fn retry(&self, id: JobId, now: Timestamp) -> Result<AcceptedJob, RetryError> {
        let job = self.store.job(id).await?.ok_or(RetryError::JobNotFound(id))?;
        match self.store.transition(id, &Transition::Retry { run: job.run }, now).await? {
            // If it was queued before, another request did it, or this one, whose reply was lost.
            // A plan that is requested twice takes effect once.
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job)
                if job.state == State::Queued =>
            {
                info!(job.id = %id, job.run, "Settlement retried");
                self.request_plan(&job, now).await;
                Ok(AcceptedJob::from(&job))
            }
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job)
                if !job.state.has_ended() =>
            {
                Ok(AcceptedJob::from(&job))
            }
            TransitionOutcome::Applied(job) | TransitionOutcome::Rejected(job) => {
                Err(RetryError::NotFailed(job.state))
            }
            TransitionOutcome::NotFound => Err(RetryError::JobNotFound(id)),
        }
    }
}
