//! Instants, in the one form in which they are stored, sorted and answered.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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

    /// Milliseconds since 1970; outside the years 1 to 9999 the nearest moment inside.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
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
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>().map(|time| Self::from_millis(time.as_millisecond()))
    }
}

impl From<Timestamp> for String {
    fn from(time: Timestamp) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn texts_sort_as_the_moments_do() {
        let early = Timestamp::from_millis(1_700_000_000_999);
        let late = Timestamp::from_millis(1_700_000_001_000);
        assert!(early < late && early.to_string() < late.to_string());
    }
}
