//! A run, the execution of one occurrence: its states, as callers see it, and as it is stored.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::occurrence::Occurrence;
use crate::{claim::Fence, cursor::Place, time::Timestamp};

/// The lifetime of a final result: longer than runs are kept, and than any backoff.
pub const FOREVER: Duration = Duration::from_hours(24 * 365 * 100);

/// Returns whether a result is final: no further attempt follows.
pub fn is_final(completed_at: Timestamp, expires_at: Timestamp) -> bool {
    expires_at.since(completed_at) >= FOREVER
}

/// The place of a run in its job's history.
pub type RunPlace = Place<Uuid>;

/// The state of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RunState {
    /// Its message was sent, and no attempt has started.
    Queued,
    /// An attempt is in progress.
    Running,
    /// An attempt failed, and another one follows.
    Retrying,
    /// The action was performed.
    Completed,
    /// The action failed, and no attempt follows.
    Failed,
    /// The action was not performed: the occurrence was missed, or another run was live.
    Skipped,
}

/// A run that a caller requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunRequested {
    /// Its id in the job's history.
    pub run_id: Uuid,
    /// When it was first requested.
    pub due_at: Timestamp,
    /// Always [`RunState::Queued`], also for a repeated request whose run has started since.
    pub state: RunState,
}

impl From<&Occurrence> for RunRequested {
    fn from(occurrence: &Occurrence) -> Self {
        Self { run_id: occurrence.run, due_at: occurrence.due_at, state: RunState::Queued }
    }
}

/// A run as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Its id.
    pub run_id: Uuid,
    /// The time of the occurrence, or of the request.
    pub due_at: Timestamp,
    /// The start of the first attempt.
    pub started_at: Option<Timestamp>,
    /// The end of the run; `None` while attempts may follow.
    pub finished_at: Option<Timestamp>,
    /// Its state.
    pub state: RunState,
    /// How often an attempt was started.
    pub attempts: u64,
    /// The result of the action.
    pub result: Option<String>,
    /// The last error, or the reason why the run was skipped.
    pub error: Option<String>,
    /// The earliest of the missed occurrences that this run represents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed_since: Option<Timestamp>,
}

/// A run as it is stored: the claim of its occurrence, and the attributes added to it.
#[derive(Debug, Deserialize)]
pub struct RunRecord {
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

impl From<RunRecord> for RunView {
    fn from(record: RunRecord) -> Self {
        // A failure that expires is followed by another attempt.
        let is_finished = record
            .completed_at
            .zip(record.expires_at)
            .is_some_and(|(completed_at, expires_at)| is_final(completed_at, expires_at));
        let state = match record.state.as_str() {
            _ if record.skipped => RunState::Skipped,
            "RUNNING" => RunState::Running,
            "DONE" => RunState::Completed,
            _ if is_finished => RunState::Failed,
            _ => RunState::Retrying,
        };
        Self {
            run_id: record.run,
            due_at: record.due_at,
            started_at: record.started_at,
            finished_at: record.completed_at.filter(|_| is_finished),
            state,
            attempts: record.fence.number(),
            result: record.result,
            error: record.error,
            missed_since: record.missed_since,
        }
    }
}
