//! Closing minutes: each is counted and published once, whatever happens to the ticks.
//!
//! The watermark is the newest published minute itself. A tick closes every minute after it that ended [`GRACE`] ago, oldest
//! first: count, stream, callbacks, and last the record, which only one tick can put. A tick that dies before the record
//! is done again by the next one with the same count, since nothing is added to a minute any more; a tick that finds the
//! record has nothing to do. So a tick may come late, twice, or not at all.

use std::time::Duration;

use tokio::time::Instant;
use tracing::info;
use uuid::Uuid;

use super::{
    GRACE, Message, Settings,
    shard_config::ShardConfig,
    store::{Published, Store},
    stream::{MinuteCount, Stream},
};
use crate::{
    aws::{Aws, ServiceError},
    sqs::Queue,
    time::{Minute, Timestamp},
};

/// How long a tick begins to close minutes; the function ends at 50 s. What is left is for the next tick.
const WORK: Duration = Duration::from_secs(35);

/// Closes minutes and counts them a second time.
#[derive(Debug)]
pub struct MinuteCloser {
    pub(super) store: Store,
    stream: Stream,
    queue: Queue,
    shards: u32,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Closed {
    /// Minutes that it published.
    pub published: u32,
    /// Minutes that it counted a second time.
    pub audited: u32,
}

/// The time for which a tick begins new work.
#[derive(Debug)]
pub(super) struct TimeBox(Instant);

impl TimeBox {
    pub(super) fn is_on(&self) -> bool {
        self.0.elapsed() < WORK
    }
}

/// How many minutes could be closed at this moment and are not, if this is the next one.
fn overdue(next: Minute, now: Timestamp) -> f64 {
    let closable_until = Minute::of(now.minus(GRACE)).start();
    closable_until.since(next.start()).as_secs_f64() / 60.0
}

impl MinuteCloser {
    /// Over the settings' table, stream and queue.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings),
            stream: Stream::new(aws.kinesis(), settings.stream.clone()),
            queue: Queue::new(aws.sqs(), settings.queue_url.clone()),
            shards: settings.shards,
        }
    }

    /// Closes all minutes that can be closed at this moment, and audits those whose time has come.
    ///
    /// # Errors
    /// A service failed: the next tick goes on where this one stopped.
    pub async fn tick(&self, now: Timestamp) -> Result<Closed, ServiceError> {
        let shift = TimeBox(Instant::now());
        let Some(counting) = self.store.counting().await? else {
            // Nothing was ever accepted, so no minute is owed.
            metrics::histogram!("MinutesOverdue").record(0.0);
            return Ok(Closed::default());
        };
        let published = self.close(&counting, now, &shift).await?;
        let audited = self.audit(&counting, now, &shift).await?;
        if let Some(changed) = counting.respread(now, self.shards)
            && self.store.respread(&counting, &changed).await?
        {
            info!(shards = self.shards, "Changed the number of shards of minutes to come");
        }
        Ok(Closed { published, audited })
    }

    async fn close(
        &self,
        counting: &ShardConfig,
        now: Timestamp,
        shift: &TimeBox,
    ) -> Result<u32, ServiceError> {
        let last = self.store.last_published().await?;
        let mut minute = last.map_or(counting.since(), |last| last.minute.plus(1));
        let mut published = 0;
        while minute.end().plus(GRACE) <= now && shift.is_on() {
            published += u32::from(self.close_minute(minute, counting, now).await?);
            minute = minute.plus(1);
        }
        metrics::histogram!("MinutesOverdue").record(overdue(minute, now));
        Ok(published)
    }

    /// Counts and publishes one minute; answers whether it was this tick that published it.
    async fn close_minute(
        &self,
        minute: Minute,
        counting: &ShardConfig,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let shards = counting.shards(minute).unwrap_or(self.shards);
        let tally = self.store.tally(minute, shards).await?;
        let unique_ids = tally.ids;
        self.stream.publish(MinuteCount { minute, unique_ids }).await?;
        let callbacks = tally.with_callbacks.iter();
        self.queue
            .send(callbacks.map(|&shard| Message::FanOut { minute, shard, unique_ids }))
            .await?;

        let incomplete = now > self.store.expiry(minute);
        let record = Published { minute, unique_ids, at: now, incomplete };
        let own = self.store.publish(&record, Uuid::now_v7()).await?;
        if own {
            let lag_ms = u64::try_from(now.since(minute.end()).as_millis()).unwrap_or(u64::MAX);
            info!(%minute, unique_ids, lag_ms, incomplete, "Published minute");
            metrics::counter!("MinutesPublished").increment(1);
            metrics::counter!("UniqueIds").increment(unique_ids);
            metrics::counter!("IncompleteMinutes").increment(incomplete.into());
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole minutes")]
    fn a_minute_is_owed_from_its_grace_on_until_it_is_published() {
        let next = Minute::of(Timestamp::from_millis(1_795_216_800_000));
        let at = |seconds| next.start().plus(Duration::from_secs(seconds));
        for (seconds, minutes) in
            [(0, 0.0), (60, 0.0), (74, 0.0), (75, 1.0), (134, 1.0), (135, 2.0), (3_615, 60.0)]
        {
            assert_eq!(overdue(next, at(seconds)), minutes, "{seconds} s after it began");
        }
        assert_eq!(overdue(next.plus(5), at(0)), 0.0, "one that is to come");
    }
}
