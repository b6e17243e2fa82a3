//! Fixed schedules: due at a fixed interval from the start. They never drift: each occurrence is
//! computed from the start and not from the previous one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Recurrence, Zone, latest};
use crate::{time::Timestamp, validated::Bounded};

/// Seconds between two occurrences, up to 366 days.
pub type IntervalSeconds = Bounded<1, 31_622_400>;

/// A schedule with a fixed interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixed {
    every_seconds: IntervalSeconds,
}

impl Fixed {
    fn interval_ms(&self) -> i64 {
        i64::from(self.every_seconds.get()) * 1000
    }
}

impl Recurrence for Fixed {
    /// One interval from now: setting a schedule is not an occurrence.
    fn start(&self, now: Timestamp) -> Timestamp {
        now.plus(Duration::from_secs(self.every_seconds.get().into()))
    }

    fn first_from(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let (start, interval) = (start.as_millis(), self.interval_ms());
        let elapsed = (at.as_millis() - start).rem_euclid(interval);
        let millis =
            if elapsed == 0 { at.as_millis() } else { at.as_millis() + interval - elapsed };
        in_range(millis)
    }

    fn last_before(&self, start: Timestamp, at: Timestamp) -> Option<Timestamp> {
        let just_before = (at.as_millis() - 1).min(latest().as_millis());
        let elapsed = (just_before - start.as_millis()).rem_euclid(self.interval_ms());
        in_range(just_before - elapsed)
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

/// Returns a moment, if an occurrence can be at it.
fn in_range(millis: i64) -> Option<Timestamp> {
    let time = Timestamp::from_millis(millis);
    (time.as_millis() == millis && time <= latest()).then_some(time)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{
        schedule::when::fixtures::{schedule, time, times},
        time::Timestamp,
    };

    #[test]
    fn a_fixed_schedule_never_drifts() {
        let fixed =
            json!({"type": "fixed", "every_seconds": 7, "start_at": "2000-01-01T00:00:00.005Z"});
        let schedule = schedule(fixed, "2026-01-01T00:00:00Z");
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
    fn the_first_occurrence_is_the_start_or_one_interval_from_now() {
        let given =
            json!({"type": "fixed", "every_seconds": 3600, "start_at": "2026-01-01T00:30:00Z"});
        let given = schedule(given, "2026-01-01T00:00:00Z");
        assert_eq!(
            times(&given, "2026-01-01T00:00:00Z", 2),
            ["2026-01-01T00:30Z", "2026-01-01T01:30Z"]
        );
        let now =
            schedule(json!({"type": "fixed", "every_seconds": 3600}), "2026-01-01T00:00:00.999Z");
        assert_eq!(
            times(&now, "2026-01-01T00:00:00Z", 2),
            ["2026-01-01T01:00Z", "2026-01-01T02:00Z"]
        );
    }

    #[test]
    fn the_last_occurrence_is_before_a_moment_and_not_before_the_start() {
        let fixed =
            json!({"type": "fixed", "every_seconds": 60, "start_at": "2026-01-01T00:00:00Z"});
        let schedule = schedule(fixed, "2026-01-01T00:00:00Z");
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
    fn there_is_no_occurrence_beyond_the_latest_timestamp() {
        let fixed = json!({"type": "fixed", "every_seconds": 31_622_400,
            "start_at": "2026-01-01T00:00:00Z"});
        let schedule = schedule(fixed, "2026-01-01T00:00:00Z");
        assert_eq!(schedule.first_from(Timestamp::from_millis(i64::MAX)), None);
        assert!(schedule.last_before(Timestamp::from_millis(i64::MAX)).is_some());
    }
}
