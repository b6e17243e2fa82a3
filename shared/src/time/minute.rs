//! Minutes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Timestamp, rfc3339};
use crate::validated::string_conversions;

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// A minute in UTC. Its text is its start without a fraction, `2026-11-20T23:20:00Z`; texts sort
/// like minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Minute(i64);

impl Minute {
    /// Returns the minute that contains a time.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(MINUTE_MS))
    }

    /// Returns the first minute that starts at `at` or later.
    #[must_use]
    pub fn starting_from(at: Timestamp) -> Self {
        Self(Self::of(at).0 + i64::from(at.as_millis().rem_euclid(MINUTE_MS) > 0))
    }

    /// Returns its start.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * MINUTE_MS)
    }

    /// Returns its end: the start of the next one.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// Returns the minute `minutes` later.
    #[must_use]
    pub fn plus(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }

    /// Rounds down to a multiple of `minutes` since 1970.
    #[must_use]
    pub fn floor(self, minutes: i64) -> Self {
        Self(self.0.div_euclid(minutes) * minutes)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}Z", rfc3339::civil(self.start().as_millis()))
    }
}

impl FromStr for Minute {
    type Err = InvalidMinute;

    fn from_str(text: &str) -> Result<Self, InvalidMinute> {
        let minute = text.parse().map(Self::of).map_err(|_| InvalidMinute)?;
        (minute.to_string() == text).then_some(minute).ok_or(InvalidMinute)
    }
}

/// A text that is not a minute.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be a minute such as 2026-11-20T23:20:00Z")]
pub struct InvalidMinute;

string_conversions!(Minute);

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    #[test]
    fn a_minute_contains_its_start_and_not_its_end() {
        let minute: Minute = "2026-11-20T23:20:00Z".parse().expect("a minute");
        assert_eq!(Minute::of(time("2026-11-20T23:20:00Z")), minute);
        assert_eq!(Minute::of(time("2026-11-20T23:20:59.999Z")), minute);
        assert_eq!(Minute::of(minute.end()), minute.plus(1));
        assert_eq!(minute.end(), time("2026-11-20T23:21:00Z"));
        assert_eq!(Minute::starting_from(minute.start()), minute);
        assert_eq!(Minute::starting_from(time("2026-11-20T23:20:00.001Z")), minute.plus(1));
        assert_eq!(
            Minute::of(time("1969-12-31T23:59:59.999Z")).to_string(),
            "1969-12-31T23:59:00Z"
        );
    }

    #[test]
    fn a_minute_has_one_text() {
        assert_eq!(
            Minute::of(time("2026-11-21T00:20:30.5+01:00")).to_string(),
            "2026-11-20T23:20:00Z"
        );
        for invalid in [
            "",
            "2026-11-20T23:20:30Z",
            "2026-11-20T23:20:00.000Z",
            "2026-11-21T00:20:00+01:00",
            "23:20",
        ] {
            assert_eq!(invalid.parse::<Minute>(), Err(InvalidMinute), "{invalid}");
        }
    }
}
