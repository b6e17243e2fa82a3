//! One occurrence: how it is named, what is sent of it, and what callers see of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ScheduledJobId, job::ScheduledJob};
use crate::{
    claim::Fence,
    cursor::Cursor,
    digest,
    dynamo::keys::{self, Key},
    time::Timestamp,
};

/// What comes of a run holds for so long: longer than it is kept, and than anybody waits before another try.
pub const FOREVER: Duration = Duration::from_hours(24 * 365 * 100);

/// What came of a run at this moment, and holds until then, is not tried again.
pub fn is_for_good(completed_at: Timestamp, expires_at: Timestamp) -> bool {
    expires_at.since(completed_at) >= FOREVER
}

/// The place of a run in its job's history.
pub type RunCursor = Cursor<Uuid>;

/// An occurrence, as its message tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Occurrence {
    /// Whose it is.
    pub job: ScheduledJobId,
    /// When it is due.
    pub due_at: Timestamp,
    /// Its name: all that happens for it shares it.
    pub run: Uuid,
    /// The schedule that it is of; none: somebody has asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<Uuid>,
    /// It stands for all that were missed since this one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
}

impl Occurrence {
    /// Of a schedule: the same job and time have one name, whoever sends it and how often.
    #[must_use]
    pub fn of_schedule(job: ScheduledJobId, generation: Uuid, due_at: Timestamp) -> Self {
        let run = digest::uuid(Sha256::new().chain_update(format!("{job}#{due_at}")));
        Self { job, due_at, run, generation: Some(generation), missed_since: None }
    }

    /// By hand.
    #[must_use]
    pub fn by_hand(job: ScheduledJobId, run: Uuid, due_at: Timestamp) -> Self {
        Self { job, due_at, run, generation: None, missed_since: None }
    }

    /// For all that were missed since this one, too.
    #[must_use]
    pub fn standing_for(self, missed_since: Timestamp) -> Self {
        Self { missed_since: Some(missed_since), ..self }
    }

    /// Where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        keys::run(&self.job.to_string(), self.due_at, self.run)
    }

    /// The job still wants it: it is of its schedule as it is now, or somebody has asked for it.
    #[must_use]
    pub fn is_current(&self, job: &ScheduledJob) -> bool {
        self.generation.is_none_or(|generation| generation == job.generation && !job.paused)
    }
}

/// How an occurrence is getting on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunState {
    /// Its message was sent, and nobody has begun.
    Queued,
    /// Its action is being done.
    Running,
    /// Its action has failed and will be tried again.
    Retrying,
    /// Its action is done.
    Completed,
    /// Its action could not be done.
    Failed,
    /// Its action is not done: it was missed, or another run was live.
    Skipped,
}

/// A run that somebody has asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRequested {
    /// Its name in the history of the job.
    pub run_id: Uuid,
    /// When it was asked for first.
    pub due_at: Timestamp,
    /// It is queued, whatever has become of it since.
    pub state: RunState,
}

impl From<&Occurrence> for RunRequested {
    fn from(occurrence: &Occurrence) -> Self {
        Self { run_id: occurrence.run, due_at: occurrence.due_at, state: RunState::Queued }
    }
}

/// An occurrence as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Its name.
    pub run_id: Uuid,
    /// When it was due.
    pub due_at: Timestamp,
    /// When its action was begun first.
    pub started_at: Option<Timestamp>,
    /// When nothing was left to do.
    pub finished_at: Option<Timestamp>,
    /// How it is getting on.
    pub state: RunState,
    /// How often its action was begun.
    pub attempts: u64,
    /// What came of it.
    pub result: Option<String>,
    /// What went wrong last.
    pub error: Option<String>,
    /// It stands for all that were missed since this one, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
}

/// As the table has it: a claim, and what was noted with it.
#[derive(Debug, Deserialize)]
pub struct Stored {
    run: Uuid,
    due_at: Timestamp,
    started_at: Option<Timestamp>,
    missed_since: Option<Timestamp>,
    #[serde(default)]
    skipped: bool,
    state: String,
    fence: Fence,
    result: Option<String>,
    error: Option<String>,
    completed_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

impl From<Stored> for RunView {
    fn from(stored: Stored) -> Self {
        // A failure that holds for a while is tried again; one that holds for good is not.
        let over = stored
            .completed_at
            .zip(stored.expires_at)
            .is_some_and(|(at, until)| is_for_good(at, until));
        let state = match stored.state.as_str() {
            _ if stored.skipped => RunState::Skipped,
            "RUNNING" => RunState::Running,
            "DONE" => RunState::Completed,
            _ if over => RunState::Failed,
            _ => RunState::Retrying,
        };
        Self {
            run_id: stored.run,
            due_at: stored.due_at,
            started_at: stored.started_at,
            finished_at: stored.completed_at.filter(|_| over),
            state,
            attempts: stored.fence.number(),
            result: stored.result,
            error: stored.error,
            missed_since: stored.missed_since,
        }
    }
}
