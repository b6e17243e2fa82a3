//! Time zones: where a zone's clock changes, and what its wall shows in between.
//!
//! The rules are those that were bundled when this was built (jiff's copy of the IANA database): every instance reads a
//! schedule in the same way, wherever it runs.

use std::{fmt, ops::Range, str::FromStr, sync::LazyLock};

use jiff::{
    SignedDuration, Timestamp as Instant, Zoned,
    civil::DateTime,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};

use crate::validated::string_conversions;

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database, by its name: `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// A text that names no time zone.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a time zone like Europe/Berlin (a name of the IANA database)")]
pub struct InvalidZone;

/// A time in which a zone keeps one offset from UTC: in it, each moment shows another wall time.
#[derive(Debug)]
pub(super) struct OffsetPeriod {
    /// How it began; none for the first.
    pub began: Option<Change>,
    /// How it ends; none for the last.
    pub ends: Option<Change>,
    offset: Offset,
}

/// A moment at which a zone changes its offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// The first moment that has the new offset.
    pub at: Instant,
    before: Offset,
    after: Offset,
}

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// Its name, as the database spells it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// A moment as its clock shows it.
    pub(super) fn shows(&self, at: Instant) -> Zoned {
        at.to_zoned(self.0.clone())
    }

    /// The stretch that holds this moment.
    pub(super) fn stretch(&self, at: Instant) -> OffsetPeriod {
        const STEP: SignedDuration = SignedDuration::from_nanos(1);
        let offset = self.0.to_offset(at);
        let ends = self.0.following(at).next();
        // What precedes is looked for strictly before a moment.
        let began = self.0.preceding(at.saturating_add(STEP).unwrap_or(at)).next();
        let before = |at: Instant| self.0.to_offset(at.saturating_sub(STEP).unwrap_or(at));
        OffsetPeriod {
            began: began.map(|change| change.timestamp()).map(|at| Change {
                at,
                before: before(at),
                after: offset,
            }),
            ends: ends.map(|change| Change {
                at: change.timestamp(),
                before: offset,
                after: change.offset(),
            }),
            offset,
        }
    }
}

impl OffsetPeriod {
    /// What the wall shows at a moment of it.
    pub fn wall(&self, at: Instant) -> DateTime {
        self.offset.to_datetime(at)
    }

    /// When the wall shows this, if that is a time of this stretch.
    pub fn instant(&self, wall: DateTime) -> Option<Instant> {
        let at = self.offset.to_timestamp(wall).ok()?;
        let begun = self.began.is_none_or(|change| change.at <= at);
        let ended = self.ends.is_some_and(|change| change.at <= at);
        (begun && !ended).then_some(at)
    }
}

impl Change {
    /// The wall times that do not exist, since the clock goes forward over them.
    pub fn gap(&self) -> Option<Range<DateTime>> {
        let walls = self.before.to_datetime(self.at)..self.after.to_datetime(self.at);
        (!walls.is_empty()).then_some(walls)
    }

    /// The wall times that come twice, since the clock goes back over them.
    pub fn overlap(&self) -> Option<Range<DateTime>> {
        let walls = self.after.to_datetime(self.at)..self.before.to_datetime(self.at);
        (!walls.is_empty()).then_some(walls)
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
        // The database has two names for "no zone is known".
        let placeholder =
            ["Etc/Unknown", "Factory"].iter().any(|no_zone| no_zone.eq_ignore_ascii_case(name));
        let zone = BUNDLED.get(name).ok().filter(|_| !placeholder);
        zone.map(Self).ok_or(InvalidZone)
    }
}

string_conversions!(Zone);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_known_by_its_name_in_the_database() {
        for (given, name) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("aMERICA/new_york", "America/New_York"),
            ("utc", "UTC"),
        ] {
            assert_eq!(given.parse::<Zone>().map(|zone| zone.to_string()).as_deref(), Ok(name));
        }
        for unfit in [
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
            assert_eq!(unfit.parse::<Zone>(), Err(InvalidZone), "{unfit}");
        }
    }

    #[test]
    fn a_stretch_lasts_from_one_change_to_the_next() {
        let berlin: Zone = "Europe/Berlin".parse().expect("a zone");
        let summer = berlin.stretch("2026-03-29T01:00:00Z".parse().expect("a time"));
        let (spring, autumn) = (summer.began.expect("a change"), summer.ends.expect("a change"));
        assert_eq!(autumn.at.to_string(), "2026-10-25T01:00:00Z");
        let wall = |range: Option<Range<DateTime>>| {
            range.map(|walls| format!("{} {}", walls.start, walls.end))
        };
        assert_eq!(wall(spring.gap()).as_deref(), Some("2026-03-29T02:00:00 2026-03-29T03:00:00"));
        assert_eq!(
            wall(autumn.overlap()).as_deref(),
            Some("2026-10-25T02:00:00 2026-10-25T03:00:00")
        );
        assert!(spring.overlap().is_none() && autumn.gap().is_none());
        let winter = berlin.stretch("2026-03-29T00:59:59.999Z".parse().expect("a time"));
        assert_eq!(winter.ends.map(|change| change.at), Some(spring.at));
    }

    #[test]
    fn a_zone_without_changes_is_one_stretch() {
        let stretch = Zone::UTC.stretch(Instant::UNIX_EPOCH);
        assert!(stretch.began.is_none() && stretch.ends.is_none());
    }
}
