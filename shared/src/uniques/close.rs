//! Closing minutes: each is counted and published once, no matter when ticks run.
//!
//! The watermark is the newest published minute itself. A tick closes every minute after it that
//! ended at least [`GRACE`] ago, oldest first: it counts the minute, puts the count on the stream,
//! sends the callback messages, and last puts the record, which only one tick can put. If a tick
//! dies before the record, the next one repeats all of it with the same count, since no id is added
//! to such a minute. A minute whose record exists is not closed again. Ticks may therefore run
//! late, twice, or not at all.

#![expect(clippy::disallowed_types, reason = "it ends with its invocation")]

use std::time::Duration;

use tokio::time::Instant;
use tracing::info;
use uuid::Uuid;

use super::{
    GRACE, Message, Settings,
    shard_config::ShardConfig,
    store::{PublishedCount, Store},
    stream::{CountStream, MinuteCount},
};
use crate::{
    aws::{Aws, ServiceError},
    sqs::Queue,
    time::{Minute, Timestamp},
};

/// The time for which a tick starts to close or audit minutes; the function ends after 50 s. The
/// next tick does what is left.
const TIME_BOX: Duration = Duration::from_secs(35);

/// Closes minutes, and counts them a second time.
#[derive(Debug)]
pub struct MinuteCloser {
    pub(super) store: Store,
    stream: CountStream,
    queue: Queue,
    shards: u32,
}

/// The work of one tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TickSummary {
    /// Number of minutes that it published.
    pub published: u32,
    /// Number of minutes that it counted a second time.
    pub audited: u32,
}

/// The time for which a tick starts new work.
#[derive(Debug)]
pub(super) struct TimeBox(Instant);

impl TimeBox {
    pub(super) fn is_open(&self) -> bool {
        self.0.elapsed() < TIME_BOX
    }
}

/// Returns the number of minutes that could be closed at `now` and are not, if `next` is the next
/// one to close.
fn overdue(next: Minute, now: Timestamp) -> f64 {
    let closable_until = Minute::of(now.minus(GRACE)).start();
    closable_until.since(next.start()).as_secs_f64() / 60.0
}

impl MinuteCloser {
    /// Closes minutes of the settings' table, to their stream and queue.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings),
            stream: CountStream::new(aws.kinesis(), settings.stream.clone()),
            queue: Queue::new(aws.sqs(), settings.queue_url.clone()),
            shards: settings.shards,
        }
    }

    /// Closes all minutes that can be closed at `now`, audits those that are due, and stores a
    /// changed number of shards.
    ///
    /// # Errors
    /// A service failed: the next tick continues where this one stopped.
    pub async fn tick(&self, now: Timestamp) -> Result<TickSummary, ServiceError> {
        let time_box = TimeBox(Instant::now());
        let Some(config) = self.store.shard_config().await? else {
            // No id was ever accepted, so no minute is to be closed.
            metrics::histogram!("MinutesOverdue").record(0.0);
            return Ok(TickSummary::default());
        };
        let published = self.close(&config, now, &time_box).await?;
        let audited = self.audit(&config, now, &time_box).await?;
        if let Some(changed) = config.with_shards(now, self.shards)
            && self.store.replace_epochs(&config, &changed).await?
        {
            info!(shards = self.shards, "Number of shards changed");
        }
        Ok(TickSummary { published, audited })
    }

    async fn close(
        &self,
        config: &ShardConfig,
        now: Timestamp,
        time_box: &TimeBox,
    ) -> Result<u32, ServiceError> {
        let last = self.store.last_published().await?;
        let mut minute = last.map_or(config.first_minute(), |last| last.minute.plus(1));
        let mut published = 0;
        while minute.end().plus(GRACE) <= now && time_box.is_open() {
            published += u32::from(self.close_minute(minute, config, now).await?);
            minute = minute.plus(1);
        }
        metrics::histogram!("MinutesOverdue").record(overdue(minute, now));
        Ok(published)
    }

    /// Counts and publishes one minute. Returns whether this tick published it, rather than another
    /// one.
    async fn close_minute(
        &self,
        minute: Minute,
        config: &ShardConfig,
        now: Timestamp,
    ) -> Result<bool, ServiceError> {
        let shards = config.shards(minute).unwrap_or(self.shards);
        let counts = self.store.count_ids(minute, shards).await?;
        let unique_ids = counts.ids;
        self.stream.publish(MinuteCount { minute, unique_ids }).await?;
        let messages = counts.with_callbacks.iter().map(|&shard| Message::FanOut {
            minute,
            shard,
            unique_ids,
        });
        self.queue.send(messages).await?;

        let incomplete = now > self.store.expiry(minute);
        let count = PublishedCount { minute, unique_ids, at: now, incomplete };
        let is_published_here = self.store.publish(&count, Uuid::now_v7()).await?;
        if is_published_here {
            let lag_ms = u64::try_from(now.since(minute.end()).as_millis()).unwrap_or(u64::MAX);
            info!(%minute, unique_ids, lag_ms, incomplete, "Minute published");
            metrics::counter!("MinutesPublished").increment(1);
            metrics::counter!("UniqueIds").increment(unique_ids);
            metrics::counter!("IncompleteMinutes").increment(incomplete.into());
        }
        Ok(is_published_here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "whole minutes")]
    fn a_minute_is_overdue_from_the_end_of_its_grace_until_it_is_published() {
        let next = Minute::of(Timestamp::from_millis(1_795_216_800_000));
        let at = |seconds| next.start().plus(Duration::from_secs(seconds));
        for (seconds, minutes) in
            [(0, 0.0), (60, 0.0), (74, 0.0), (75, 1.0), (134, 1.0), (135, 2.0), (3_615, 60.0)]
        {
            assert_eq!(overdue(next, at(seconds)), minutes, "{seconds} s after it began");
        }
        assert_eq!(overdue(next.plus(5), at(0)), 0.0, "a minute that has not begun");
    }
}
