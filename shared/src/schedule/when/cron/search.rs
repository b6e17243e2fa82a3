//! The first and the last moment at which the local time of a zone matches an expression.
//!
//! The search goes from one period of constant offset to the next: in it, local times and moments
//! correspond one to one, and croner only matches local times. Where the offset changes, the DST
//! policy decides:
//!
//! | at moment `b`, offset `o1` becomes `o2` | local times from | to | |
//! |---|---|---|---|
//! | a gap, `o2 > o1` | `b + o1` | `b + o2` | do not exist: one occurrence at `b` (`after`), or none (`skip`) |
//! | an overlap, `o2 < o1` | `b + o2` | `b + o1` | occur twice: each time (`both`), or before `b` only (`first`) |

use std::ops::Range;

use jiff::{Timestamp as Instant, ToSpan, civil::DateTime};

use super::{Ambiguity, Cron, Expression, Gap};
use crate::schedule::when::{
    Recurrence,
    zone::{OffsetChange, OffsetPeriod},
};

/// Returns the first occurrence at or after `at`, a whole second.
pub(super) fn first_from(cron: &Cron, mut at: Instant) -> Option<Instant> {
    let mut local_times = LocalTimes::new(cron.expression());
    loop {
        let period = cron.zone().offset_period(at);
        let gap = deferred_gap(cron, period.start.filter(|change| change.at == at));
        if gap.is_some_and(|gap| local_times.first_in(&gap).is_some()) {
            return Some(at);
        }
        let from = period.local_time(at).max(earliest_local_time(cron, &period));
        let local = local_times.first_from(from)?;
        if let Some(time) = period.instant(local) {
            return Some(time);
        }
        at = period.end?.at;
    }
}

/// Returns the last occurrence at or before `at`, a whole second.
pub(super) fn last_to(cron: &Cron, mut at: Instant) -> Option<Instant> {
    let mut local_times = LocalTimes::new(cron.expression());
    loop {
        let period = cron.zone().offset_period(at);
        let local = local_times.last_to(period.local_time(at))?;
        let counts = local >= earliest_local_time(cron, &period);
        if let Some(time) = period.instant(local).filter(|_| counts) {
            return Some(time);
        }
        let start = period.start?;
        if deferred_gap(cron, Some(start)).is_some_and(|gap| local_times.last_in(&gap).is_some()) {
            return Some(start.at);
        }
        at = start.at.checked_sub(1.second()).ok()?;
    }
}

/// Returns the gap of a change if the policy runs the local times in it right after it.
fn deferred_gap(cron: &Cron, change: Option<OffsetChange>) -> Option<Range<DateTime>> {
    change?.gap().filter(|_| cron.dst().gap == Gap::After)
}

/// Returns the first local time of a period that can be an occurrence: the first one that is not a
/// repetition, if the policy ignores repetitions.
fn earliest_local_time(cron: &Cron, period: &OffsetPeriod) -> DateTime {
    let repeated = period
        .start
        .and_then(|change| change.overlap())
        .filter(|_| cron.dst().overlap == Ambiguity::First);
    repeated.map_or(DateTime::MIN, |repeated| repeated.end)
}

/// The local times that match an expression. The last result of each direction is cached: for an
/// expression that matches once in many years, croner searches once and not in every period.
pub(super) struct LocalTimes<'a> {
    expression: &'a Expression,
    /// A local time, and the first matching one at or after it.
    forward: Option<(DateTime, DateTime)>,
    /// A local time, and the last matching one at or before it.
    backward: Option<(DateTime, DateTime)>,
}

impl<'a> LocalTimes<'a> {
    pub fn new(expression: &'a Expression) -> Self {
        Self { expression, forward: None, backward: None }
    }

    fn first_from(&mut self, local: DateTime) -> Option<DateTime> {
        match self.forward {
            Some((from, found)) if from <= local && local <= found => Some(found),
            _ => {
                let found = self.expression.first_from(local)?;
                self.forward = Some((local, found));
                Some(found)
            }
        }
    }

