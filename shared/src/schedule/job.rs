//! A job as it is kept, and as callers see it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    action::Action,
    when::{Overlap, Schedule},
};
use crate::{
    digest::sha256, dynamo::Json, id::prefixed_id, tagged::FieldError, time::Timestamp,
    validated::Text, webhook::Guard,
};

prefixed_id!(
    /// `scheduled_job_<uuid>`
    ScheduledJobId,
    InvalidScheduledJobId,
    "scheduled_job",
    "must be a scheduled job id: scheduled_job_ and a UUID in lower case"
);

/// Occurrences to come that a job tells of.
const NEXT_RUNS: usize = 5;

/// `POST /scheduler/jobs`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewScheduledJob {
    /// Up to 100 characters.
    pub name: Text<100>,
    /// What is done at its times.
    pub action: Action,
}

impl NewScheduledJob {
    /// It may be done at all.
    pub fn check(self, guard: Guard) -> Result<Self, FieldError> {
        self.action.check(guard).map(|()| self)
    }
}

/// A job as it is kept. Action and schedule are texts of JSON: a number of a body need not be one of the store's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScheduledJob {
    pub id: ScheduledJobId,
    pub name: Text<100>,
    pub action: Json<Action>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Json<Schedule>>,
    pub paused: bool,
    /// How often a caller has changed it, from 1.
    pub version: u64,
    /// Which schedule its occurrences are of: a new one with each change of the schedule, each pause and each resumption.
    pub generation: Uuid,
    /// The first occurrence that no message was sent for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Timestamp>,
    /// The hash of what it was made of, by which the same request is known when it comes again.
    pub made_of: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl ScheduledJob {
    pub fn new(id: ScheduledJobId, new: NewScheduledJob, now: Timestamp) -> Self {
        let made_of = serde_json::to_vec(&new).map_or(String::new(), |request| sha256(&request));
        Self {
            id,
            made_of,
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

    /// With another name and action. What is queued of it will do the new one.
    pub fn renamed(self, new: NewScheduledJob, now: Timestamp) -> Self {
        Self {
            name: new.name,
            action: Json(new.action),
            version: self.version + 1,
            updated_at: now,
            ..self
        }
    }

    /// With another schedule, or none: what is queued is taken back, and its occurrences begin after this moment.
    pub fn scheduled(self, schedule: Option<Schedule>, now: Timestamp) -> Self {
        Self { schedule: schedule.map(Json), ..self }.replanned(now)
    }

    /// Paused or resumed: what is queued is taken back, and what would have been due meanwhile is nobody's.
    pub fn paused(self, paused: bool, now: Timestamp) -> Self {
        Self { paused, ..self }.replanned(now)
    }

    fn replanned(self, now: Timestamp) -> Self {
        Self {
            next_run_at: self.live().and_then(|schedule| schedule.next(now, 1).pop()),
            version: self.version + 1,
            generation: Uuid::now_v7(),
            updated_at: now,
            ..self
        }
    }

    /// What a run does while another one is live.
    pub fn overlap(&self) -> Overlap {
        self.schedule.as_ref().map_or(Overlap::Skip, |Json(schedule)| schedule.overlap())
    }

    /// Its schedule, where it has occurrences.
    fn live(&self) -> Option<&Schedule> {
        self.schedule.as_ref().filter(|_| !self.paused).map(|Json(schedule)| schedule)
    }

    fn state(&self, to_come: usize) -> State {
        match self.schedule {
            _ if self.paused => State::Paused,
            None => State::Unscheduled,
            Some(_) if to_come == 0 => State::Ended,
            Some(_) => State::Active,
        }
    }
}

/// What a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Its next occurrence.
    Active,
    /// To be resumed.
    Paused,
    /// A schedule.
    Unscheduled,
    /// Nothing: its last occurrence is past.
    Ended,
}

/// A job as callers see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobView {
    /// Its id.
    pub id: ScheduledJobId,
    /// Its name.
    pub name: Text<100>,
    /// What is done at its times.
    pub action: Action,
    /// When; `null`: only by hand.
    pub schedule: Option<Schedule>,
    /// What it waits for.
    pub state: State,
    /// Grows with every change; the `ETag`.
    pub version: u64,
    /// The next five times.
    pub next_runs: Vec<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl JobView {
    pub(super) fn of(job: ScheduledJob, now: Timestamp) -> Self {
        let next_runs =
            job.live().map(|schedule| schedule.next(now, NEXT_RUNS)).unwrap_or_default();
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
