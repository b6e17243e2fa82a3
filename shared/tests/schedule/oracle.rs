//! The rule against the oracle: every occurrence of 2026, of schedules in zones all over the world, as
//! `tests/oracle/occurrences.py` has worked them out in another language, with another cron and in another way.

use std::{fmt::Write, iter};

use once::{schedule::when::Schedule, time::Timestamp};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What the oracle has said.
#[derive(Deserialize)]
pub struct Oracle {
    /// The first moment that counts.
    pub from: Timestamp,
    /// The first that does not any more.
    pub to: Timestamp,
    pub cases: Vec<Case>,
}

/// What it has said of one schedule.
#[derive(Deserialize)]
pub struct Case {
    pub schedule: serde_json::Value,
    #[serde(flatten)]
    pub all: All,
}

/// All occurrences, in short.
#[derive(Debug, PartialEq, Deserialize)]
pub struct All {
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

impl All {
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

fn begun(case: &Case, from: Timestamp) -> Schedule {
    let schedule: Schedule = serde_json::from_value(case.schedule.clone()).expect("a schedule");
    schedule.begin(from).expect("one that occurs")
}

#[test]
fn every_occurrence_is_the_oracles_from_either_end() {
    let oracle = Oracle::read();
    for case in &oracle.cases {
        let schedule = begun(case, oracle.from);
        let times: Vec<_> =
            schedule.all_from(oracle.from).take_while(|time| *time < oracle.to).collect();
        assert_eq!(All::of(&times), case.all, "{}", case.schedule);
        let back =
            iter::successors(schedule.last_before(oracle.to), |time| schedule.last_before(*time));
        let mut back: Vec<_> = back.take_while(|time| *time >= oracle.from).collect();
        back.reverse();
        assert_eq!(All::of(&back), case.all, "backwards: {}", case.schedule);
    }
}
