//! The jobs that wait for a tick, as health checks and metrics report them.

use futures_util::future::try_join_all;

use super::{Schedules, due::horizon};
use crate::{aws::ServiceError, dynamo::keys::DUE_SHARDS, time::Timestamp};

/// The maximum number of jobs that are read from one shard.
const PAGE_SIZE: i32 = 100;

/// Jobs that wait for a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Those that a tick would read now.
    pub due: u64,
    /// Those of them whose next occurrence is in the past.
    pub overdue: u64,
    /// The earliest time at which an overdue job was due.
    pub oldest: Option<Timestamp>,
}

impl Schedules {
    /// Reads the due jobs from the index, the first hundred of each shard: one query per shard.
    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, ServiceError> {
        let shards =
            (0..DUE_SHARDS).map(|shard| self.jobs.due(shard, horizon(now), PAGE_SIZE, None));
        let due: Vec<Timestamp> = try_join_all(shards)
            .await?
            .into_iter()
            .flat_map(|(due, _)| due)
            .map(|job| job.next_run_at)
            .collect();
        let overdue: Vec<Timestamp> = due.iter().copied().filter(|&at| at < now).collect();
        let count = |times: &[Timestamp]| u64::try_from(times.len()).unwrap_or(u64::MAX);
        Ok(Backlog {
            due: count(&due),
            overdue: count(&overdue),
            oldest: overdue.into_iter().min(),
        })
    }
}
