//! Messages of the three queues. Each names the run or the plan that it is for: a settlement that
//! is no longer in it ignores the message.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::job::JobId;
use crate::{
    time::{Day, Timestamp},
    validated::string_conversions,
};

/// A message of one of the queues.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// Plan a settlement.
    Plan {
        /// The settlement.
        job: JobId,
        /// Its run.
        run: u32,
        /// Earliest time at which the ledger is complete up to the cutoff.
        not_before: Timestamp,
    },
    /// Sum a batch.
    Batch {
        /// The settlement.
        job: JobId,
        /// Its run.
        run: u32,
        /// The plan that the batch belongs to.
        plan: Uuid,
        /// The batch.
        batch: BatchId,
    },
    /// Finish a settlement, all of whose batches are summed.
    Finish {
        /// The settlement.
        job: JobId,
        /// Its run.
        run: u32,
        /// The plan that the batches belong to.
        plan: Uuid,
    },
}

impl Message {
    /// Returns the settlement and the run that the message is for.
    #[must_use]
    pub fn job_and_run(&self) -> (JobId, u32) {
        match self {
            Self::Plan { job, run, .. }
            | Self::Batch { job, run, .. }
            | Self::Finish { job, run, .. } => (*job, *run),
        }
    }
}

/// Id of a batch within its plan: day and shard of the ledger, and number within the shard. Its
/// text, `2026-11-20#3#000001`, sorts like the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BatchId {
    /// Day of the ledger.
    pub day: Day,
    /// Shard of the day.
    pub shard: u64,
    /// Number of the batch in the shard, from 0.
    pub number: u32,
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{:06}", self.day, self.shard, self.number)
    }
}

/// A text that is not a batch id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be a batch id like 2026-11-20#3#000001")]
pub struct InvalidBatchId;

impl FromStr for BatchId {
    type Err = InvalidBatchId;

    fn from_str(text: &str) -> Result<Self, InvalidBatchId> {
        let mut parts = text.split('#');
        let mut part = || parts.next().ok_or(InvalidBatchId);
        let batch = Self {
            day: part()?.parse().map_err(|_| InvalidBatchId)?,
            shard: part()?.parse().map_err(|_| InvalidBatchId)?,
            number: part()?.parse().map_err(|_| InvalidBatchId)?,
        };
        (batch.to_string() == text).then_some(batch).ok_or(InvalidBatchId)
    }
}

string_conversions!(BatchId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_messages_is_the_one_that_the_previous_release_reads() {
        let (job, plan) =
            ("job_00000000-0000-0000-0000-00000000000a".parse().expect("a job"), Uuid::nil());
        let batch = "2026-11-20#3#000001".parse().expect("a batch");
        let json = |message| serde_json::to_string(&message).expect("JSON");
        assert_eq!(
            json(Message::Plan { job, run: 1, not_before: Timestamp::from_millis(0) }),
            concat!(
                r#"{"kind":"plan","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"#,
                r#""not_before":"1970-01-01T00:00:00.000Z"}"#
            )
        );
        assert_eq!(
            json(Message::Batch { job, run: 1, plan, batch }),
            concat!(
                r#"{"kind":"batch","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"#,
                r#""plan":"00000000-0000-0000-0000-000000000000","batch":"2026-11-20#3#000001"}"#
            )
        );
        assert_eq!(
            json(Message::Finish { job, run: 1, plan }),
            concat!(
                r#"{"kind":"finish","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"#,
                r#""plan":"00000000-0000-0000-0000-000000000000"}"#
            )
        );
    }

    #[test]
    fn a_batch_id_has_one_spelling() {
        for invalid in [
            "",
            "2026-11-20#3",
            "2026-11-20#3#1",
            "2026-11-20#03#000001",
            "2026-11-20#3#000001#",
            "x#3#000001",
        ] {
            assert_eq!(invalid.parse::<BatchId>(), Err(InvalidBatchId), "{invalid}");
        }
        let wide =
            BatchId { day: "2026-11-20".parse().expect("a day"), shard: 7, number: 1_234_567 };
        assert_eq!(wide.to_string().parse(), Ok(wide));
    }
}
