//! What the queues hold. Each message names what it is about, and the run or the plan for which it was meant: a job that has moved
//! on ignores it.

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
    /// A job is to be planned.
    Plan {
        /// Which job.
        job: JobId,
        /// Which of its runs.
        run: u32,
        /// Before this moment the ledger is not yet complete up to the cutoff.
        not_before: Timestamp,
    },
    /// A batch is to be summed.
    Batch {
        /// Which job.
        job: JobId,
        /// Which of its runs.
        run: u32,
        /// The plan that the batch belongs to.
        plan: Uuid,
        /// Which batch of it.
        batch: BatchId,
    },
    /// All batches are summed.
    Finish {
        /// Which job.
        job: JobId,
        /// Which of its runs.
        run: u32,
        /// The plan whose batches they are.
        plan: Uuid,
    },
}

impl Message {
    /// Which job it is about, and which of its runs.
    #[must_use]
    pub fn about(&self) -> (JobId, u32) {
        match self {
            Self::Plan { job, run, .. }
            | Self::Batch { job, run, .. }
            | Self::Finish { job, run, .. } => (*job, *run),
        }
    }
}

/// A batch of a plan: the `number`th part of a shard of a day of the ledger. Its text sorts as the ledger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct BatchId {
    /// The day.
    pub day: Day,
    /// Which shard of it.
    pub shard: u64,
    /// Which part of the shard, from 0.
    pub number: u32,
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{:06}", self.day, self.shard, self.number)
    }
}

/// A text that names no batch.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a batch like 2026-11-20#3#000001")]
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
    fn a_message_is_spelled_as_workers_of_the_last_release_read_it() {
        let (job, plan) =
            ("job_00000000-0000-0000-0000-00000000000a".parse().expect("a job"), Uuid::nil());
        let batch = "2026-11-20#3#000001".parse().expect("a batch");
        let spelled = |message| serde_json::to_string(&message).expect("JSON");
        assert_eq!(
            spelled(Message::Plan { job, run: 1, not_before: Timestamp::from_millis(0) }),
            r#"{"kind":"plan","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"not_before":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(
            spelled(Message::Batch { job, run: 1, plan, batch }),
            r#"{"kind":"batch","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"plan":"00000000-0000-0000-0000-000000000000","batch":"2026-11-20#3#000001"}"#
        );
        assert_eq!(
            spelled(Message::Finish { job, run: 1, plan }),
            r#"{"kind":"finish","job":"job_00000000-0000-0000-0000-00000000000a","run":1,"plan":"00000000-0000-0000-0000-000000000000"}"#
        );
    }

    #[test]
    fn a_batch_has_one_name() {
        for unfit in [
            "",
            "2026-11-20#3",
            "2026-11-20#3#1",
            "2026-11-20#03#000001",
            "2026-11-20#3#000001#",
            "x#3#000001",
        ] {
            assert_eq!(unfit.parse::<BatchId>(), Err(InvalidBatchId), "{unfit}");
        }
        let wide =
            BatchId { day: "2026-11-20".parse().expect("a day"), shard: 7, number: 1_234_567 };
        assert_eq!(wide.to_string().parse(), Ok(wide));
    }
}
