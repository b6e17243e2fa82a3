//! Days.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Timestamp, rfc3339};
use crate::validated::string_conversions;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A day in UTC, from 1970 on: `2026-11-20`. Texts sort like days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i64);

impl Day {
    /// Returns the day that contains a time.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(DAY_MS))
    }

    /// Returns the day `days` later.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// Returns the number of days since 1970-01-01.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// Returns the Monday of its week.
    #[must_use]
    pub fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        self.plus(-(self.0 + 3).rem_euclid(7))
    }

    /// Returns the first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        let start = rfc3339::civil(self.start().as_millis());
        self.plus(1 - i64::from(start.day()))
    }

    /// Returns its start.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * DAY_MS)
    }

    /// Returns its end: the start of the next one.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// Returns its last millisecond.
    #[must_use]
    pub fn last(self) -> Timestamp {
        Timestamp::from_millis(self.end().as_millis() - 1)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.start().date())
    }
}

impl FromStr for Day {
    type Err = InvalidDay;

    fn from_str(text: &str) -> Result<Self, InvalidDay> {
        let start: Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| InvalidDay)?;
        (start.date() == text && start.as_millis() >= 0).then(|| Self::of(start)).ok_or(InvalidDay)
    }
}

/// A text that is not a day.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be a day from 1970 on, such as 2026-11-20")]
pub struct InvalidDay;

string_conversions!(Day);

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    #[test]
    fn a_day_has_one_text() {
        let day: Day = "2026-11-20".parse().expect("a day");
        assert_eq!(
            (day.start(), day.last()),
            (time("2026-11-20T00:00:00Z"), time("2026-11-20T23:59:59.999Z"))
        );
        assert_eq!(
            (Day::of(day.last()), Day::of(day.end()).plus(-1), day.to_string().as_str()),
            (day, day, "2026-11-20")
        );
        for invalid in [
            "",
            "today",
            "2026-11-31",
            "2025-02-30",
            "2026-13-01",
            "2026-1-2",
            "20261120",
            "1969-12-31",
            "2026-11-20T00:00:00Z",
            "2026-11-20 ",
            "+2026-11-20",
        ] {
            assert_eq!(invalid.parse::<Day>(), Err(InvalidDay), "{invalid}");
        }
    }
}
