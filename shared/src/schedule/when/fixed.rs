//! Every so many seconds, counted from the start. It never drifts: an occurrence is worked out of the start, not of the
//! one before it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Recurrence, Zone};
use crate::{time::Timestamp, validated::Bounded};

/// Seconds between two occurrences, up to 366 days.
pub type Every = Bounded<1, 31_622_400>;

/// The start, and every so many seconds after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    every_seconds: Every,
}

impl Fixed {
    fn every_ms(&self) -> i64 {
        i64::from(self.every_seconds.get()) * 1000
    }
}

impl Recurrence for Fixed {
    /// One interval from now: to begin something that recurs is no occurrence of it.
    fn start(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.every_seconds.get().into()))
    }

    fn first_from(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let (start, every) = (start.as_millis(), self.every_ms());
        let late = (at.as_millis() - start).rem_euclid(every);
        let millis = if late == 0 { at.as_millis() } else { at.as_millis() + every - late };
        exactly(millis)
    }

    fn last_before(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let just_before = at.as_millis() - 1;
        let late = (just_before - start.as_millis()).rem_euclid(self.every_ms());
        exactly(just_before - late)
    }

    fn describe(&self) -> String {
        match self.every_seconds.get() {
            1 => "Every second".to_owned(),
            seconds => format!("Every {seconds} seconds"),
        }
    }

    fn zone(&self) -> &Zone {
        static UTC: Zone = Zone::UTC;
        &UTC
    }
}

/// At either end of time, the nearest moment is not the right one.
fn exactly(millis: i64) -> Option<Timestamp> {
    Some(Timestamp::from_millis(millis)).filter(|time| time.as_millis() == millis)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        schedule::when::sample::{begun, time, times},
        time::Timestamp,
    };

    #[test]
    fn it_never_drifts() {
        let fixed =
            json!({"type": "fixed", "every_seconds": 7, "start_at": "2000-01-01T00:00:00.005Z"});
        let schedule = begun(fixed, "2026-01-01T00:00:00Z");
        let start = time("2000-01-01T00:00:00.005Z").as_millis();
        for at in [
            "2000-01-01T00:00:00Z",
            "2000-01-01T00:00:07.005Z",
            "2026-11-20T00:00:00.004Z",
            "2999-01-01T00:00:00Z",
        ] {
            let first = schedule.first_from(time(at)).expect("an occurrence");
            assert_eq!((first.as_millis() - start) % 7000, 0, "{at}");
            assert!(
                (0..7000).contains(&(first.as_millis() - time(at).as_millis().max(start))),
                "{at}"
            );
        }
    }

    #[test]
    fn the_first_is_the_start_or_one_interval_from_now() {
        let given =
            json!({"type": "fixed", "every_seconds": 3600, "start_at": "2026-01-01T00:30:00Z"});
        let given = begun(given, "2026-01-01T00:00:00Z");
        assert_eq!(
            times(&given, "2026-01-01T00:00:00Z", 2),
            ["2026-01-01T00:30Z", "2026-01-01T01:30Z"]
        );
        let now =
            begun(json!({"type": "fixed", "every_seconds": 3600}), "2026-01-01T00:00:00.999Z");
        assert_eq!(
            times(&now, "2026-01-01T00:00:00Z", 2),
            ["2026-01-01T01:00Z", "2026-01-01T02:00Z"]
        );
    }

    #[test]
    fn the_last_is_before_a_moment_and_not_before_the_start() {
        let fixed =
            json!({"type": "fixed", "every_seconds": 60, "start_at": "2026-01-01T00:00:00Z"});
        let schedule = begun(fixed, "2026-01-01T00:00:00Z");
        for (at, last) in [
            ("2025-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00Z", None),
            ("2026-01-01T00:00:00.001Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:01:00Z", Some("2026-01-01T00:00:00Z")),
            ("2026-01-01T00:01:00.001Z", Some("2026-01-01T00:01:00Z")),
        ] {
            assert_eq!(schedule.last_before(time(at)), last.map(time), "{at}");
        }
    }

    #[test]
    fn at_the_end_of_time_it_ends() {
        let fixed = json!({"type": "fixed", "every_seconds": 31_622_400, "start_at": "2026-01-01T00:00:00Z"});
        let schedule = begun(fixed, "2026-01-01T00:00:00Z");
        assert_eq!(schedule.first_from(Timestamp::from_millis(i64::MAX)), None);
        assert!(schedule.last_before(Timestamp::from_millis(i64::MAX)).is_some());
    }
}
