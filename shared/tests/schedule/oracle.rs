//! The scheduler compared with an oracle: every occurrence of 2026, for schedules in time zones all
//! over the world, as `tests/oracle/occurrences.py` computes them in another language, with another
//! cron library and by another method.

use std::{fmt::Write, iter};

use once::{json, schedule::when::Schedule, time::Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The file that the oracle writes.
#[derive(Deserialize)]
pub struct Oracle {
    /// The start of the year, inclusive.
    pub from: Timestamp,
    /// The end of the year, exclusive.
    pub to: Timestamp,
    pub cases: Vec<Case>,
}

/// A schedule, and the summary of its occurrences.
#[derive(Deserialize)]
pub struct Case {
    pub schedule: serde_json::Value,
    #[serde(flatten)]
    pub summary: Summary,
}

/// Occurrences by count, first, last and hash.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Summary {
    pub count: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    sha256: String,
}

impl Oracle {
    pub fn read() -> Self {
        let oracle: Self =
            serde_json::from_str(include_str!("../oracle/occurrences.json")).expect("the oracle");
        assert!(oracle.cases.len() >= 300);
        oracle
    }
}

impl Summary {
    pub fn of(times: &[Timestamp]) -> Self {
        let mut hash = Sha256::new();
        for time in times {
            hash.update(format!("{time}\n"));
        }
        let sha256 = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("memory");
            hex
        });
        Self {
            count: times.len(),
            first: times.first().copied(),
            last: times.last().copied(),
            sha256,
        }
    }
}

fn schedule(case: &Case, now: Timestamp) -> Schedule {
    let schedule: Schedule = json::parse(&case.schedule.to_string()).expect("a schedule");
    schedule.begin(now).expect("an occurrence")
}

#[test]
fn every_occurrence_is_the_oracles_in_both_directions() {
    let oracle = Oracle::read();
    for case in &oracle.cases {
        let schedule = schedule(case, oracle.from);
        let forward: Vec<_> =
            schedule.all_from(oracle.from).take_while(|time| *time < oracle.to).collect();
        assert_eq!(Summary::of(&forward), case.summary, "{}", case.schedule);
        let backward =
            iter::successors(schedule.last_before(oracle.to), |time| schedule.last_before(*time));
        let mut backward: Vec<_> = backward.take_while(|time| *time >= oracle.from).collect();
        backward.reverse();
        assert_eq!(Summary::of(&backward), case.summary, "backward: {}", case.schedule);
    }
}
