//! Cancelling settlements.

use tracing::info;

use super::{
    Settlement,
    job::{JobId, State},
    transition::{Transition, TransitionOutcome},
};
use crate::{aws::ServiceError, time::Timestamp};

/// Why a settlement is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No settlement has this id.
    #[error("settlement {0} does not exist")]
    JobNotFound(JobId),
    /// The settlement is being published or has ended.
    #[error("the settlement is {0}: it can no longer be cancelled")]
    NotCancellable(State),
    /// The store failed; the settlement may be cancelled.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl Settlement {
    /// Cancels a settlement. A queued one stops immediately, a running one before the next page of
    /// each worker. Idempotent.
    pub async fn cancel(&self, id: JobId, now: Timestamp) -> Result<(), CancelError> {
        match self.store.transition(id, &Transition::Cancel, now).await? {
            TransitionOutcome::Applied(_) => {
                info!(job.id = %id, "Settlement cancelled");
                Ok(())
            }
            TransitionOutcome::Rejected(job) if job.state == State::Cancelled => Ok(()),
            TransitionOutcome::Rejected(job) => Err(CancelError::NotCancellable(job.state)),
            TransitionOutcome::NotFound => Err(CancelError::JobNotFound(id)),
        }
    }
}
