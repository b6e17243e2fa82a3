//! [`Days`], the range that a settlement covers.

use serde::{Deserialize, Serialize};

use crate::time::{Day, Timestamp};

/// Maximum days of a settlement.
pub const MAX_DAYS: i64 = 366;

/// A range of days in UTC, including both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// Why a range cannot be settled.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidDays {
    /// The first day is after the last one.
    #[error("must not be after to")]
    Backwards,
    /// The range is too long for one settlement.
    #[error("the range must have at most {MAX_DAYS} days, not {0}")]
    TooMany(i64),
    /// The range ends in the future.
    #[error("must not be after today, {0} in UTC")]
    Future(Day),
}

impl InvalidDays {
    /// Returns the name of the invalid field.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Backwards => "from",
            Self::TooMany(_) | Self::Future(_) => "to",
        }
    }
}

impl Days {
    /// Returns the range if it can be settled at this time.
    pub fn check(self, now: Timestamp) -> Result<Self, InvalidDays> {
        let today = Day::of(now);
        if self.to < self.from {
            return Err(InvalidDays::Backwards);
        }
        if self.to > today {
            return Err(InvalidDays::Future(today));
        }
        match self.count() {
            count if count > MAX_DAYS => Err(InvalidDays::TooMany(count)),
            _ => Ok(self),
        }
    }

    /// Returns every day, oldest first.
    pub fn each(self) -> impl Iterator<Item = Day> + use<> {
        (0..self.count()).map(move |n| self.from.plus(n))
    }

    fn count(self) -> i64 {
        self.to.number() - self.from.number() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(from: &str, to: &str) -> Days {
        Days { from: from.parse().expect("a day"), to: to.parse().expect("a day") }
    }

    #[test]
    fn both_ends_are_included() {
        let each: Vec<String> =
            days("2026-02-27", "2026-03-01").each().map(|day| day.to_string()).collect();
        assert_eq!(each, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!(days("2026-02-27", "2026-02-27").each().count(), 1);
    }

    #[test]
    fn backward_future_and_too_long_ranges_are_rejected() {
        let now: Timestamp = "2026-11-20T23:59:59.999Z".parse().expect("a time");
        let today: Day = "2026-11-20".parse().expect("a day");
        assert_eq!(
            days("2026-11-20", "2026-11-20").check(now),
            Ok(days("2026-11-20", "2026-11-20"))
        );
        assert_eq!(days("2026-11-20", "2026-11-21").check(now), Err(InvalidDays::Future(today)));
        assert_eq!(days("2026-11-21", "2026-11-21").check(now), Err(InvalidDays::Future(today)));
        assert_eq!(days("2026-11-20", "2026-11-19").check(now), Err(InvalidDays::Backwards));
        assert!(days("2024-01-01", "2024-12-31").check(now).is_ok(), "a leap year");
        assert_eq!(days("2024-01-01", "2025-01-01").check(now), Err(InvalidDays::TooMany(367)));
    }
}
