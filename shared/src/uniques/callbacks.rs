//! Callbacks: whoever asked for it is told the minute's exact count, once it is published.
//!
//! The id's record holds the URL, so accepting costs no other call and no callback can be lost between two. The close of the
//! minute sends one message for each shard with callbacks; that message becomes one message for each callback; and that one is
//! delivered, by a signed webhook. A message that comes twice makes its callbacks come twice, under the same `webhook-id`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Settings, UniqueId,
    store::{Store, WithCallback},
    stream::MinuteCount,
};
use crate::{
    aws::{Aws, ServiceError},
    sqs::{self, Queue},
    time::{Minute, Timestamp},
    webhook::{Delivery, DeliveryError, MessageId, Outcome, SecretError, WebhookUrl, Webhooks},
};

/// What the queue of callbacks holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Message {
    /// The callbacks of a shard are to be sent.
    FanOut {
        /// The minute that was closed.
        minute: Minute,
        /// One of its shards.
        shard: u32,
        /// The minute's count.
        unique_ids: u64,
    },
    /// A callback is to be sent.
    Callback {
        /// The minute that was closed.
        minute: Minute,
        /// The accepted id.
        id: UniqueId,
        /// Who is told.
        url: WebhookUrl,
        /// The minute's count.
        unique_ids: u64,
    },
}

/// Sends what the queue holds.
#[derive(Debug)]
pub struct Callbacks {
    store: Store,
    queue: Queue,
    webhooks: Webhooks,
}

/// Why a message is to come again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It says nothing that this release understands.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The receiver did not take the callback.
    #[error("the callback was not taken: {cause}; it is sent again in {} s", pause.as_secs())]
    NotTaken {
        /// What went wrong.
        cause: DeliveryError,
        /// When it is tried again.
        pause: Duration,
    },
    /// There is nothing to sign it with.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Callbacks {
    /// Over the settings' table and queue.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings, webhooks: Webhooks) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings),
            queue: Queue::new(aws.sqs(), settings.queue_url.clone()),
            webhooks,
        }
    }

    /// Does what a message says.
    pub async fn handle(&self, message: &sqs::Delivery, now: Timestamp) -> Result<(), Failure> {
        match serde_json::from_str(&message.body)? {
            Message::FanOut { minute, shard, unique_ids } => {
                self.fan_out(minute, shard, unique_ids).await
            }
            Message::Callback { minute, id, url, unique_ids } => {
                self.send(message, id, &url, MinuteCount { minute, unique_ids }, now).await
            }
        }
    }

    /// One message for each callback of the shard, page by page: a worker's memory holds one page of the store.
    async fn fan_out(&self, minute: Minute, shard: u32, unique_ids: u64) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let (page, last) = self.store.callbacks(minute, shard, after).await?;
            let message =
                |WithCallback { id, url }| Message::Callback { minute, id, url, unique_ids };
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
    ) -> Result<(), Failure> {
        let delivery = Delivery { url, id: &webhook_id(count.minute, id), body: &count.to_json() };
        match self.webhooks.send(delivery, now).await? {
            Outcome::Delivered => {
                metrics::counter!("CallbacksDelivered").increment(1);
                Ok(())
            }
            // The sender has logged why; nobody could do anything about it later.
            Outcome::Permanent { .. } => {
                metrics::counter!("CallbacksRefused").increment(1);
                Ok(())
            }
            Outcome::Retryable { cause, retry_after } => {
                let pause = self.queue.retry_later(message, retry_after).await?;
                Err(Failure::NotTaken { cause, pause })
            }
        }
    }
}

/// The same however often the callback is sent, and another for every other one.
fn webhook_id(minute: Minute, id: UniqueId) -> MessageId {
    let id = format!("count_{}_{id}", minute.start().as_seconds());
    MessageId::try_from(id).expect("digits, '_' and '-', at most 38 of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_has_one_name() {
        let minute: Minute = "2026-11-20T23:20:00Z".parse().expect("a minute");
        assert_eq!(webhook_id(minute, 42.into()).to_string(), "count_1795216800_42");
        assert_eq!(
            webhook_id(minute, i64::MIN.into()).to_string(),
            "count_1795216800_-9223372036854775808"
        );
    }
}
