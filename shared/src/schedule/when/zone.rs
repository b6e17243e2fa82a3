//! Time zones: the clock changes of a zone, and its local times in between.
//!
//! The rules are those that the build bundles (jiff's copy of the IANA database), so every instance
//! computes the same occurrences, wherever it runs. New rules arrive with a new build.

use std::{fmt, ops::Range, str::FromStr, sync::LazyLock};

use jiff::{
    SignedDuration, Timestamp as Instant, Zoned,
    civil::DateTime,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use crate::validated::string_conversions;

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A text that is not the name of a time zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be the name of a time zone in the IANA database, such as Europe/Berlin")]
pub struct InvalidZone;

/// A period in which a zone has one offset from UTC: its moments and local times correspond one to
/// one.
#[derive(Debug)]
pub(super) struct OffsetPeriod {
    /// The change that starts it; `None` for the first period.
    pub start: Option<OffsetChange>,
    /// The change that ends it; `None` for the last period.
    pub end: Option<OffsetChange>,
    offset: Offset,
}

/// A change of a zone's offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct OffsetChange {
    /// The first moment with the new offset.
    pub at: Instant,
    before: Offset,
    after: Offset,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The name, in the spelling of the database.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Returns a moment with its local time and offset.
    pub(super) fn zoned(&self, at: Instant) -> Zoned {
        at.to_zoned(self.0.clone())
    }

    /// Returns the period that contains a moment.
    pub(super) fn offset_period(&self, at: Instant) -> OffsetPeriod {
        const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);
        let offset = self.0.to_offset(at);
        let end = self.0.following(at).next();
        // `preceding` does not include the moment itself.
        let start = self.0.preceding(at.saturating_add(NANOSECOND).unwrap_or(at)).next();
        let before = |at: Instant| self.0.to_offset(at.saturating_sub(NANOSECOND).unwrap_or(at));
        OffsetPeriod {
            start: start.map(|change| change.timestamp()).map(|at| OffsetChange {
                at,
                before: before(at),
                after: offset,
            }),
            end: end.map(|change| OffsetChange {
                at: change.timestamp(),
                before: offset,
                after: change.offset(),
            }),
            offset,
        }
    }
}

impl OffsetPeriod {
    /// Returns the local time at a moment of the period.
    pub fn local_time(&self, at: Instant) -> DateTime {
        self.offset.to_datetime(at)
    }

    /// Returns the moment of a local time, if the period contains it.
    pub fn instant(&self, local: DateTime) -> Option<Instant> {
        let at = self.offset.to_timestamp(local).ok()?;
        let started = self.start.is_none_or(|change| change.at <= at);
        let ended = self.end.is_some_and(|change| change.at <= at);
        (started && !ended).then_some(at)
    }
}

impl OffsetChange {
    /// The local times that do not exist, if the clock goes forward.
    pub fn gap(&self) -> Option<Range<DateTime>> {
        let local_times = self.before.to_datetime(self.at)..self.after.to_datetime(self.at);
        (!local_times.is_empty()).then_some(local_times)
    }

    /// The local times that occur twice, if the clock goes back.
    pub fn overlap(&self) -> Option<Range<DateTime>> {
        let local_times = self.after.to_datetime(self.at)..self.before.to_datetime(self.at);
        (!local_times.is_empty()).then_some(local_times)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = InvalidZone;

    fn from_str(name: &str) -> Result<Self, InvalidZone> {
        // The database has two names for an unknown zone.
        let placeholder =
            ["Etc/Unknown", "Factory"].iter().any(|unknown| unknown.eq_ignore_ascii_case(name));
        let zone = BUNDLED.get(name).ok().filter(|_| !placeholder);
        zone.map(Self).ok_or(InvalidZone)
    }
}

string_conversions!(Zone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_the_name_of_the_database() {
        for (given, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("aMERICA/new_york", "America/New_York"),
            ("utc", "UTC"),
        ] {
            assert_eq!(given.parse::<Zone>().map(|zone| zone.to_string()).as_deref(), Ok(name));
        }
        for invalid in [
            "",
            " ",
            "Mars/Olympus",
            "Europe/Berlin ",
            "+02:00",
            "UTC+2",
            "EST5EDT,M3.2.0,M11.1.0",
            "Etc/Unknown",
            "factory",
            "../../etc/passwd",
            "local",
        ] {
            assert_eq!(invalid.parse::<Zone>(), Err(InvalidZone), "{invalid}");
        }
    }

    #[test]
    fn a_period_lasts_from_one_change_to_the_next() {
        let berlin: Zone = "Europe/Berlin".parse().expect("a zone");
        let summer = berlin.offset_period("2026-03-29T01:00:00Z".parse().expect("a time"));
        let (spring, autumn) = (summer.start.expect("a change"), summer.end.expect("a change"));
        assert_eq!(autumn.at.to_string(), "2026-10-25T01:00:00Z");
        let shown = |range: Option<Range<DateTime>>| {
            range.map(|times| format!("{} {}", times.start, times.end))
        };
        assert_eq!(shown(spring.gap()).as_deref(), Some("2026-03-29T02:00:00 2026-03-29T03:00:00"));
        assert_eq!(
            shown(autumn.overlap()).as_deref(),
            Some("2026-10-25T02:00:00 2026-10-25T03:00:00")
        );
        assert!(spring.overlap().is_none() && autumn.gap().is_none());
        let winter = berlin.offset_period("2026-03-29T00:59:59.999Z".parse().expect("a time"));
        assert_eq!(winter.end.map(|change| change.at), Some(spring.at));
    }

    #[test]
    fn a_zone_without_changes_has_one_period() {
        let period = Zone::UTC.offset_period(Instant::UNIX_EPOCH);
        assert!(period.start.is_none() && period.end.is_none());
    }
}
