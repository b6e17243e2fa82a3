//! The first moment, and the last, at which the clock of a zone shows a time of an expression.
//!
//! The search goes over the stretches of the zone in which its offset is constant: there, wall times and moments
//! correspond one to one, and croner needs to know of wall times only. Where the offset changes, the schedule's policy
//! decides:
//!
//! | at moment `b`, offset `o1` becomes `o2` | wall times from | to | |
//! |---|---|---|---|
//! | a gap, `o2 > o1` | `b + o1` | `b + o2` | do not exist: one occurrence at `b` (`after`), or none (`skip`) |
//! | an overlap, `o2 < o1` | `b + o2` | `b + o1` | come twice, and occur twice (`both`) or before `b` only (`first`) |

use std::ops::Range;

use jiff::{Timestamp as Instant, ToSpan, civil::DateTime};

use super::{
    Expression, Recurrence,
    cron::Cron,
    dst::{Ambiguity, Gap},
    zone::{Change, OffsetPeriod},
};

/// The first occurrence at this moment, a whole second, or after it.
pub(super) fn first_from(cron: &Cron, mut at: Instant) -> Option<Instant> {
    let mut walls = LocalTimes::of(cron.expression());
    loop {
        let stretch = cron.zone().stretch(at);
        let gap = made_up(cron, stretch.began.filter(|change| change.at == at));
        if gap.is_some_and(|gap| walls.first_in(&gap).is_some()) {
            return Some(at);
        }
        let wall = walls.first_from(stretch.wall(at).max(lowest(cron, &stretch)))?;
        if let Some(time) = stretch.instant(wall) {
            return Some(time);
        }
        at = stretch.ends?.at;
    }
}

/// The last occurrence at this moment, a whole second, or before it.
pub(super) fn last_to(cron: &Cron, mut at: Instant) -> Option<Instant> {
    let mut walls = LocalTimes::of(cron.expression());
    loop {
        let stretch = cron.zone().stretch(at);
        let wall = walls.last_to(stretch.wall(at))?;
        if let Some(time) = stretch.instant(wall).filter(|_| wall >= lowest(cron, &stretch)) {
            return Some(time);
        }
        let begun = stretch.began?;
        if made_up(cron, Some(begun)).is_some_and(|gap| walls.last_in(&gap).is_some()) {
            return Some(begun.at);
        }
        at = begun.at.checked_sub(1.second()).ok()?;
    }
}

/// The wall times that a change leaves out and that are to occur right after it.
fn made_up(cron: &Cron, change: Option<Change>) -> Option<Range<DateTime>> {
    change?.gap().filter(|_| cron.dst().gap == Gap::After)
}

/// The wall time from which on a stretch counts.
fn lowest(cron: &Cron, stretch: &OffsetPeriod) -> DateTime {
    let overlap = stretch
        .began
        .and_then(|change| change.overlap())
        .filter(|_| cron.dst().overlap == Ambiguity::First);
    overlap.map_or(DateTime::MIN, |twice| twice.end)
}

/// The wall times of an expression. What was found last is kept: for one that comes once in many years, croner looks
/// once and not in every stretch.
pub(super) struct LocalTimes<'a> {
    expression: &'a Expression,
    /// A wall time, and the first of the expression from it on.
    ahead: Option<(DateTime, DateTime)>,
    /// A wall time, and the last of the expression up to it.
    behind: Option<(DateTime, DateTime)>,
}

impl<'a> LocalTimes<'a> {
    pub fn of(expression: &'a Expression) -> Self {
        Self { expression, ahead: None, behind: None }
    }

    fn first_from(&mut self, wall: DateTime) -> Option<DateTime> {
        match self.ahead {
            Some((from, found)) if from <= wall && wall <= found => Some(found),
            _ => {
                let found = self.expression.first_from(wall)?;
                self.ahead = Some((wall, found));
                Some(found)
            }
        }
    }

    fn last_to(&mut self, wall: DateTime) -> Option<DateTime> {
        match self.behind {
            Some((to, found)) if found <= wall && wall <= to => Some(found),
            _ => {
                let found = self.expression.last_to(wall)?;
                self.behind = Some((wall, found));
                Some(found)
            }
        }
    }

    /// The first of a range.
    pub fn first_in(&mut self, walls: &Range<DateTime>) -> Option<DateTime> {
        self.first_from(walls.start).filter(|wall| *wall < walls.end)
    }

