//! The rule by which a tick picks the occurrences of a job to fire, and where the job continues. It
//! is a pure function: it does not know the store, and does not iterate over an outage.
//!
//! | policy | due more than [`GRACE`] ago | due since then, before the horizon |
//! |---|---|---|
//! | `fire_once` | the last of them, once | all |
//! | `skip` | none | all |
//! | `fire_all` | all, oldest first | all, after the missed ones |
//!
//! A tick fires at most [`MAX_OCCURRENCES_PER_TICK`] of a job, and leaves the rest to the next
//! ticks.

use std::time::Duration;

use super::when::{Misfire, Schedule};
use crate::time::{Minute, Timestamp};

/// How late a tick may send an occurrence before it counts as missed: as long as the rule that
/// invokes ticks may be late.
pub const GRACE: Duration = Duration::from_mins(1);

/// The maximum number of occurrences of one job that a tick fires. A schedule of every second has
/// 180 in three minutes; the limit is twice that.
pub const MAX_OCCURRENCES_PER_TICK: usize = 360;

/// Returns the moment until which a tick at `now` looks ahead: the end of the next minute, so that
/// a tick that is a minute late delays no occurrence.
#[must_use]
pub fn horizon(now: Timestamp) -> Timestamp {
    Minute::of(now).plus(2).start()
}

/// The occurrences of a due job that a tick handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueOccurrences {
    /// The ones to fire.
    pub fire: Vec<Timestamp>,
    /// The missed ones, of which none fires, or only the last.
    pub missed: Option<MissedRange>,
    /// The first one that is left to a later tick; `None` if there are no more.
    pub next: Option<Timestamp>,
}

/// A range of occurrences that were not sent in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissedRange {
    /// The first one.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
}

/// Returns what a tick at `now` does with a schedule; `next` is its first unsent occurrence.
#[must_use]
pub fn due_occurrences(schedule: &Schedule, next: Timestamp, now: Timestamp) -> DueOccurrences {
    let limit = now.minus(GRACE);
    let missed = (next < limit && schedule.misfire() != Misfire::FireAll)
        .then(|| MissedRange { from: next, to: schedule.last_before(limit).unwrap_or(next) });
    let mut fire = match (missed, schedule.misfire()) {
        (Some(missed), Misfire::FireOnce) => vec![missed.to],
        _ => Vec::new(),
    };
    let mut next = if missed.is_some() { schedule.first_from(limit) } else { Some(next) };
    while let Some(due) =
        next.filter(|&due| due < horizon(now) && fire.len() < MAX_OCCURRENCES_PER_TICK)
    {
        fire.push(due);
        next = schedule.next(due, 1).pop();
    }
    DueOccurrences { fire, missed, next }
}
