//! What a tick fires of a schedule: which occurrences, and where the schedule goes on. A pure rule: it neither knows the store nor loops over an
//! outage.
//!
//! | | due more than [`GRACE`] ago | due since then, until the horizon |
//! |---|---|---|
//! | `fire_once` | the last of them, once | all |
//! | `skip` | none | all |
//! | `fire_all` | all, at most [`MOST`] a tick, oldest first | all, once those are fired |

use std::time::Duration;

use super::when::{Misfire, Schedule};
use crate::time::{Minute, Timestamp};

/// How late a tick may send an occurrence that is not missed by it: as late as a rule may fire a tick.
pub const GRACE: Duration = Duration::from_mins(1);

/// Occurrences of a job that one tick fires at most: those of a schedule of every second, three minutes of them, and as many again.
pub const MOST: usize = 360;

/// Until when a tick at this moment looks ahead: the end of the next minute, so that a tick that comes a minute late is late for nothing.
#[must_use]
pub fn horizon(now: Timestamp) -> Timestamp {
    Minute::of(now).plus(2).start()
}

/// What a tick does with a job that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Those that fire.
    pub fire: Vec<Timestamp>,
    /// Those that were missed and do not fire, or not by themselves: the first and the last of them.
    pub missed: Option<Missed>,
    /// Where it goes on. `None`: that was the last.
    pub next: Option<Timestamp>,
}

/// Occurrences that nobody sent in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// The first.
    pub from: Timestamp,
    /// The last.
    pub to: Timestamp,
}

/// What a tick at `now` does with a schedule whose first occurrence that was not sent is `next`.
#[must_use]
pub fn plan(schedule: &Schedule, next: Timestamp, now: Timestamp) -> Plan {
    let limit = now.minus(GRACE);
    let missed = (next < limit && schedule.misfire() != Misfire::FireAll)
        .then(|| Missed { from: next, to: schedule.last_before(limit).unwrap_or(next) });
    let mut fire = match (missed, schedule.misfire()) {
        (Some(missed), Misfire::FireOnce) => vec![missed.to],
        _ => Vec::new(),
    };
    let mut next = if missed.is_some() { schedule.first_from(limit) } else { Some(next) };
    while let Some(due) = next.filter(|&due| due < horizon(now) && fire.len() < MOST) {
        fire.push(due);
        next = schedule.next(due, 1).pop();
    }
    Plan { fire, missed, next }
}
