//! Ids of scheduled jobs and of their runs.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{digest, id::prefixed_id, time::Timestamp};

prefixed_id!(
    /// The id of a scheduled job: `scheduled_job_<uuid>`.
    ScheduledJobId,
    InvalidScheduledJobId,
    "scheduled_job",
    "must be a scheduled job id: scheduled_job_ and a UUID in lower case"
);

/// Derives the id of the run of an occurrence from its job and time, so that every sender gives it
/// the same id.
pub fn scheduled_run_id(job: ScheduledJobId, due_at: Timestamp) -> Uuid {
    digest::uuid(Sha256::new().chain_update(format!("{job}#{due_at}")))
}
