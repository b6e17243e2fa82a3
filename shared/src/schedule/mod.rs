//! Jobs at their times: **an occurrence of a schedule fires once**, at its time, in its time zone.
//!
//! A job has an action and a schedule. Each minute a tick looks in an index for the jobs that are due until the end of the next minute. It
//! *first* sends a message for each occurrence, to be delivered at its time, and *then* moves the job on to the occurrence after them. So
//! what is moved past was sent, and a tick that dies in between is done again by the next one: its messages come twice. Whoever gets a
//! message claims its occurrence ([`crate::claim`]), and does the action if nobody has.
//!
//! A schedule that is changed, paused or resumed has a new *generation*. Messages name the generation that they are of, and those of another
//! one are nobody's: what was queued is taken back by the change itself, and what the new one wants is sent by the new one.
//!
//! Not covered: a run that has begun is not stopped by a pause or a change. An action that was done and whose worker died before it could say
//! so is done again: a webhook under the same id, a settlement under the same name. `docs/SCHEDULE.md` has the protocol.

mod action;
mod backlog;
mod dispatch;
mod edit;
mod job;
mod list;
mod overlap;
mod plan;
mod run;
mod runs;
mod store;
pub mod when;
mod work;

use std::{sync::OnceLock, time::Duration};

use self::{overlap::OverlapGuard, runs::Runs, store::Store};
use crate::{
    aws::{Aws, ServiceError},
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use action::{Action, ActionContext};
pub use backlog::Backlog;
pub use dispatch::TickSummary;
pub use edit::{CreateError, Created, EditError};
pub use job::{InvalidScheduledJobId, JobView, NewScheduledJob, ScheduledJobId, State};
pub use list::{RunPage, ScheduledJobCursor, ScheduledJobPage};
pub use plan::{GRACE, MOST, Missed, Plan, horizon, plan};
pub use run::{Occurrence, RunCursor, RunRequested, RunState, RunView};
pub use when::{Misfire, Overlap, Schedule};
pub use work::{RunError, RunOutcome};
#[cfg(feature = "testing")]
pub(crate) use {job::ScheduledJob, store::item as scheduled_job_item};

/// Where jobs are kept, and how often they are tried.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Schedules`.
    pub table: String,
    /// URL of the queue of occurrences.
    pub queue_url: String,
    /// How often the action of an occurrence is tried.
    pub max_attempts: u32,
    /// How long the history of runs is kept.
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
    store: Store,
    runs: Runs,
    live: OverlapGuard,
    aws: Aws,
    settings: Settings,
    queue: OnceLock<Queue>,
}

impl Schedules {
    /// Over the settings' table and queue.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        let (client, table) = (aws.dynamo(), settings.table.clone());
        Self {
            store: Store::new(client.clone(), table.clone()),
            runs: Runs::new(client.clone(), table.clone(), settings.retention),
            live: OverlapGuard::new(client, table),
            aws: aws.clone(),
            settings: settings.clone(),
            queue: OnceLock::new(),
        }
    }

    /// One cheap call, so that the connection stands and TLS is set up before the first request.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.store.job(ScheduledJobId::from(uuid::Uuid::nil())).await.map(drop)
    }

    fn queue(&self) -> &Queue {
        self.queue.get_or_init(|| Queue::new(self.aws.sqs(), self.settings.queue_url.clone()))
    }
}
