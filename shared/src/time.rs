//! Instants, minutes and days, in the one form in which they are stored, sorted and answered.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::validated::string_conversions;

/// `0000-01-01T00:00:00Z`: RFC 3339 has no text for what was before.
const EARLIEST_MS: i64 = -62_167_219_200_000;

/// A moment in UTC, to the millisecond. Its text, `2026-11-20T23:20:00.005Z`, always has the same
/// length, so that texts sort as the moments do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// The clock of this machine. Only `handler.rs` files ask for it, through [`crate::App::now`].
    #[must_use]
    pub fn now() -> Self {
        Self::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    /// Milliseconds since 1970; outside the years 0 to 9999 the nearest moment inside.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(
            jiff::Timestamp::from_millisecond(millis.max(EARLIEST_MS))
                .unwrap_or(jiff::Timestamp::MAX),
        )
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Whole seconds since 1970, as a table's TTL wants them.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// For the arithmetic of time zones.
    #[must_use]
    pub(crate) fn instant(self) -> jiff::Timestamp {
        self.0
    }

    /// So much later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        Self::from_millis(
            self.as_millis().saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// So much earlier.
    #[must_use]
    pub fn minus(self, time: Duration) -> Self {
        Self::from_millis(
            self.as_millis().saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago an earlier moment was; zero if it is to come.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(
            u64::try_from(self.as_millis() - earlier.as_millis()).unwrap_or_default(),
        )
    }

    /// The UTC day, `2026-11-20`.
    #[must_use]
    pub fn date(self) -> String {
        self.0.strftime("%Y-%m-%d").to_string()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        let millis = time.as_millisecond();
        (millis >= EARLIEST_MS).then(|| Self::from_millis(millis)).ok_or(InvalidTimestamp)
    }
}

/// A text that is no moment.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be a time such as 2026-11-20T23:20:00Z (RFC 3339)")]
pub struct InvalidTimestamp;

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self::from_millis(instant.as_millisecond())
    }
}

string_conversions!(Timestamp);

/// A time that goes on from a moment that the caller knows.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    began: Timestamp,
    since: Instant,
}

impl Clock {
    /// It is that moment now.
    #[must_use]
    pub fn starting(now: Timestamp) -> Self {
        Self { began: now, since: Instant::now() }
    }

    /// The time by now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.began.plus(self.since.elapsed())
    }
}

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// A minute in UTC. Its text is that of its first moment without a fraction, `2026-11-20T23:20:00Z`; texts sort as the minutes do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Minute(i64);

impl Minute {
    /// The minute that holds this moment.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(MINUTE_MS))
    }

    /// The first minute that begins at this moment or after it.
    #[must_use]
    pub fn starting_from(at: Timestamp) -> Self {
        Self(Self::of(at).0 + i64::from(at.as_millis().rem_euclid(MINUTE_MS) > 0))
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * MINUTE_MS)
    }

    /// The first moment of the next one.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// So many minutes later.
    #[must_use]
    pub fn plus(self, minutes: i64) -> Self {
        Self(self.0 + minutes)
    }

    /// The last minute up to it that is a multiple of so many by the clock.
    #[must_use]
    pub fn floor(self, minutes: i64) -> Self {
        Self(self.0.div_euclid(minutes) * minutes)
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}", self.start().0)
    }
}

impl FromStr for Minute {
    type Err = InvalidMinute;

    fn from_str(text: &str) -> Result<Self, InvalidMinute> {
        let minute = text.parse().map(Self::of).map_err(|InvalidTimestamp| InvalidMinute)?;
        (minute.to_string() == text).then_some(minute).ok_or(InvalidMinute)
    }
}

/// A text that is no minute.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be a minute such as 2026-11-20T23:20:00Z")]
pub struct InvalidMinute;

string_conversions!(Minute);

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// A day in UTC, from 1970 on: `2026-11-20`. Texts sort as the days do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Day(i64);

impl Day {
    /// The day that holds this moment.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_millis().div_euclid(DAY_MS))
    }

    /// So many days later.
    #[must_use]
    pub fn plus(self, days: i64) -> Self {
        Self(self.0 + days)
    }

    /// How many days after 1970-01-01.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// The Monday of its week.
    #[must_use]
    pub fn monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        self.plus(-(self.0 + 3).rem_euclid(7))
    }

    /// The first day of its month.
    #[must_use]
    pub fn first_of_month(self) -> Self {
        let day = self.start().0.to_zoned(jiff::tz::TimeZone::UTC).day();
        self.plus(1 - i64::from(day))
    }

    /// Its first moment.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_millis(self.0 * DAY_MS)
    }

    /// The first moment of the next one.
    #[must_use]
    pub fn end(self) -> Timestamp {
        self.plus(1).start()
    }

    /// Its last millisecond.
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

/// A text that is no day.
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
    fn a_minute_holds_its_first_moment_and_not_its_last() {
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
        for unfit in [
            "",
            "2026-11-20T23:20:30Z",
            "2026-11-20T23:20:00.000Z",
            "2026-11-21T00:20:00+01:00",
            "23:20",
        ] {
            assert_eq!(unfit.parse::<Minute>(), Err(InvalidMinute), "{unfit}");
        }
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
        for unfit in [
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
            assert_eq!(unfit.parse::<Day>(), Err(InvalidDay), "{unfit}");
        }
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
    fn there_is_no_moment_before_the_year_0() {
        assert_eq!(Timestamp::from_millis(i64::MIN).to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(
            time("0000-01-01T00:00:00Z").minus(Duration::from_hours(1)),
            time("0000-01-01T00:00:00Z")
        );
        for unfit in
            ["-000001-12-31T23:59:59.999Z", "-009998-01-01T00:00:00Z", "0000-01-01T00:00:00+00:01"]
        {
            assert_eq!(unfit.parse::<Timestamp>(), Err(InvalidTimestamp), "{unfit}");
        }
    }

    #[test]
    fn texts_sort_as_the_moments_do() {
        let early = Timestamp::from_millis(1_700_000_000_999);
        let late = Timestamp::from_millis(1_700_000_001_000);
        assert!(early < late && early.to_string() < late.to_string());
    }
}
