//! The border to SQS: sending, and taking a batch apart so that no message harms another.

mod backoff;

use std::{any::Any, fmt, panic::AssertUnwindSafe, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use futures_util::{FutureExt, StreamExt, future::join_all, stream};
use serde::Serialize;
use tracing::{Instrument, error, info_span, warn};

use crate::aws::ServiceError;

pub use backoff::{MAX_BACKOFF, backoff};

/// Messages that one call may send.
const BATCH: usize = 10;

/// Calls that send at the same time.
const BATCHES_AT_ONCE: usize = 16;

/// Tries of a message that the service turned away though the call succeeded.
const TRIES: u32 = 3;

/// The longest time for which a message can be hidden.
const LONGEST_PAUSE: Duration = Duration::from_hours(12);

/// The longest time by which a message can be delayed.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// A queue.
#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A message on its way.
#[derive(Clone)]
struct Outgoing {
    body: String,
    /// In seconds.
    delay: i32,
}

impl Outgoing {
    fn new(message: &impl Serialize, delay: Duration) -> Result<Self, ServiceError> {
        let body = serde_json::to_string(message).map_err(ServiceError::permanent)?;
        Ok(Self { body, delay: seconds(delay.min(LONGEST_DELAY)) })
    }
}

/// The service took the call and turned messages away.
#[derive(Debug, thiserror::Error)]
#[error("{0} messages were not taken")]
pub struct RejectedMessages(usize);

/// A message as a worker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its content.
    pub body: String,
    /// Names this delivery to [`Queue::postpone`].
    pub receipt: String,
    /// Which delivery of the message this is, as far as the service knows, from 1.
    pub attempt: u32,
}

impl Queue {
    /// The queue with this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends all of these. After a failure some may have been sent.
    ///
    /// # Errors
    /// The service failed, or turned a message away three times.
    pub async fn send<M: Serialize>(
        &self,
        messages: impl IntoIterator<Item = M>,
    ) -> Result<(), ServiceError> {
        self.send_after(messages, Duration::ZERO).await
    }

