//! A settlement as it is kept: its name, its state, and what it has come to.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{range::Days, totals::Totals};
use crate::{id::prefixed_id, time::Timestamp};

prefixed_id!(
    /// `job_<uuid>`
    JobId,
    InvalidJobId,
    "job",
    "must be a job's id: job_ and a UUID in small letters"
);

impl JobId {
    /// A name that no job has.
    #[must_use]
    pub fn new() -> Self {
        Uuid::now_v7().into()
    }
}

impl Default for JobId {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a job is. `transition.rs` has the ways from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It waits for its plan.
    Queued,
    /// Its batches are summed.
    Running,
    /// All are summed; the file and the settled days are written.
    Finishing,
    /// The file is there.
    Completed,
    /// A caller has stopped it.
    Cancelled,
    /// It could not be done.
    Failed,
}

impl State {
    /// Nothing more happens to it by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A job's item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub state: State,
    #[serde(flatten)]
    pub days: Days,
    /// Only what was recorded up to this moment is settled: the moment at which the job was asked for.
    pub cutoff: Timestamp,
    /// The how manieth time it is tried, from 1. Messages of an earlier run do nothing.
    pub run: u32,
    /// The plan that was taken: its name is part of the keys of its batches, so that those of any other plan are nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// What it comes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<Planned>,
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<File>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    pub created_at: Timestamp,
    /// When its state changed last.
    pub updated_at: Timestamp,
    /// Until when somebody is known to plan or to finish it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// What `recover` has seen last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<StallWatch>,
}

/// What a plan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Transactions.
    pub total: u64,
    /// Batches that they make.
    pub batches: u64,
    /// When the plan was ready.
    pub at: Timestamp,
}

/// The finished CSV.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub bytes: u64,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Lines, without the header.
    pub rows: u64,
    /// What they add up to.
    pub totals: Totals,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable name of the cause.
    pub code: String,
    /// For people.
    pub message: String,
}

/// When something was last seen to happen or was asked for again, and what was left then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StallWatch {
    pub at: Timestamp,
    /// Batches.
    pub left: u64,
    /// How often it was asked for again, and nothing happened.
    pub resent: u32,
}

impl Job {
    /// As it is asked for.
    #[must_use]
    pub fn new(id: JobId, days: Days, now: Timestamp) -> Self {
        Self {
            id,
            state: State::Queued,
            days,
            cutoff: now,
            run: 1,
            plan: None,
            planned: None,
            file: None,
            failure: None,
            created_at: now,
            updated_at: now,
            lease_until: None,
            watch: None,
        }
    }

    /// The first moment at which everything up to the cutoff is in the ledger, and stays as it is.
    #[must_use]
    pub fn ledger_settled_at(&self) -> Timestamp {
        self.cutoff.min(self.days.to.last()).plus(super::LEDGER_LAG)
    }

    /// Transactions in all, if they are counted.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.planned.as_ref().map(|planned| planned.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_one_name() {
        let text = "job_00000000-0000-0000-0000-00000000000a";
        let id: JobId = text.parse().expect("a name");
        assert_eq!(id.to_string(), text);
        for unfit in [
            "",
            "job_",
            "00000000-0000-0000-0000-00000000000a",
            "job_00000000-0000-0000-0000-00000000000A",
            "job_0000000000000000000000000000000a",
            "job_{00000000-0000-0000-0000-00000000000a}",
            "job_00000000-0000-0000-0000-00000000000a ",
            "job_../00000000-0000-0000-0000-00000000000a",
        ] {
            assert_eq!(unfit.parse::<JobId>(), Err(InvalidJobId), "{unfit}");
        }
    }

    #[test]
    fn a_state_is_shown_as_it_is_stored() {
        assert_eq!(
            (State::Queued.to_string(), State::Cancelled.to_string()),
            ("QUEUED".into(), "CANCELLED".into())
        );
    }

    #[test]
    fn days_that_are_long_over_need_not_be_waited_for() {
        let now: Timestamp = "2026-11-21T00:00:05Z".parse().expect("a time");
        let day = |text: &str| text.parse().expect("a day");
        let job = |from, to| Job::new(JobId::new(), Days { from: day(from), to: day(to) }, now);
        assert!(job("2026-11-01", "2026-11-19").ledger_settled_at() < now);
        // An order of the last second before midnight may still be under way.
        assert!(job("2026-11-01", "2026-11-20").ledger_settled_at() > now);
        assert_eq!(
            job("2026-11-21", "2026-11-21").ledger_settled_at(),
            now.plus(super::super::LEDGER_LAG)
        );
    }
}
