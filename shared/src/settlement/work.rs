//! Results of work, which the workers share: what completes a message, what retries it, and what
//! fails its settlement.

use tracing::{error, warn};

use super::{
    Settlement,
    job::JobId,
    job_failure::JobFailure,
    message::Message,
    transition::{Transition, TransitionOutcome},
};
use crate::{
    aws::ServiceError,
    sqs::{Delivery, Queue},
    time::Timestamp,
};

/// Why a message is to be delivered again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The message is not in the format of this release.
    #[error("unreadable message: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The message is for another worker.
    #[error("the message is in the wrong queue")]
    WrongQueue,
    /// The message was delivered before its time.
    #[error("the ledger is not complete before {0}")]
    TooEarly(Timestamp),
    /// Another delivery of the same message is writing the same items.
    #[error("another worker is writing the batch")]
    Contended,
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// How work ended without being done.
#[derive(Debug, thiserror::Error)]
pub enum WorkOutcome {
    /// Every further attempt would fail as well: the settlement fails.
    #[error(transparent)]
    Failed(#[from] JobFailure),
    /// A later attempt may succeed.
    #[error(transparent)]
    Retry(#[from] WorkError),
    /// The work is no longer needed, or another worker does it.
    #[error("the work is no longer needed, or another worker does it")]
    Skipped,
}

impl From<ServiceError> for WorkOutcome {
    fn from(failure: ServiceError) -> Self {
        Self::Retry(failure.into())
    }
}

impl Settlement {
    /// Handles the result of work: a failure fails the settlement immediately, and a message to
    /// retry is postponed with a growing backoff.
    pub(super) async fn conclude(
        &self,
        result: Result<(), WorkOutcome>,
        message: &Message,
        (queue, delivery): (&Queue, &Delivery),
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let (job, run) = message.job_and_run();
        match result {
            Ok(()) | Err(WorkOutcome::Skipped) => Ok(()),
            Err(WorkOutcome::Failed(cause)) => Ok(self.fail(job, run, &cause, now).await?),
            Err(WorkOutcome::Retry(error)) => {
                // If this fails too, the message is delivered again after its visibility timeout.
                if let Err(cause) = queue.retry_later(delivery, None).await {
                    warn!(%cause, "Message not postponed");
                }
                Err(error)
            }
        }
    }

    /// Fails a run of a settlement, unless the settlement has ended or another run has begun.
    pub(super) async fn fail(
        &self,
        job: JobId,
        run: u32,
        cause: &JobFailure,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let failure = cause.record();
        let transition = Transition::Fail { run, failure: failure.clone() };
        if let TransitionOutcome::Applied(_) = self.store.transition(job, &transition, now).await? {
            error!(job.id = %job, failure.code, failure.message, "Settlement failed");
            metrics::counter!("SettlementsFailed").increment(1);
            if cause.is_mismatch() {
                metrics::counter!("ControlTotalMismatches").increment(1);
            }
        }
        Ok(())
    }
}
