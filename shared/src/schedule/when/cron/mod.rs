//! Cron schedules: due when the local time of a time zone matches a cron expression.
//!
//! | file | what |
//! |---|---|
//! | `definition` | a cron schedule: expression, time zone and DST policy |
//! | `expression`, `field` | which local times match, without a time zone |
//! | `dst` | the policy for local times that do not exist or occur twice |
//! | `search` | the first occurrence from a moment on, and the last up to a moment |
//! | `notes` | the effect of clock changes, in words |

mod definition;
mod dst;
mod expression;
mod field;
mod notes;
mod search;

use jiff::Timestamp as Instant;

pub use self::{
    definition::Cron,
    dst::{Ambiguity, Dst, Gap},
    expression::{Expression, InvalidExpression},
    field::InvalidField,
};
use super::{Recurrence, Zone, latest};
use crate::{json::FieldError, time::Timestamp};

impl Recurrence for Cron {
    fn first_from(&self, _: Timestamp, at: Timestamp) -> Option<Timestamp> {
        // Local times of an expression are whole seconds.
        let second =
            at.as_millis().div_euclid(1000) + i64::from(at.as_millis().rem_euclid(1000) > 0);
        search::first_from(self, Instant::from_second(second).ok()?).map(Timestamp::from)
    }

    fn last_before(&self, _: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let second = (at.as_millis() - 1).div_euclid(1000).min(latest().as_seconds());
        search::last_to(self, Instant::from_second(second).ok()?).map(Timestamp::from)
    }

    fn check(&self) -> Result<(), FieldError> {
        self.expression().check().map_err(|error| FieldError::new("expression", error))
    }

    fn describe(&self) -> String {
        format!("{}, in {}", self.expression().describe(), self.zone())
    }

    fn zone(&self) -> &Zone {
        self.timezone()
    }

    fn note(&self, at: Timestamp) -> Option<String> {
        notes::for_occurrence(self, at)
    }

    fn skipped_times(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        notes::skipped_times(self, from, to)
    }
}
