//! When things are due. It is arithmetic only: it knows no store, and no clock but the moment it is asked about.
//!
//! | file | what |
//! |---|---|
//! | `fixed` | every so many seconds |
//! | `cron` | whenever a wall clock shows what an expression names |
//! | `field`, `expression`, `zone`, `dst`, `search`, `note` | what cron schedules are made of |
//! | `schedule`, `policy` | the window of either, and what becomes of times that were missed or come too soon |
//! | `preview` | the next times, with what changes of the clock do to them |
//!
//! The JSON of a schedule is the same in requests, in the store and in answers; what a request leaves out is spelled
//! out from then on. A new kind of schedule is a file with its members and its [`Recurrence`], and a line in each `match`
//! here.

mod cron;
mod dst;
mod expression;
mod field;
mod fixed;
mod note;
mod policy;
mod preview;
#[cfg(test)]
mod sample;
mod schedule;
mod search;
mod zone;

use serde::{Deserialize, Deserializer, Serialize};

pub use self::{
    cron::Cron,
    dst::{Ambiguity, Dst, Gap},
    expression::{Expression, InvalidExpression},
    field::Unread,
    fixed::{Every, Fixed},
    policy::{Misfire, Overlap},
    preview::{Count, Preview, Time, preview},
    schedule::Schedule,
    zone::{InvalidZone, Zone},
};
use crate::{
    tagged::{FieldError, Tagged},
    time::Timestamp,
};

/// The kinds of schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ScheduleKind {
    /// Every so many seconds.
    Fixed(Fixed),
    /// As a wall clock shows it.
    Cron(Cron),
}

/// What every kind of schedule can tell. Answers are worked out, not counted up to: it does not matter how far away
/// they are.
pub trait Recurrence {
    /// The start of a schedule that names none and is made now.
    fn start(&self, now: Timestamp) -> Timestamp {
        now
    }

    /// The first occurrence at a moment or after it. The moment is not before the start.
    fn first_from(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp>;

    /// The last occurrence before a moment. It may be one before the start.
    fn last_before(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp>;

    /// In words: `At 02:30, on Monday, in Europe/Berlin`.
    fn describe(&self) -> String;

    /// Whose clock it goes by.
    fn zone(&self) -> &Zone;

    /// What is special about an occurrence.
    fn note(&self, _at: Timestamp) -> Option<String> {
        None
    }

    /// What does not occur between two moments, although one might expect it.
    fn skipped_times(&self, _from: Timestamp, _to: Timestamp) -> Vec<String> {
        Vec::new()
    }
}

impl ScheduleKind {
    /// Its rule.
    #[must_use]
    pub fn rule(&self) -> &dyn Recurrence {
        match self {
            Self::Fixed(fixed) => fixed,
            Self::Cron(cron) => cron,
        }
    }
}

impl TryFrom<Tagged> for ScheduleKind {
    type Error = FieldError;

    fn try_from(tagged: Tagged) -> Result<Self, FieldError> {
        match tagged.kind() {
            "fixed" => tagged.rest().map(Self::Fixed),
            "cron" => tagged.rest().map(Self::Cron),
            _ => Err(tagged.unknown_type(&["fixed", "cron"])),
        }
    }
}

/// A member that may be absent, but is no `null`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
