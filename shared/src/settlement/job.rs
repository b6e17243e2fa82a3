//! [`Job`], a settlement as stored: its id, its state, and its results.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{days::Days, totals::Totals};
use crate::{id::prefixed_id, time::Timestamp};

/// How long after the time that it contains an entry may appear in the ledger: longer than the
/// timeout of the functions that write it (15 s) and the difference of two clocks together.
pub const LEDGER_LAG: Duration = Duration::from_secs(30);

prefixed_id!(
    /// Id of a settlement: `job_<uuid>`.
    JobId,
    InvalidJobId,
    "job",
    "must be a job id: job_ and a lowercase UUID"
);

impl JobId {
    /// Generates a unique id; later ids sort after earlier ones.
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

/// State of a settlement. `transition.rs` defines the transitions between states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// It waits for its plan.
    Queued,
    /// Its batches are being summed.
    Running,
    /// All batches are summed; the file and the settled days are being written.
    Finishing,
    /// The file is available.
    Completed,
    /// A caller cancelled it.
    Cancelled,
    /// It could not be done; a caller can retry it.
    Failed,
}

impl State {
    /// Returns whether no worker changes it any more.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The plan of a settlement that its batches belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanRef {
    pub job: JobId,
    pub id: Uuid,
}

/// The item of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub state: State,
    #[serde(flatten)]
    pub days: Days,
    /// Time of the request: entries recorded later are left to a later settlement.
    pub cutoff: Timestamp,
    /// Run number, from 1; each retry starts another. Messages of an earlier run are ignored.
    pub run: u32,
    /// Id of the plan in effect. It is part of the keys of its batches, so the batches of any other
    /// plan are never used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// Size of the plan in effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planned: Option<PlanSummary>,
    /// The file of a completed settlement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ReportFile>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureRecord>,
    pub created_at: Timestamp,
    /// Time of the last transition.
    pub updated_at: Timestamp,
    /// Expiry of the lease of the worker that plans or finishes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Last observation of `settlement-recover`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<StallWatch>,
}

/// Size of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// Transactions.
    pub total: u64,
    /// Batches of these transactions.
    pub batches: u64,
    /// When the plan was ready.
    pub at: Timestamp,
}

/// The CSV file of a completed settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFile {
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Lines, without the header.
    pub rows: u64,
    /// Sum of all lines.
    pub totals: Totals,
}

/// Why a settlement failed, as stored and as callers receive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureRecord {
    /// Stable code of the cause.
    pub code: String,
    /// Description for people.
    pub message: String,
}

/// When progress was last observed or work was last resent, and what was pending then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StallWatch {
    pub at: Timestamp,
    /// Pending batches.
    pub left: u64,
    /// Number of resends since the last progress.
    pub resent: u32,
}

impl Job {
    /// Creates a queued settlement whose cutoff is `now`.
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

    /// Returns the earliest time at which the ledger is complete up to the cutoff and does not
    /// change any more.
    #[must_use]
    pub fn ledger_complete_at(&self) -> Timestamp {
        self.cutoff.min(self.days.to.last()).plus(LEDGER_LAG)
    }

    /// Returns the number of transactions, once the plan has counted them.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        self.planned.as_ref().map(|planned| planned.total)
    }

    /// Returns the plan in effect.
    #[must_use]
    pub fn plan_ref(&self) -> Option<PlanRef> {
        self.plan.map(|id| PlanRef { job: self.id, id })
    }

    /// Returns whether the batches of this plan are being summed.
    #[must_use]
    pub fn is_running(&self, plan: PlanRef) -> bool {
        self.state == State::Running && self.plan == Some(plan.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_id_has_one_spelling() {
        let text = "job_00000000-0000-0000-0000-00000000000a";
        let id: JobId = text.parse().expect("an id");
        assert_eq!(id.to_string(), text);
        for invalid in [
            "",
            "job_",
            "00000000-0000-0000-0000-00000000000a",
            "job_00000000-0000-0000-0000-00000000000A",
            "job_0000000000000000000000000000000a",
            "job_{00000000-0000-0000-0000-00000000000a}",
            "job_00000000-0000-0000-0000-00000000000a ",
            "job_../00000000-0000-0000-0000-00000000000a",
        ] {
            assert_eq!(invalid.parse::<JobId>(), Err(InvalidJobId), "{invalid}");
        }
    }

    #[test]
    fn a_state_is_displayed_as_it_is_stored() {
        assert_eq!(
            (State::Queued.to_string(), State::Cancelled.to_string()),
            ("QUEUED".into(), "CANCELLED".into())
        );
    }

    #[test]
    fn the_ledger_of_past_days_is_already_complete() {
        let now: Timestamp = "2026-11-21T00:00:05Z".parse().expect("a time");
        let day = |text: &str| text.parse().expect("a day");
        let job = |from, to| Job::new(JobId::new(), Days { from: day(from), to: day(to) }, now);
        assert!(job("2026-11-01", "2026-11-19").ledger_complete_at() < now);
        // An order of the last second before midnight may still be in progress.
        assert!(job("2026-11-01", "2026-11-20").ledger_complete_at() > now);
        assert_eq!(job("2026-11-21", "2026-11-21").ledger_complete_at(), now.plus(LEDGER_LAG));
    }
}
