//! Schedules for tests.

use serde_json::Value;

use super::Schedule;
use crate::time::Timestamp;

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// A schedule that begins at this moment.
pub(super) fn begun(json: Value, now: &str) -> Schedule {
    serde_json::from_value::<Schedule>(json)
        .expect("a schedule")
        .begin(time(now))
        .expect("one that occurs")
}

/// The next times from a moment on, which it is itself one of.
pub(super) fn times(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    schedule
        .all_from(time(from))
        .take(count)
        .map(|time| time.to_string().replace(":00.000Z", "Z"))
        .collect()
}
