//! UTC days, as settlements count them.

use std::str::FromStr;

use once::time::Timestamp;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A UTC day from 1970 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(i64);

impl Day {
    /// The day of a moment.
    pub fn of(millis: i64) -> Self {
        Self(millis.div_euclid(DAY_MS))
    }

    /// So many days earlier.
    pub fn minus(self, days: u16) -> Self {
        Self(self.0 - i64::from(days))
    }

    /// How many days after 1970-01-01.
    pub fn number(self) -> i64 {
        self.0
    }

    /// Its first millisecond.
    pub fn first(self) -> i64 {
        self.0 * DAY_MS
    }

    /// Its last millisecond.
    pub fn last(self) -> i64 {
        self.first() + DAY_MS - 1
    }
}

/// A text that is no day.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a day from 1970 on, like 2026-11-20")]
pub struct UnfitDay;

impl FromStr for Day {
    type Err = UnfitDay;

    fn from_str(text: &str) -> Result<Self, UnfitDay> {
        let start: Timestamp = format!("{text}T00:00:00Z").parse().map_err(|_| UnfitDay)?;
        (start.date() == text && start.as_millis() >= 0).then(|| Self::of(start.as_millis())).ok_or(UnfitDay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_text() {
        let day: Day = "2026-11-20".parse().expect("a day");
        assert_eq!(Timestamp::from_millis(day.first()).to_string(), "2026-11-20T00:00:00.000Z");
        assert_eq!(Timestamp::from_millis(day.last()).to_string(), "2026-11-20T23:59:59.999Z");
        assert_eq!((Day::of(day.last()), Day::of(day.last() + 1).minus(1)), (day, day));
        for unfit in ["", "today", "2026-11-31", "2026-1-2", "20261120", "1969-12-31", "2026-11-20T00:00:00Z"] {
            assert_eq!(unfit.parse::<Day>(), Err(UnfitDay), "{unfit}");
        }
    }
}
