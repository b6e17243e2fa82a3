//! An occurrence of a job, and the message that the queue delivers for it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::{ScheduledJobId, scheduled_run_id};
use crate::{
    dynamo::keys::{self, Key},
    time::Timestamp,
};

/// One time at which a job is due, or one request to run it. Its JSON is the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// The id of the job.
    pub job: ScheduledJobId,
    /// When it is due.
    pub due_at: Timestamp,
    /// The id of its run, the same in all messages and attempts.
    pub run: Uuid,
    /// The job's generation when the message was sent; `None` if a caller requested the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Uuid>,
    /// The earliest of the missed occurrences that this one represents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
}

impl Occurrence {
    /// An occurrence of a schedule. The same job and time have the same run id, whichever process
    /// sends the message, and however often.
    #[must_use]
    pub fn scheduled(job: ScheduledJobId, generation: Uuid, due_at: Timestamp) -> Self {
        let run = scheduled_run_id(job, due_at);
        Self { job, due_at, run, generation: Some(generation), missed_since: None }
    }

    /// A run that a caller requested. It is of no generation: a change does not revoke it.
    #[must_use]
    pub fn requested(job: ScheduledJobId, run: Uuid, due_at: Timestamp) -> Self {
        Self { job, due_at, run, generation: None, missed_since: None }
    }

    /// The same occurrence, as the one that represents all that were missed since this time.
    #[must_use]
    pub fn with_missed_since(self, missed_since: Timestamp) -> Self {
        Self { missed_since: Some(missed_since), ..self }
    }

    /// The key of its run.
    #[must_use]
    pub fn key(&self) -> Key {
        keys::run(&self.job.to_string(), self.due_at, self.run)
    }
}
