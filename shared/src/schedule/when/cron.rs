//! Whenever the wall clock of a time zone shows what an expression names.

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{Dst, Expression, Recurrence, Zone, dst::DstOverride, note, search};
use crate::time::Timestamp;

/// An expression, and the clock that it is held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form")]
pub struct Cron {
    expression: Expression,
    timezone: Zone,
    dst: Dst,
}

/// As a request says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    expression: Expression,
    #[serde(default)]
    timezone: Zone,
    #[serde(default)]
    dst: DstOverride,
}

impl From<Form> for Cron {
    fn from(Form { expression, timezone, dst }: Form) -> Self {
        Self { dst: dst.or_usual(&expression), expression, timezone }
    }
}

impl Cron {
    /// Which wall times.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// What becomes of those that do not exist or come twice.
    #[must_use]
    pub fn dst(&self) -> Dst {
        self.dst
    }
}

impl Recurrence for Cron {
    fn first_from(&self, _: Timestamp, at: Timestamp) -> Option<Timestamp> {
        // Expressions name whole seconds.
        let second =
            at.as_millis().div_euclid(1000) + i64::from(at.as_millis().rem_euclid(1000) > 0);
        search::first_from(self, Instant::from_second(second).ok()?).map(Timestamp::from)
    }

    fn last_before(&self, _: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let second = (at.as_millis() - 1).div_euclid(1000);
        search::last_to(self, Instant::from_second(second).ok()?).map(Timestamp::from)
    }

    fn describe(&self) -> String {
        format!("{}, in {}", self.expression.describe(), self.timezone)
    }

    fn zone(&self) -> &Zone {
        &self.timezone
    }

    fn note(&self, at: Timestamp) -> Option<String> {
        note::of(self, at)
    }

    fn skipped_times(&self, from: Timestamp, to: Timestamp) -> Vec<String> {
        note::skipped_times(self, from, to)
    }
}
