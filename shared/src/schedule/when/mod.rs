//! Schedules: when a job is due. Pure arithmetic: it uses no store, and no clock but the moments in
//! its arguments.
//!
//! | file | what |
//! |---|---|
//! | `fixed` | a fixed interval |
//! | `cron` | a cron expression on the local time of a time zone |
//! | `zone` | time zones and their clock changes |
//! | `schedule`, `policy` | start, end, and the policies for missed and overlapping runs |
//! | `preview` | the next occurrences, with the effect of clock changes |
//!
//! The JSON of a schedule is the same in requests, in the store and in responses; the stored
//! schedule has the defaults of omitted members. A new kind of schedule is a file with its members
//! and its [`Recurrence`], and a line in each `match` here.

mod cron;
mod fixed;
#[cfg(test)]
mod fixtures;
mod policy;
mod preview;
mod schedule;
mod zone;

use serde::Serialize;

pub use self::{
    cron::{Ambiguity, Cron, Dst, Expression, Gap, InvalidExpression, InvalidField},
    fixed::{Fixed, IntervalSeconds},
    policy::{Misfire, Overlap},
    preview::{Count, Preview, Time, preview},
    schedule::Schedule,
    zone::{InvalidZone, Zone},
};
use crate::{
    json::{FieldError, Object},
    time::Timestamp,
};

/// The kinds of schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ScheduleKind {
    /// A fixed interval.
    Fixed(Fixed),
    /// A cron expression in a time zone.
    Cron(Cron),
}

/// What every kind of schedule computes. Results are computed, not counted up to: their distance
/// does not matter.
pub trait Recurrence {
    /// The start of a schedule without `start_at` that is set now.
    fn start(&self, now: Timestamp) -> Timestamp {
        now
    }

    /// The first occurrence at or after a moment, which is not before the start.
    fn first_from(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp>;

    /// The last occurrence before a moment. It may be before the start.
    fn last_before(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp>;

    /// Rejects what is no longer accepted, but may be stored.
    fn check(&self) -> Result<(), FieldError> {
        Ok(())
    }

    /// The schedule in words: `At 02:30, on Monday, in Europe/Berlin`.
    fn describe(&self) -> String;

    /// The time zone of its local times.
    fn zone(&self) -> &Zone;

    /// The effect of a clock change on an occurrence, in words.
    fn note(&self, _at: Timestamp) -> Option<String> {
        None
    }

    /// The matching times between two moments that do not run because of a clock change, in words.
    fn skipped_times(&self, _from: Timestamp, _to: Timestamp) -> Vec<String> {
        Vec::new()
    }
}

/// Returns the last moment at which an occurrence can be: it has a local time in every zone.
fn latest() -> Timestamp {
    jiff::Timestamp::MAX.into()
}

impl ScheduleKind {
    /// Reads the members of a schedule that not all kinds have.
    fn read(mut schedule: Object<'_>) -> Result<Self, FieldError> {
        match schedule.kind()?.as_str() {
            "fixed" => schedule.rest().map(Self::Fixed),
            "cron" => schedule.rest().map(Self::Cron),
            unknown => Err(Object::unknown_kind(unknown, &["fixed", "cron"])),
        }
    }

    /// Returns the rule that computes its occurrences.
    #[must_use]
    pub fn rule(&self) -> &dyn Recurrence {
        match self {
            Self::Fixed(fixed) => fixed,
            Self::Cron(cron) => cron,
        }
    }
}
