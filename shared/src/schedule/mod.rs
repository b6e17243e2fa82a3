//! Scheduled jobs: **an occurrence fires once**, at its time, in its time zone.
//!
//! A job has an action and a schedule. Each minute a tick reads from an index the jobs that are due
//! until the end of the next minute. It *first* sends a message for each occurrence, delayed until
//! it is due, and *then* advances the job to the occurrence after them. So every occurrence that a
//! job has advanced past was sent, and the next tick repeats the work of a tick that died in
//! between: its messages are sent twice. A worker that receives a message claims its occurrence
//! ([`crate::claim`]), and performs the action if no other worker did.
//!
//! A job has a new *generation* whenever its schedule is set or removed, or it is paused or
//! resumed. Messages name their generation, and workers drop messages of another one. So a change
//! revokes queued occurrences in the same write; it sends those of the new generation that are due
//! before the next tick.
//!
//! Not covered: a pause or a change does not stop an attempt that has begun. If a worker dies after
//! it performed an action and before it recorded the result, the action is performed again: a
//! webhook with the same id, a settlement under the same id. `docs/SCHEDULE.md` has the protocol.
//!
//! | file | what |
//! |---|---|
//! | `id`, `occurrence` | ids of jobs and runs; an occurrence and its message |
//! | `job`, `run` | a job and a run, as stored and as callers see them |
//! | `when` | schedules: when a job is due |
//! | `action` | what a run does |
//! | `job_store`, `run_store`, `overlap` | jobs, runs and the slots of live runs in the table |
//! | `edit`, `list` | what callers do: create, change, delete and run jobs; list jobs and runs |
//! | `due`, `dispatch` | the tick: which occurrences fire; sending them and advancing the jobs |
//! | `work` | the worker: executes an occurrence |
//! | `backlog` | jobs that wait for a tick, for health checks and metrics |
//!
//! [`Schedules`] is one type; each of `edit`, `list`, `dispatch`, `work` and `backlog` implements
//! the methods of its use case.

mod action;
mod backlog;
mod dispatch;
mod due;
mod edit;
mod id;
mod job;
mod job_store;
mod list;
mod occurrence;
mod overlap;
mod run;
mod run_store;
pub mod when;
mod work;

use std::{sync::OnceLock, time::Duration};

use self::{job_store::JobStore, overlap::OverlapGuard, run_store::RunStore};
use crate::{
    aws::{Aws, ServiceError},
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use action::{Action, ActionContext};
pub use backlog::Backlog;
pub use dispatch::TickSummary;
pub use due::{
    DueOccurrences, GRACE, MAX_OCCURRENCES_PER_TICK, MissedRange, due_occurrences, horizon,
};
pub use edit::{CreateError, CreatedJob, EditError};
pub use id::{InvalidScheduledJobId, ScheduledJobId};
pub use job::{JobView, NewScheduledJob, State};
pub use list::ScheduledJobPlace;
pub use occurrence::Occurrence;
pub use run::{RunPlace, RunRequested, RunState, RunView};
pub use when::{Misfire, Overlap, Schedule};
pub use work::{RunError, RunOutcome};
#[cfg(feature = "testing")]
pub(crate) use {job::ScheduledJob, job_store::item as scheduled_job_item};

/// Settings of scheduled jobs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The table `Schedules`.
    pub table: String,
    /// The URL of the queue of occurrences.
    pub queue_url: String,
    /// The maximum number of attempts at a run.
    pub max_attempts: u32,
    /// How long runs are kept.
    pub retention: Duration,
}

impl Settings {
    /// Reads `SCHEDULES_TABLE`, `SCHEDULE_QUEUE_URL`, `SCHEDULE_MAX_ATTEMPTS` and
    /// `RUN_RETENTION_DAYS`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let retention_days = variables.number("RUN_RETENTION_DAYS", 30, 1..=3_650)?;
        Ok(Self {
            table: variables.required("SCHEDULES_TABLE")?,
            queue_url: variables.required("SCHEDULE_QUEUE_URL")?,
            max_attempts: variables.number("SCHEDULE_MAX_ATTEMPTS", 5, 1..=20)?,
            retention: Duration::from_hours(24 * retention_days),
        })
    }
}

/// Scheduled jobs and their runs.
#[derive(Debug)]
pub struct Schedules {
    jobs: JobStore,
    runs: RunStore,
    slots: OverlapGuard,
    aws: Aws,
    settings: Settings,
    queue: OnceLock<Queue>,
}

impl Schedules {
    /// Scheduled jobs in the table and the queue of these settings.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        let (client, table) = (aws.dynamo(), settings.table.clone());
        Self {
            jobs: JobStore::new(client.clone(), table.clone()),
            runs: RunStore::new(client.clone(), table.clone(), settings.retention),
            slots: OverlapGuard::new(client, table),
            aws: aws.clone(),
            settings: settings.clone(),
            queue: OnceLock::new(),
        }
    }

    /// Makes one cheap call, so that the first request finds an open connection.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.jobs.job(ScheduledJobId::from(uuid::Uuid::nil())).await.map(drop)
    }

    fn queue(&self) -> &Queue {
        self.queue.get_or_init(|| Queue::new(self.aws.sqs(), self.settings.queue_url.clone()))
    }
}
