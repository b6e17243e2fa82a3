//! SQS queues: sending messages, and processing a batch so that no message affects another.

mod backoff;

use std::{any::Any, fmt, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use serde::Serialize;
use tracing::{Instrument, error, info_span, warn};

use crate::{
    aws::ServiceError,
    invocation::{DeadlineReached, Invocation},
};

pub use backoff::{MAX_BACKOFF, backoff};

/// The largest number of messages in one call.
const BATCH_SIZE: usize = 10;

/// The largest number of concurrent calls of one send.
const MAX_CONCURRENT_BATCHES: usize = 16;

/// The largest number of attempts to send a message that the service rejects in a successful call.
const MAX_ATTEMPTS: u32 = 3;

/// The longest visibility timeout of a message.
const MAX_VISIBILITY_TIMEOUT: Duration = Duration::from_hours(12);

/// The longest delivery delay of a message.
const MAX_DELAY: Duration = Duration::from_mins(15);

/// A queue.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message to send.
#[derive(Clone)]
struct OutgoingMessage {
    body: String,
    /// In seconds.
    delay: i32,
}

impl OutgoingMessage {
    fn new(message: &impl Serialize, delay: Duration) -> Result<Self, ServiceError> {
        let body = serde_json::to_string(message).map_err(ServiceError::permanent)?;
        Ok(Self { body, delay: seconds(delay.min(MAX_DELAY)) })
    }
}

/// Messages that the service rejected in successful calls.
#[derive(Debug, thiserror::Error)]
#[error("SQS rejected {0} messages")]
pub struct RejectedMessages(usize);

/// A message, as delivered to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its content.
    pub body: String,
    /// The receipt handle of this delivery, for [`Queue::postpone`].
    pub receipt: String,
    /// Number of deliveries including this one, from 1, as counted approximately by SQS.
    pub attempt: u32,
}

impl Queue {
    /// Makes a client of the queue with this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends messages. After a failure some of them may have been sent.
    ///
    /// # Errors
    /// The service failed, or rejected a message three times.
    pub async fn send<M: Serialize>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<(), ServiceError> {
        self.send_after(messages, Duration::ZERO).await
    }

    /// Sends messages that are delivered after a delay of at most 15 minutes. After a failure some
    /// of them may have been sent.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub async fn send_after<M: Serialize>(
        &self,
        messages: impl IntoIterator<Item = M>,
        delay: Duration,
    ) -> Result<(), ServiceError> {
        let messages = messages
            .into_iter()
            .map(|message| OutgoingMessage::new(&message, delay))
            .collect::<Result<_, _>>();
        self.send_all(messages?).await
    }

    /// Sends messages, each with its own delay of at most 15 minutes. After a failure some of them
    /// may have been sent.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub async fn send_each<M: Serialize>(
        &self,
        messages: impl IntoIterator<Item = (M, Duration)>,
    ) -> Result<(), ServiceError> {
        let messages =
            messages.into_iter().map(|(message, delay)| OutgoingMessage::new(&message, delay));
        let messages = messages.collect::<Result<_, _>>();
        self.send_all(messages?).await
    }

    async fn send_all(&self, messages: Vec<OutgoingMessage>) -> Result<(), ServiceError> {
        let batches: Vec<Vec<OutgoingMessage>> =
            messages.chunks(BATCH_SIZE).map(<[OutgoingMessage]>::to_vec).collect();
        let sending = batches.into_iter().map(|batch| self.send_batch(batch));
        let mut sent = stream::iter(sending).buffer_unordered(MAX_CONCURRENT_BATCHES);
        while let Some(batch) = sent.next().await {
            batch?;
        }
        Ok(())
    }

    async fn send_batch(&self, mut messages: Vec<OutgoingMessage>) -> Result<(), ServiceError> {
        for _ in 0..MAX_ATTEMPTS {
            let entries =
                messages.iter().enumerate().map(|(index, OutgoingMessage { body, delay })| {
                    let entry = SendMessageBatchRequestEntry::builder()
                        .id(index.to_string())
                        .message_body(body);
                    if *delay == 0 { entry.build() } else { entry.delay_seconds(*delay).build() }
                });
            let entries: Vec<_> =
                entries.collect::<Result<_, _>>().map_err(ServiceError::permanent)?;
            let sent = self
                .client
                .send_message_batch()
                .queue_url(&self.url)
                .set_entries(Some(entries))
                .send()
                .await?;
            let failed: Vec<usize> =
                sent.failed().iter().filter_map(|failed| failed.id().parse().ok()).collect();
            messages =
                failed.into_iter().filter_map(|index| messages.get(index).cloned()).collect();
            if messages.is_empty() {
                return Ok(());
            }
        }
        Err(ServiceError::transient(RejectedMessages(messages.len())))
    }

    /// Hides a failed message until its next attempt ([`backoff`]), and returns for how long.
    pub async fn retry_later(
        &self,
        delivery: &Delivery,
        at_least: Option<Duration>,
    ) -> Result<Duration, ServiceError> {
        let delay = backoff(delivery.attempt, at_least, &mut fastrand::Rng::new());
        self.postpone(delivery, delay).await?;
        Ok(delay)
    }

    /// Hides a message for `delay` from now, at most 12 hours; then it is delivered again.
    pub async fn postpone(&self, delivery: &Delivery, delay: Duration) -> Result<(), ServiceError> {
        let change = self.client.change_message_visibility().queue_url(&self.url);
        let change = change
            .receipt_handle(&delivery.receipt)
            .visibility_timeout(seconds(delay.min(MAX_VISIBILITY_TIMEOUT)));
        change.send().await?;
        Ok(())
    }
}

