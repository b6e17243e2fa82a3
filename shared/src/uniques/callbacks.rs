//! Callbacks: a request may name a URL, and the exact count of its minute is sent there once it is
//! published.
//!
//! The URL is stored in the id's record, so it costs no other call and cannot be lost between two
//! calls. The close of a minute sends one message per shard with callbacks; each of these becomes
//! one message per callback, and each of those one signed webhook. If a message is delivered twice,
//! its callbacks are sent twice, with the same `webhook-id`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Settings, UniqueId,
    store::{IdWithCallback, Store},
    stream::MinuteCount,
};
use crate::{
    aws::{Aws, ServiceError},
    secret::SecretError,
    sqs::{self, Queue},
    time::{Minute, Timestamp},
    webhook::{Delivery, DeliveryError, MessageId, Outcome, WebhookUrl, Webhooks},
};

/// A message of the queue of callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// Sends the callbacks of a shard.
    FanOut {
        /// The closed minute.
        minute: Minute,
        /// One of its shards.
        shard: u32,
        /// The minute's count.
        unique_ids: u64,
    },
    /// Sends one callback.
    Callback {
        /// The closed minute.
        minute: Minute,
        /// The accepted id.
        id: UniqueId,
        /// The URL that the count is sent to.
        url: WebhookUrl,
        /// The minute's count.
        unique_ids: u64,
    },
}

/// Handles the messages of the queue of callbacks.
#[derive(Debug)]
pub struct Callbacks {
    store: Store,
    queue: Queue,
    webhooks: Webhooks,
}

/// Why the queue delivers a message again.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// This release does not understand the message.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The receiver did not accept the callback.
    #[error("callback not delivered: {cause}; retrying in {} s", delay.as_secs())]
    Undelivered {
        /// The failure of this attempt.
        cause: DeliveryError,
        /// The time until the next attempt.
        delay: Duration,
    },
    /// There is no secret to sign the callback with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Callbacks {
    /// Callbacks of the settings' table and queue.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings, webhooks: Webhooks) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings),
            queue: Queue::new(aws.sqs(), settings.queue_url.clone()),
            webhooks,
        }
    }

    /// Handles one message.
    pub async fn handle(
        &self,
        message: &sqs::Delivery,
        now: Timestamp,
    ) -> Result<(), CallbackError> {
        match serde_json::from_str(&message.body)? {
            Message::FanOut { minute, shard, unique_ids } => {
                self.fan_out(minute, shard, unique_ids).await
            }
            Message::Callback { minute, id, url, unique_ids } => {
                self.send(message, id, &url, MinuteCount { minute, unique_ids }, now).await
            }
        }
    }

    /// Sends one message per callback of the shard, page by page: a worker holds one page of the
    /// store in memory.
    async fn fan_out(
        &self,
        minute: Minute,
        shard: u32,
        unique_ids: u64,
    ) -> Result<(), CallbackError> {
        let mut after = None;
        loop {
            let (page, last) = self.store.callbacks(minute, shard, after).await?;
            let message =
                |IdWithCallback { id, url }| Message::Callback { minute, id, url, unique_ids };
            self.queue.send(page.into_iter().map(message)).await?;
            if last.is_none() {
                return Ok(());
            }
            after = last;
        }
    }

    async fn send(
        &self,
        message: &sqs::Delivery,
        id: UniqueId,
        url: &WebhookUrl,
        count: MinuteCount,
        now: Timestamp,
    ) -> Result<(), CallbackError> {
        let delivery = Delivery { url, id: &webhook_id(count.minute, id), body: &count.to_json() };
        match self.webhooks.send(delivery, now).await? {
            Outcome::Delivered => {
                metrics::counter!("CallbacksDelivered").increment(1);
                Ok(())
            }
            // The sender has logged the reason; a retry would not help.
            Outcome::Permanent { .. } => {
                metrics::counter!("CallbacksRefused").increment(1);
                Ok(())
            }
            Outcome::Retryable { cause, retry_after } => {
                let delay = self.queue.retry_later(message, retry_after).await?;
                Err(CallbackError::Undelivered { cause, delay })
            }
        }
    }
}

/// Returns the id of a callback: the same for each of its attempts, different for each callback.
fn webhook_id(minute: Minute, id: UniqueId) -> MessageId {
    let id = format!("count_{}_{id}", minute.start().as_seconds());
    MessageId::try_from(id).expect("digits, '_' and '-', at most 38 of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_callback_is_its_minute_and_its_id() {
        let minute: Minute = "2026-11-20T23:20:00Z".parse().expect("a minute");
        assert_eq!(webhook_id(minute, 42.into()).to_string(), "count_1795216800_42");
        assert_eq!(
            webhook_id(minute, i64::MIN.into()).to_string(),
            "count_1795216800_-9223372036854775808"
        );
    }
}
