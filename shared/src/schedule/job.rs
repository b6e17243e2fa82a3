//! A scheduled job, as it is stored and as callers see it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    action::Action,
    id::ScheduledJobId,
    occurrence::Occurrence,
    when::{Overlap, Schedule},
};
use crate::{
    digest::sha256,
    dynamo::Json,
    json::{FieldError, FromJson, Object, Value},
    time::Timestamp,
    validated::Text,
    webhook::Guard,
};

/// The number of next occurrences in a [`JobView`].
const NEXT_RUNS: usize = 5;

/// The body of `POST /scheduler/jobs`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewScheduledJob {
    /// Up to 100 characters.
    pub name: Text<100>,
    /// What each run does.
    pub action: Action,
}

impl FromJson for NewScheduledJob {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut job = Object::read(value)?;
        let new = Self { name: job.require("name")?, action: job.require("action")? };
        job.finish().map(|()| new)
    }
}

impl NewScheduledJob {
    /// Rejects an action that must not be performed.
    pub fn check(self, guard: Guard) -> Result<Self, FieldError> {
        self.action.check(guard).map(|()| self)
    }
}

/// A scheduled job as it is stored. Action and schedule are JSON texts, since a JSON number may not
/// be a valid number of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduledJob {
    pub id: ScheduledJobId,
    pub name: Text<100>,
    pub action: Json<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Json<Schedule>>,
    pub paused: bool,
    /// Incremented by every change that a caller makes, from 1.
    pub version: u64,
    /// Identifies the occurrences that may run: replaced whenever the schedule is set or removed,
    /// or the job is paused or resumed.
    pub generation: Uuid,
    /// The first occurrence for which no message was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Timestamp>,
    /// The hash of the request that created it, to recognize a repeat of that request.
    pub request_hash: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ScheduledJob {
    /// A job without a schedule, at version 1.
    pub fn new(id: ScheduledJobId, new: NewScheduledJob, now: Timestamp) -> Self {
        let request_hash =
            serde_json::to_vec(&new).map_or(String::new(), |request| sha256(&request));
        Self {
            id,
            request_hash,
            name: new.name,
            action: Json(new.action),
            schedule: None,
            paused: false,
            version: 1,
            generation: Uuid::now_v7(),
            next_run_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The next version, with another name and action. Queued occurrences perform the new action.
    pub fn replaced(self, new: NewScheduledJob, now: Timestamp) -> Self {
        Self {
            name: new.name,
            action: Json(new.action),
            version: self.version + 1,
            updated_at: now,
            ..self
        }
    }

    /// The next version, with another schedule or none. Queued occurrences are revoked, and new
    /// ones begin after `now`.
    pub fn with_schedule(self, schedule: Option<Schedule>, now: Timestamp) -> Self {
        Self { schedule: schedule.map(Json), ..self }.with_new_generation(now)
    }

    /// The next version, paused or resumed. Queued occurrences are revoked, and those that are due
    /// while the job is paused never run.
    pub fn with_paused(self, paused: bool, now: Timestamp) -> Self {
        Self { paused, ..self }.with_new_generation(now)
    }

    fn with_new_generation(self, now: Timestamp) -> Self {
        Self {
            next_run_at: self.active_schedule().and_then(|schedule| schedule.next(now, 1).pop()),
            version: self.version + 1,
            generation: Uuid::now_v7(),
            updated_at: now,
            ..self
        }
    }

    /// Returns whether an occurrence may run: it is of the current generation and the job is not
    /// paused, or a caller requested it.
    pub fn accepts(&self, occurrence: &Occurrence) -> bool {
        let generation = occurrence.generation;
        generation.is_none_or(|generation| generation == self.generation && !self.paused)
    }

    /// The policy for a run that is due while another one is live.
    pub fn overlap(&self) -> Overlap {
        self.schedule.as_ref().map_or(Overlap::Skip, |Json(schedule)| schedule.overlap())
    }

    /// The schedule, unless the job is paused.
    fn active_schedule(&self) -> Option<&Schedule> {
        self.schedule.as_ref().filter(|_| !self.paused).map(|Json(schedule)| schedule)
    }

    fn state(&self, upcoming: usize) -> State {
        match self.schedule {
            _ if self.paused => State::Paused,
            None => State::Unscheduled,
            Some(_) if upcoming == 0 => State::Ended,
            Some(_) => State::Active,
        }
    }
}

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It waits for its next occurrence.
    Active,
    /// It waits to be resumed.
    Paused,
    /// It has no schedule.
    Unscheduled,
    /// Its last occurrence is past.
    Ended,
}

/// A job as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    /// Its id.
    pub id: ScheduledJobId,
    /// Its name.
    pub name: Text<100>,
    /// What each run does.
    pub action: Action,
    /// When it is due; `None` if it runs only on request.
    pub schedule: Option<Schedule>,
    /// Its state.
    pub state: State,
    /// Incremented by every change; the `ETag`.
    pub version: u64,
    /// The next occurrences, at most five, earliest first.
    pub next_runs: Vec<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl JobView {
    /// The view of a job at a moment, which its state and its next occurrences depend on.
    pub(super) fn new(job: ScheduledJob, now: Timestamp) -> Self {
        let next_runs =
            job.active_schedule().map(|schedule| schedule.next(now, NEXT_RUNS)).unwrap_or_default();
        Self {
            state: job.state(next_runs.len()),
            id: job.id,
            name: job.name,
            action: job.action.0,
            schedule: job.schedule.map(|Json(schedule)| schedule),
            version: job.version,
            next_runs,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}
