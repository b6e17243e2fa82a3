//! The action that starts a settlement. Its days are relative to the time at which the run was due,
//! so that a late run settles the days that it was meant to settle.

use serde::{Deserialize, Serialize};

use super::{Attempt, Failure};
use crate::{
    settlement::{Days, Settlement},
    time::{Day, Timestamp},
};

/// The start of a settlement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettlementStart {
    /// The days to settle.
    pub range: Range,
}

/// Days before the day on which a run is due, in UTC like the ledger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// The previous day.
    Yesterday,
    /// Monday to Sunday of the previous week.
    LastWeek,
    /// The previous month.
    LastMonth,
}

impl Range {
    fn before(self, due_at: Timestamp) -> Days {
        let today = Day::of(due_at);
        let (from, to) = match self {
            Self::Yesterday => (today.plus(-1), today.plus(-1)),
            Self::LastWeek => (today.monday().plus(-7), today.monday().plus(-1)),
            Self::LastMonth => {
                (today.first_of_month().plus(-1).first_of_month(), today.first_of_month().plus(-1))
            }
        };
        Days { from, to }
    }
}

impl SettlementStart {
    /// Starts a settlement whose id is the run's, so that a second attempt finds the settlement of
    /// the first one.
    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        settlement: &Settlement,
    ) -> Result<String, Failure> {
        let days = self.range.before(attempt.occurrence.due_at);
        let id = attempt.occurrence.run.into();
        let created = settlement.create_once(id, days, attempt.now).await;
        created.map(|job| job.job_id.to_string()).map_err(|cause| Failure::service(&cause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_relative_to_the_due_time_in_utc() {
        for (range, due_at, from, to) in [
            (Range::Yesterday, "2026-11-20T00:00:00Z", "2026-11-19", "2026-11-19"),
            (Range::Yesterday, "2026-11-20T23:59:59.999Z", "2026-11-19", "2026-11-19"),
            (Range::Yesterday, "2026-03-01T00:30:00+01:00", "2026-02-27", "2026-02-27"),
            // A Friday, a Monday, and a Sunday.
            (Range::LastWeek, "2026-11-20T12:00:00Z", "2026-11-09", "2026-11-15"),
            (Range::LastWeek, "2026-11-16T00:00:00Z", "2026-11-09", "2026-11-15"),
            (Range::LastWeek, "2026-11-22T23:00:00Z", "2026-11-09", "2026-11-15"),
            (Range::LastMonth, "2026-03-31T00:00:00Z", "2026-02-01", "2026-02-28"),
            (Range::LastMonth, "2024-03-01T00:00:00Z", "2024-02-01", "2024-02-29"),
            (Range::LastMonth, "2026-01-15T00:00:00Z", "2025-12-01", "2025-12-31"),
        ] {
            let days = range.before(due_at.parse().expect(due_at));
            assert_eq!(
                (days.from.to_string(), days.to.to_string()),
                (from.to_owned(), to.to_owned()),
                "{due_at}"
            );
        }
    }
}
