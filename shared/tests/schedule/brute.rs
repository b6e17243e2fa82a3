//! The search compared with a scan minute by minute, without croner and offset periods: around
//! clock changes of many zones from 1995 to 2036.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp as Instant, ToSpan, civil::DateTime, tz::TimeZone};
use once::{json, schedule::when::Schedule, time::Timestamp};
use proptest::prelude::*;
use serde_json::json;

const ZONES: [&str; 14] = [
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Asuncion",
    "America/Caracas",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Apia",
];

/// An expression, and the values that its fields match.
#[derive(Debug, Clone)]
struct Pattern {
    text: String,
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    weekdays: BTreeSet<i8>,
}

impl Pattern {
    fn matches(&self, local: DateTime) -> bool {
        self.minutes.contains(&local.minute())
            && self.hours.contains(&local.hour())
            && self.weekdays.contains(&local.weekday().to_sunday_zero_offset())
    }
}

/// A field of values below `count`: all of them, a step, a range or a list.
fn field(count: i8) -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    let list = |values: BTreeSet<i8>| {
        (values.iter().map(i8::to_string).collect::<Vec<_>>().join(","), values)
    };
    prop_oneof![
        Just(("*".to_owned(), (0..count).collect())),
        (2..count).prop_map(move |step| (
            format!("*/{step}"),
            (0..count).filter(|value| value % step == 0).collect()
        )),
        (0..count - 1)
            .prop_map(move |from| (format!("{from}-{}", count - 1), (from..count).collect())),
        proptest::collection::btree_set(0..count, 1..4).prop_map(list),
    ]
}

fn pattern() -> impl Strategy<Value = Pattern> {
    // Clocks change at night.
    let hours = prop_oneof![
        field(24),
        proptest::collection::btree_set(0_i8..4, 1..3).prop_map(|hours| {
            (hours.iter().map(i8::to_string).collect::<Vec<_>>().join(","), hours)
        })
    ];
    (field(60), hours, field(7)).prop_map(
        |((minute, minutes), (hour, hours), (weekday, weekdays))| Pattern {
            text: format!("{minute} {hour} * * {weekday}"),
            minutes,
            hours,
            weekdays,
        },
    )
}

/// The first change of a zone after a moment from 1995 to 2036.
fn change() -> impl Strategy<Value = (&'static str, Instant)> {
    (prop::sample::select(&ZONES[..]), 788_918_400_i64..2_114_380_800).prop_filter_map(
        "a change",
        |(zone, second)| {
            let after = Instant::from_second(second).ok()?;
            let at = TimeZone::get(zone).ok()?.following(after).next()?.timestamp();
            Some((zone, at))
        },
    )
}

/// The occurrences between two moments, found by checking each minute.
fn scan(
    pattern: &Pattern,
    zone: &TimeZone,
    after: bool,
    both: bool,
    from: Instant,
    to: Instant,
) -> Vec<Instant> {
    let minute = SignedDuration::from_mins(1);
    let mut found = Vec::new();
    let mut at = from;
    while at < to {
        let local = zone.to_datetime(at);
        let ambiguous = zone.to_ambiguous_timestamp(local);
        let is_second =
            ambiguous.is_ambiguous() && ambiguous.later().is_ok_and(|later| later == at);
        let regular = pattern.matches(local) && (both || !is_second);
        // The local times that a gap in this minute skips.
        let expected = zone.to_datetime(at - minute) + minute;
        let mut missing = std::iter::successors(Some(expected), |local| Some(*local + minute))
            .take_while(|missing| *missing < local);
        if regular || (after && missing.any(|local| pattern.matches(local))) {
            found.push(at);
        }
        at += minute;
    }
    found
}

proptest! {
    #[test]
    fn around_any_clock_change_the_search_finds_what_a_scan_finds(
        pattern in pattern(), (zone, change) in change(), after: bool, both: bool,
    ) {
        let (from, to) = (change - 30.hours(), change + 30.hours());
        let expected = scan(&pattern, &TimeZone::get(zone).expect("a zone"), after, both, from, to);

        let moment = |instant: Instant| Timestamp::from_millis(instant.as_millisecond());
        let gap = if after { "after" } else { "skip" };
        let overlap = if both { "both" } else { "first" };
        let cron = json!({"type": "cron", "expression": pattern.text, "timezone": zone,
            "dst": {"gap": gap, "overlap": overlap}});
        let schedule: Schedule = json::parse(&cron.to_string()).expect("a schedule");
        let schedule = schedule.begin(moment(from)).expect("an occurrence");

        let found: Vec<_> =
            schedule.all_from(moment(from)).take_while(|at| *at < moment(to)).collect();
        prop_assert_eq!(&found, &expected.into_iter().map(moment).collect::<Vec<_>>());
        for pair in found.windows(2) {
            prop_assert_eq!(schedule.last_before(pair[1]), Some(pair[0]), "backward");
        }
    }
}
