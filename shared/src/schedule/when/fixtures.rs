//! Test fixtures: moments and schedules.

use serde_json::Value;

use super::Schedule;
use crate::time::Timestamp;

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// A schedule that is set at `now`.
pub(super) fn schedule(json: Value, now: &str) -> Schedule {
    serde_json::from_value::<Schedule>(json)
        .expect("a schedule")
        .begin(time(now))
        .expect("an occurrence")
}

/// The first `count` occurrences at or after a moment.
pub(super) fn times(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    schedule
        .all_from(time(from))
        .take(count)
        .map(|time| time.to_string().replace(":00.000Z", "Z"))
        .collect()
}
