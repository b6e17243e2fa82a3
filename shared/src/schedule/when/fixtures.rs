//! Test fixtures: moments and schedules.

use std::fmt::Display;

use super::Schedule;
use crate::{json, time::Timestamp};

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().expect(text)
}

/// A schedule that is set at `now`.
pub(super) fn schedule(json: impl Display, now: &str) -> Schedule {
    json::parse::<Schedule>(&json.to_string())
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
