//! What waits for a tick.

use futures_util::future::try_join_all;

use super::{Schedules, horizon};
use crate::{aws::ServiceError, dynamo::keys::DUE_SHARDS, time::Timestamp};

/// Jobs of a shard that are looked at.
const PAGE: i32 = 100;

/// Jobs that no tick has taken up yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Those that a tick at this moment would take up.
    pub due: u64,
    /// Those of them whose time has passed.
    pub overdue: u64,
    /// When the first of these was due.
    pub oldest: Option<Timestamp>,
}

impl Schedules {
    /// The jobs that are due, as the index knows them, of each shard the first hundred: one query for each shard.
    pub async fn backlog(&self, now: Timestamp) -> Result<Backlog, ServiceError> {
        let shards = (0..DUE_SHARDS).map(|shard| self.store.due(shard, horizon(now), PAGE, None));
        let due: Vec<Timestamp> = try_join_all(shards)
            .await?
            .into_iter()
            .flat_map(|(due, _)| due)
            .map(|due| due.next_run_at)
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