/// Converts a time to whole seconds, rounded up: a message that arrives too early would have to
/// wait again.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Handles the messages of a batch concurrently, and returns those to be delivered again: the
/// messages whose handler fails, panics, or is not done at the deadline of the invocation.
///
/// The function's event source must have `ReportBatchItemFailures`; without it failed messages are
/// dropped.
pub async fn process_batch<F, E>(
    event: SqsEvent,
    invocation: &Invocation,
    handler: impl Fn(Delivery) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let outcomes = event.records.into_iter().map(|message| {
        let id = message.message_id.unwrap_or_default();
        let attempt =
            message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let delivery = Delivery {
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            attempt: attempt.unwrap_or(1),
        };
        let span = info_span!("message", message_id = %id);
        let result = AssertUnwindSafe(handler(delivery)).catch_unwind();
        let result = invocation.clone().run(result);
        async move { (outcome(result.await) == Outcome::Failed).then_some(id) }.instrument(span)
    });
    let mut response = SqsBatchResponse::default();
    for id in join_all(outcomes).await.into_iter().flatten() {
        response.add_failure(id);
    }
    response
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
}

/// The result of a handler, or its panic.
type Handled<E> = Result<Result<(), E>, Box<dyn Any + Send>>;

fn outcome<E: fmt::Display>(result: Result<Handled<E>, DeadlineReached>) -> Outcome {
    match result {
        Ok(Ok(Ok(()))) => return Outcome::Done,
        Ok(Ok(Err(cause))) => warn!(%cause, "Message failed: it will be delivered again"),
        Ok(Err(_)) => error!("Message handler panicked"),
        Err(cause) => error!(%cause, "Message not handled in time: it will be delivered again"),
    }
    metrics::counter!("FailedMessages").increment(1);
    Outcome::Failed
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;
    use serde_json::json;

    use super::*;
    use crate::testing::Cloud;

    fn event(bodies: &[&str]) -> SqsEvent {
        let records = bodies.iter().enumerate().map(|(n, body)| {
            json!({
                "messageId": format!("m{n}"),
                "receiptHandle": format!("r{n}"),
                "body": body,
                "attributes": {"ApproximateReceiveCount": (n + 1).to_string()},
                "messageAttributes": {},
            })
        });
        serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()}))
            .expect("an SQS event")
    }

    fn invocation() -> Invocation {
        Invocation::new("1", None)
    }

    #[tokio::test]
    async fn at_the_deadline_only_messages_that_are_not_done_are_delivered_again() {
        let handler = |delivery: Delivery| async move {
            if delivery.body == "slow" {
                std::future::pending::<()>().await;
            }
            Ok::<_, String>(())
        };
        let deadline = crate::time::Timestamp::now().plus(Duration::from_millis(50));
        let invocation = Invocation::new("1", Some(deadline));
        let response = process_batch(event(&["fast", "slow"]), &invocation, handler).await;
        let failed: Vec<_> =
            response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
        assert_eq!(failed, ["m1"]);
    }

    #[tokio::test]
    async fn a_message_that_fails_or_panics_affects_no_other() {
        let handler = |delivery: Delivery| async move {
            match delivery.body.as_str() {
                "bad" => Err("not possible"),
                "worse" => panic!("on purpose"),
                _ => Ok(()),
            }
        };
        let response =
            process_batch(event(&["good", "bad", "worse", "good"]), &invocation(), handler).await;
        let failed: Vec<_> =
            response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
        assert_eq!(failed, ["m1", "m2"]);
    }

    #[tokio::test]
    async fn a_delivery_has_its_attempt_number() {
        let deliveries = Mutex::new(Vec::new());
        let handler = |delivery: Delivery| {
            deliveries.lock().push(delivery);
            async { Ok::<_, String>(()) }
        };
        process_batch(event(&["a", "b"]), &invocation(), handler).await;
        let expected = |body: &str, receipt: &str, attempt| Delivery {
            body: body.into(),
            receipt: receipt.into(),
            attempt,
        };
        assert_eq!(*deliveries.lock(), [expected("a", "r0", 1), expected("b", "r1", 2)]);
    }

    #[tokio::test]
    async fn only_rejected_messages_are_sent_again() {
        let cloud = Cloud::start().await;
        let queue = Queue::new(
            cloud.aws_behind(&cloud.instance().transport).sqs(),
            "https://sqs.us-east-1.amazonaws.com/000000000000/q".to_owned(),
        );
        cloud.services().reject_messages(7);
        queue.send(0..23).await.expect("sent");
        let mut messages: Vec<u32> = cloud
            .services()
            .take_message_bodies()
            .iter()
            .map(|message| message.parse().expect("a number"))
            .collect();
        messages.sort_unstable();
        assert_eq!(messages, (0..23).collect::<Vec<_>>());

        cloud.services().reject_messages(1_000);
        assert!(queue.send(0..3).await.expect_err("always rejected").is_transient());
    }
}
