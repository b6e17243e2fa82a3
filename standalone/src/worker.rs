//! The functions behind queues: what Lambda's event source mappings do.
//!
//! A worker receives as many messages as its batch holds and invokes its function, up to its
//! concurrency. Messages that the function finished are deleted. Those that it failed come again
//! when their visibility timeout ends, and so do those of an invocation that passed its time-out.

use std::{collections::HashSet, sync::Arc, time::Duration};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use embedded::queues::{Error, Message, Queues, ReceiveOptions};
use jiff::Timestamp;
use once::{App, invocation::Invocation, sqs, telemetry, worker::MessageHandler};
use tokio::{
    select,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use tracing::{Instrument, error};
use uuid::Uuid;

/// The longest wait for a message without looking: a send whose caller gave up gives no signal.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The wait after a failure of the store.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// A function behind a queue.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) app: App,
    pub(crate) queues: Arc<Queues>,
    pub(crate) function: &'static str,
    pub(crate) handler: MessageHandler,
    pub(crate) queue: String,
    /// The largest number of messages of an invocation.
    pub(crate) batch_size: u32,
    /// The largest number of invocations at a time.
    pub(crate) concurrency: usize,
    pub(crate) timeout: Duration,
}

impl Worker {
    /// Invokes the function until `stop` is set, then waits for the invocations that run.
    pub(crate) async fn run(self, stop: watch::Receiver<bool>) {
        if let Err(error) = self.receive_until(stop).await {
            error!(self.function, %error, "Worker ended");
        }
    }

    async fn receive_until(&self, mut stop: watch::Receiver<bool>) -> Result<(), Error> {
        let options = ReceiveOptions::new(self.batch_size)?;
        let mut arrivals = self.queues.arrivals(&self.queue)?;
        let slots = Arc::new(Semaphore::new(self.concurrency));
        let mut invocations = JoinSet::new();
        loop {
            let slot = select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                slot = slots.clone().acquire_owned() => slot.expect("never closed"),
            };
            while invocations.try_join_next().is_some() {}
            arrivals.mark_unchanged();
            match self.queues.receive(&self.queue, options, Timestamp::now()).await {
                Ok(messages) if messages.is_empty() => select! {
                    _ = stop.wait_for(|stop| *stop) => break,
                    _ = arrivals.changed() => {}
                    () = self.next_message() => {}
                },
                Ok(messages) => drop(invocations.spawn(self.clone().invoke(messages, slot))),
                Err(error) => {
                    error!(self.queue, %error, "Cannot receive messages");
                    sleep(FAILURE_PAUSE).await;
                }
            }
        }
        while invocations.join_next().await.is_some() {}
        Ok(())
    }

    /// Waits until a hidden message becomes visible, for [`MAX_WAIT`] at most.
    async fn next_message(&self) {
        let next = self.queues.next_visible_at(&self.queue).await.ok().flatten();
        let wait = next.map_or(MAX_WAIT, |next| {
            Duration::try_from(next.duration_since(Timestamp::now())).unwrap_or_default()
        });
        sleep(wait.min(MAX_WAIT)).await;
    }

    /// Handles messages and deletes those that are done.
    async fn invoke(self, messages: Vec<Message>, _slot: OwnedSemaphorePermit) {
        let event = event(&messages);
        let invocation = Invocation::starting(self.timeout);
        let span = telemetry::request_span(self.function, &Uuid::now_v7().to_string());
        let handler = |delivery| (self.handler)(self.app.clone(), delivery);
        let work = sqs::process_batch(event, &invocation, handler).instrument(span);
        let response = work.await;
        self.delete_done(messages, &response).await;
    }

    async fn delete_done(&self, messages: Vec<Message>, response: &SqsBatchResponse) {
        let failed: HashSet<&str> =
            response.batch_item_failures.iter().map(|item| &*item.item_identifier).collect();
        let done =
            messages.into_iter().filter(|message| !failed.contains(&*message.id.to_string()));
        let receipts: Vec<_> = done.map(|message| message.receipt).collect();
        if receipts.is_empty() {
            return;
        }
        if let Err(error) = self.queues.delete(receipts).await {
            error!(self.function, %error, "Messages not deleted: they will come again");
        }
    }
}

/// Returns the event with which Lambda passes messages to a function.
fn event(messages: &[Message]) -> SqsEvent {
    let mut event = SqsEvent::default();
    event.records = messages.iter().map(record).collect();
    event
}

fn record(message: &Message) -> SqsMessage {
    let attributes = [
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("SentTimestamp", message.sent_at.as_millisecond().to_string()),
        (
            "ApproximateFirstReceiveTimestamp",
            message.first_received_at.as_millisecond().to_string(),
        ),
    ];
    let mut record = SqsMessage::default();
    record.message_id = Some(message.id.to_string());
    record.receipt_handle = Some(message.receipt.to_string());
    record.body = Some(message.body.clone());
    record.attributes = attributes.map(|(name, value)| (name.to_owned(), value)).into();
    record.event_source = Some("aws:sqs".to_owned());
    record
}