    fn last_to(&mut self, local: DateTime) -> Option<DateTime> {
        match self.backward {
            Some((to, found)) if found <= local && local <= to => Some(found),
            _ => {
                let found = self.expression.last_to(local)?;
                self.backward = Some((local, found));
                Some(found)
            }
        }
    }

    /// Returns the first matching local time of a range.
    pub fn first_in(&mut self, range: &Range<DateTime>) -> Option<DateTime> {
        self.first_from(range.start).filter(|local| *local < range.end)
    }

    /// Returns the last matching local time of a range.
    pub fn last_in(&mut self, range: &Range<DateTime>) -> Option<DateTime> {
        self.last_to(range.end.checked_sub(1.second()).ok()?).filter(|local| *local >= range.start)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schedule::when::{
        Schedule,
        fixtures::{schedule, time, times},
    };

    fn cron(expression: &str, timezone: &str, gap: &str, overlap: &str) -> Schedule {
        let dst = json!({"gap": gap, "overlap": overlap});
        let cron = json!({"type": "cron", "expression": expression, "timezone": timezone,
            "dst": dst, "start_at": "1990-01-01T00:00:00Z"});
        schedule(cron, "2026-01-01T00:00:00Z")
    }

    /// The occurrences between two moments. Asserts that both search directions find the same ones.
    fn between(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
        let forward: Vec<_> =
            schedule.all_from(time(from)).take_while(|at| *at < time(to)).collect();
        let backward =
            std::iter::successors(schedule.last_before(time(to)), |at| schedule.last_before(*at));
        let mut backward: Vec<_> = backward.take_while(|at| *at >= time(from)).collect();
        backward.reverse();
        assert_eq!(forward, backward, "{schedule:?}");
        times(schedule, from, forward.len())
    }

    #[test]
    fn a_local_time_in_a_gap_occurs_right_after_it_or_not_at_all() {
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
            // A gap of half an hour: 02:00 does not exist, 02:30 does.
            (
                "Australia/Lord_Howe",
                "0,15,30 2 * * *",
                "2026-10-03",
                &["2026-10-03T15:30Z"],
                &["2026-10-03T15:30Z"],
            ),
            ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03", &["2026-10-03T15:30Z"], &[]),
            // Midnight does not exist; the day begins at 01:00.
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
    fn a_repeated_local_time_occurs_once_or_twice() {
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
            // An overlap of half an hour: 01:30 to 02:00 is repeated.
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
    fn an_occurrence_on_a_day_that_does_not_exist_runs_when_the_next_day_begins() {
        let noon = |gap| cron("0 12 * * *", "Pacific/Apia", gap, "first");
        let (from, to) = ("2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z");
        let regular = ["2011-12-29T22:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"];
        assert_eq!(between(&noon("skip"), from, to), regular);
        let deferred =
            ["2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z", "2011-12-31T22:00Z"];
        assert_eq!(between(&noon("after"), from, to), deferred);
    }

    #[test]
    fn a_quarter_hourly_schedule_keeps_its_pace_through_both_changes() {
        for day in ["2026-03-29", "2026-10-25"] {
            let defaults =
                json!({"type": "cron", "expression": "*/15 * * * *", "timezone": "Europe/Berlin"});
            let schedule = schedule(defaults, "2026-01-01T00:00:00Z");
            let all = schedule.next(time(&format!("{day}T00:00:00Z")), 95);
            assert!(all.windows(2).all(|pair| pair[1].since(pair[0]).as_secs() == 900), "{day}");
        }
    }

    #[test]
    fn a_match_once_in_many_years_is_found() {
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
    fn a_fraction_of_a_second_finds_the_neighboring_occurrences() {
        let schedule = cron("0 0 * * *", "UTC", "after", "first");
        let midnight = time("2026-05-02T00:00:00Z");
        assert_eq!(schedule.first_from(time("2026-05-01T00:00:00.001Z")), Some(midnight));
        assert_eq!(schedule.first_from(time("2026-05-01T23:59:59.999Z")), Some(midnight));
        assert_eq!(schedule.last_before(time("2026-05-02T00:00:00.001Z")), Some(midnight));
        assert_eq!(schedule.last_before(midnight), Some(time("2026-05-01T00:00:00Z")));
    }
}
