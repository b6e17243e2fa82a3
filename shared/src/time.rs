//! Timestamps, minutes and days in UTC, each with the one text form that is stored, sorted and
//! returned.

#![expect(clippy::disallowed_types, reason = "the clock ends with its invocation")]

mod day;
mod minute;
mod rfc3339;

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::validated::string_conversions;

pub use day::{Day, InvalidDay};
pub use minute::{InvalidMinute, Minute};

/// `0000-01-01T00:00:00Z`: RFC 3339 has no text for earlier times.
const EARLIEST_MS: i64 = -62_167_219_200_000;

/// `9999-12-31T23:59:59.999Z`: RFC 3339 has no text for later times.
const LATEST_MS: i64 = 253_402_300_799_999;

/// A time in UTC, to the millisecond. Its text, `2026-11-20T23:20:00.005Z`, always has the same
/// length, so that texts sort like times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    /// Reads the system clock. Code of features gets the time as an argument, from
    /// [`crate::App::now`].
    #[must_use]
    pub fn now() -> Self {
        Self::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    /// Makes a time from milliseconds since 1970, clamped to the years 0 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(EARLIEST_MS, LATEST_MS))
    }

    /// Returns milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since 1970, the unit of a table's TTL.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the time as jiff's type, for time zones. That type ends a day before the year 9999
    /// does, so that there is a local time in every zone; later times become its last one.
    #[must_use]
    pub(crate) fn instant(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::MAX)
    }

    /// Returns the time `time` later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self::from_millis(
            self.as_millis().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the time `time` earlier.
    #[must_use]
    pub fn minus(self, time: Duration) -> Self {
        Self::from_millis(
            self.as_millis().saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Returns the time since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(
            u64::try_from(self.as_millis() - earlier.as_millis()).unwrap_or_default(),
        )
    }

    /// Returns the UTC day as a text, `2026-11-20`.
    #[must_use]
    pub fn date(self) -> String {
        rfc3339::civil(self.0).date().to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}Z", rfc3339::civil(self.0))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    /// Reads exactly the `date-time` of RFC 3339. A time that its offset moves out of the years 0
    /// to 9999 becomes the first or the last one in them.
    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        rfc3339::parse(text).map(Self::from_millis)
    }
}

/// A text that is not a timestamp.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidTimestamp {
    /// It is not the text of a time in the format of RFC 3339.
    #[error("must be a time such as 2026-11-20T23:20:00Z (RFC 3339)")]
    Format,
    /// It is one with second 60.
    #[error("must not have second 60: leap seconds are not counted, use second 59")]
    LeapSecond,
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::from_millis(instant.as_millisecond())
    }
}

string_conversions!(Timestamp);

/// A clock that runs from a time that the caller passes.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started_at: Timestamp,
    since: Instant,
}

impl Clock {
    /// Starts a clock at `now`.
    #[must_use]
    pub fn starting(now: Timestamp) -> Self {
        Self { started_at: now, since: Instant::now() }
    }

    /// Returns the current time of this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.started_at.plus(self.since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect(text)
    }

    #[test]
    fn the_text_is_always_utc_with_milliseconds() {
        for (given, written) in [
            ("2026-11-20T23:20:00Z", "2026-11-20T23:20:00.000Z"),
            ("2026-11-20T23:20:00.12Z", "2026-11-20T23:20:00.120Z"),
            ("2026-11-21T00:20:00.123456+01:00", "2026-11-20T23:20:00.123Z"),
        ] {
            let time: Timestamp = given.parse().expect(given);
            assert_eq!(time.to_string(), written);
            assert_eq!(time.date(), "2026-11-20");
        }
    }

    #[test]
    fn there_is_no_time_before_the_year_0() {
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(
            time("0000-01-01T00:00:00Z").minus(Duration::from_hours(1)),
            time("0000-01-01T00:00:00Z")
        );
        assert_eq!(time("0000-01-01T00:00:00+00:01"), Timestamp::from_millis(i64::MIN));
    }

    #[test]
    fn the_last_time_is_the_end_of_the_year_9999() {
        let last = Timestamp::from_millis(i64::MAX);
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999Z");
        assert_eq!((time("9999-12-31T23:59:59.999Z"), last.date().as_str()), (last, "9999-12-31"));
        assert_eq!(last.plus(Duration::from_millis(1)), last);
        assert_eq!(time("9999-12-31T23:59:59-00:01"), last);
        assert_eq!(last.instant(), jiff::Timestamp::MAX);
    }

    #[test]
    fn texts_sort_like_times() {
        let early = Timestamp::from_millis(1_700_000_000_999);
        let late = Timestamp::from_millis(1_700_000_001_000);
        assert!(early < late && early.to_string() < late.to_string());
    }
}