    /// Sends all of these, to be delivered only after this time, at most 15 minutes. After a failure some may have been sent.
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
            .map(|message| Outgoing::new(&message, delay))
            .collect::<Result<_, _>>();
        self.send_all(messages?).await
    }

    /// Sends all of these, each to be delivered only after a time of its own, at most 15 minutes. After a failure some may have been sent.
    ///
    /// # Errors
    /// As [`Queue::send`].
    pub async fn send_each<M: Serialize>(
        &self,
        messages: impl IntoIterator<Item = (M, Duration)>,
    ) -> Result<(), ServiceError> {
        let messages = messages.into_iter().map(|(message, delay)| Outgoing::new(&message, delay));
        let messages = messages.collect::<Result<_, _>>();
        self.send_all(messages?).await
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Result<(), ServiceError> {
        let batches: Vec<Vec<Outgoing>> =
            messages.chunks(BATCH).map(<[Outgoing]>::to_vec).collect();
        let sending = batches.into_iter().map(|batch| self.send_batch(batch));
        let mut sent = stream::iter(sending).buffer_unordered(BATCHES_AT_ONCE);
        while let Some(batch) = sent.next().await {
            batch?;
        }
        Ok(())
    }

    async fn send_batch(&self, mut bodies: Vec<Outgoing>) -> Result<(), ServiceError> {
        for _ in 0..TRIES {
            let entries = bodies.iter().enumerate().map(|(place, Outgoing { body, delay })| {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(place.to_string())
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
            bodies = failed.into_iter().filter_map(|place| bodies.get(place).cloned()).collect();
            if bodies.is_empty() {
                return Ok(());
            }
        }
        Err(ServiceError::transient(RejectedMessages(bodies.len())))
    }

    /// Hides a message whose work failed until it is its time again ([`backoff`]), and answers how long.
    pub async fn retry_later(
        &self,
        delivery: &Delivery,
        at_least: Option<Duration>,
    ) -> Result<Duration, ServiceError> {
        let pause = backoff(delivery.attempt, at_least, &mut fastrand::Rng::new());
        self.postpone(delivery, pause).await?;
        Ok(pause)
    }

    /// Hides a message from now on for this long, at most twelve hours; then it is delivered again.
    pub async fn postpone(&self, delivery: &Delivery, pause: Duration) -> Result<(), ServiceError> {
        let change = self.client.change_message_visibility().queue_url(&self.url);
        let change = change
            .receipt_handle(&delivery.receipt)
            .visibility_timeout(seconds(pause.min(LONGEST_PAUSE)));
        change.send().await?;
        Ok(())
    }
}

/// As the service takes a time. Rounded up: what comes too early would have to wait once more.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Does the work of each message of a batch by itself, all at the same time, and answers which are to be delivered again.
///
/// A message whose work fails or panics is one of those; the others are done. The function's event source must have
/// `ReportBatchItemFailures`, or failed messages would be dropped.
pub async fn process_batch<F, E>(event: SqsEvent, work: impl Fn(Delivery) -> F) -> SqsBatchResponse
where
    F: Future<Output = Result<(), E>>,
    E: fmt::Display,
{
    let done = event.records.into_iter().map(|message| {
        let id = message.message_id.unwrap_or_default();
        let attempt =
            message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        let delivery = Delivery {
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle.unwrap_or_default(),
            attempt: attempt.unwrap_or(1),
        };
        let span = info_span!("message", message_id = %id);
        let work = AssertUnwindSafe(work(delivery)).catch_unwind();
        async move { (outcome(work.await) == Outcome::Failed).then_some(id) }.instrument(span)
    });
    let mut response = SqsBatchResponse::default();
    for id in join_all(done).await.into_iter().flatten() {
        response.add_failure(id);
    }
    response
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Done,
    Failed,
}

fn outcome<E: fmt::Display>(ended: Result<Result<(), E>, Box<dyn Any + Send>>) -> Outcome {
    match ended {
        Ok(Ok(())) => return Outcome::Done,
        Ok(Err(cause)) => warn!(%cause, "A message will be delivered again"),
        Err(_) => error!("The work of a message panicked"),
    }
    metrics::counter!("FailedMessages").increment(1);
    Outcome::Failed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Cloud;

    fn event(bodies: &[&str]) -> SqsEvent {
        let records = bodies.iter().enumerate().map(|(n, body)| {
            json!({"messageId": format!("m{n}"), "receiptHandle": format!("r{n}"), "body": body,
                   "attributes": {"ApproximateReceiveCount": (n + 1).to_string()}, "messageAttributes": {}})
        });
        serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()}))
            .expect("an event of a queue")
    }

    #[tokio::test]
    async fn a_message_that_fails_or_panics_harms_no_other() {
        let work = |delivery: Delivery| async move {
            match delivery.body.as_str() {
                "bad" => Err("it cannot be done"),
                "worse" => panic!("on purpose"),
                _ => Ok(()),
            }
        };
        let response = process_batch(event(&["good", "bad", "worse", "good"]), work).await;
        let failed: Vec<_> =
            response.batch_item_failures.iter().map(|item| item.item_identifier.as_str()).collect();
        assert_eq!(failed, ["m1", "m2"]);
    }

    #[tokio::test]
    async fn a_delivery_knows_which_one_it_is() {
        let seen = std::sync::Mutex::new(Vec::new());
        let work = |delivery: Delivery| {
            seen.lock().expect("whole").push(delivery);
            async { Ok::<_, String>(()) }
        };
        process_batch(event(&["a", "b"]), work).await;
        let expected = |body: &str, receipt: &str, attempt| Delivery {
            body: body.into(),
            receipt: receipt.into(),
            attempt,
        };
        assert_eq!(*seen.lock().expect("whole"), [expected("a", "r0", 1), expected("b", "r1", 2)]);
    }

    #[tokio::test]
    async fn messages_that_are_turned_away_are_sent_again_and_only_they() {
        let cloud = Cloud::start().await;
        let queue = Queue::new(
            cloud.aws_behind(&cloud.instance().transport).sqs(),
            "https://sqs.us-east-1.amazonaws.com/000000000000/q".to_owned(),
        );
        cloud.services().turn_away(7);
        queue.send(0..23).await.expect("sent");
        let mut messages: Vec<u32> = cloud
            .services()
            .take_messages()
            .iter()
            .map(|message| message.parse().expect("a number"))
            .collect();
        messages.sort_unstable();
        assert_eq!(messages, (0..23).collect::<Vec<_>>());

        cloud.services().turn_away(1_000);
        assert!(queue.send(0..3).await.expect_err("never taken").is_transient());
    }
}