    /// The last of a range.
    pub fn last_in(&mut self, walls: &Range<DateTime>) -> Option<DateTime> {
        self.last_to(walls.end.checked_sub(1.second()).ok()?).filter(|wall| *wall >= walls.start)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schedule::when::{
        Schedule,
        sample::{begun, time, times},
    };

    fn cron(expression: &str, timezone: &str, gap: &str, overlap: &str) -> Schedule {
        let dst = json!({"gap": gap, "overlap": overlap});
        let cron = json!({"type": "cron", "expression": expression, "timezone": timezone, "dst": dst,
            "start_at": "1990-01-01T00:00:00Z"});
        begun(cron, "2026-01-01T00:00:00Z")
    }

    /// The times between two moments, which are the same from either end.
    fn between(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
        let all: Vec<_> = schedule.all_from(time(from)).take_while(|at| *at < time(to)).collect();
        let back =
            std::iter::successors(schedule.last_before(time(to)), |at| schedule.last_before(*at));
        let mut back: Vec<_> = back.take_while(|at| *at >= time(from)).collect();
        back.reverse();
        assert_eq!(all, back, "{schedule:?}");
        times(schedule, from, all.len())
    }

    #[test]
    fn a_time_in_a_gap_comes_right_after_it_or_not_at_all() {
        for (zone, expression, day, after, skip) in [
            ("Europe/Berlin", "30 2 * * *", "2026-03-29", &["2026-03-29T01:00Z"][..], &[][..]),
            ("Europe/Berlin", "*/20 2 * * *", "2026-03-29", &["2026-03-29T01:00Z"], &[]),
            (
                "Europe/Berlin",
                "30 2,3 * * *",
                "2026-03-29",
                &["2026-03-29T01:00Z", "2026-03-29T01:30Z"],
                &["2026-03-29T01:30Z"],
            ),
            (
                "Europe/Berlin",
                "0 2,3 * * *",
                "2026-03-29",
                &["2026-03-29T01:00Z"],
                &["2026-03-29T01:00Z"],
            ),
            (
                "Europe/Berlin",
                "59 1 * * *",
                "2026-03-29",
                &["2026-03-29T00:59Z"],
                &["2026-03-29T00:59Z"],
            ),
            ("America/New_York", "30 2 * * *", "2026-03-08", &["2026-03-08T07:00Z"], &[]),
            // Half an hour only: 02:00 is left out, 02:30 comes.
            (
                "Australia/Lord_Howe",
                "0,15,30 2 * * *",
                "2026-10-03",
                &["2026-10-03T15:30Z"],
                &["2026-10-03T15:30Z"],
            ),
            ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03", &["2026-10-03T15:30Z"], &[]),
            // Midnight is left out, and the day begins at 01:00.
            ("Africa/Cairo", "0 0 * * FRI", "2026-04-23", &["2026-04-23T22:00Z"], &[]),
            ("Asia/Beirut", "0 0 * * *", "2026-03-28", &["2026-03-28T22:00Z"], &[]),
        ] {
            let (from, to) = (format!("{day}T00:00:00Z"), format!("{day}T23:59:00Z"));
            assert_eq!(
                between(&cron(expression, zone, "after", "first"), &from, &to),
                after,
                "{zone} {expression}"
            );
            assert_eq!(
                between(&cron(expression, zone, "skip", "first"), &from, &to),
                skip,
                "{zone} {expression}"
            );
        }
    }

    #[test]
    fn a_time_that_comes_twice_occurs_once_or_twice() {
        for (zone, expression, day, first, both) in [
            (
                "Europe/Berlin",
                "30 2 * * *",
                "2026-10-25",
                &["2026-10-25T00:30Z"][..],
                &["2026-10-25T00:30Z", "2026-10-25T01:30Z"][..],
            ),
            (
                "Europe/Berlin",
                "0 2,3 * * *",
                "2026-10-25",
                &["2026-10-25T00:00Z", "2026-10-25T02:00Z"],
                &["2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T02:00Z"],
            ),
            (
                "America/New_York",
                "59 1 * * *",
                "2026-11-01",
                &["2026-11-01T05:59Z"],
                &["2026-11-01T05:59Z", "2026-11-01T06:59Z"],
            ),
            // Half an hour only: 01:30 to 02:00 comes twice.
            (
                "Australia/Lord_Howe",
                "15,45 1 * * *",
                "2026-04-04",
                &["2026-04-04T14:15Z", "2026-04-04T14:45Z"],
                &["2026-04-04T14:15Z", "2026-04-04T14:45Z", "2026-04-04T15:15Z"],
            ),
        ] {
            let (from, to) = (format!("{day}T00:00:00Z"), format!("{day}T23:59:00Z"));
            assert_eq!(
                between(&cron(expression, zone, "after", "first"), &from, &to),
                first,
                "{zone} {expression}"
            );
            assert_eq!(
                between(&cron(expression, zone, "after", "both"), &from, &to),
                both,
                "{zone} {expression}"
            );
        }
    }

    #[test]
    fn a_day_that_a_country_left_out_is_made_up_for_when_the_next_begins() {
        let noon = |gap| cron("0 12 * * *", "Pacific/Apia", gap, "first");
        let (from, to) = ("2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
        let regular = ["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"];
        assert_eq!(between(&noon("skip"), from, to), regular);
        let made_up =
            ["2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"];
        assert_eq!(between(&noon("after"), from, to), made_up);
    }

    #[test]
    fn every_quarter_of_an_hour_keeps_its_pace_through_both_changes() {
        for day in ["2026-03-29", "2026-10-25"] {
            let usual =
                json!({"type": "cron", "expression": "*/15 * * * *", "timezone": "Europe/Berlin"});
            let schedule = begun(usual, "2026-01-01T00:00:00Z");
            let all = schedule.next(time(&format!("{day}T00:00:00Z")), 95);
            assert!(all.windows(2).all(|pair| pair[1].since(pair[0]).as_secs() == 900), "{day}");
        }
    }

    #[test]
    fn what_comes_once_in_many_years_is_found_at_once() {
        let rare = cron("0 0 * 2 1#5", "Europe/Berlin", "after", "first");
        assert_eq!(
            times(&rare, "2026-01-01T00:00:00Z", 2),
            ["2044-02-28T23:00Z", "2072-02-28T23:00Z"]
        );
        assert_eq!(
            rare.last_before(time("2044-01-01T00:00:00Z")),
            Some(time("2016-02-28T23:00:00Z"))
        );
    }

    #[test]
    fn fractions_of_a_second_are_neither_early_nor_late() {
        let schedule = cron("0 0 * * *", "UTC", "after", "first");
        let midnight = time("2026-05-02T00:00:00Z");
        assert_eq!(schedule.first_from(time("2026-05-01T00:00:00.001Z")), Some(midnight));
        assert_eq!(schedule.first_from(time("2026-05-01T23:59:59.999Z")), Some(midnight));
        assert_eq!(schedule.last_before(time("2026-05-02T00:00:00.001Z")), Some(midnight));
        assert_eq!(schedule.last_before(midnight), Some(time("2026-05-01T00:00:00Z")));
    }
}
