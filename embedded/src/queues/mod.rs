//! SQS's standard queues, as rows of the store.
//!
//! A message that was sent is delivered at least once, until a receiver deletes it or its retention
//! ends. A delivery hides the message for the visibility timeout; a message that was received
//! `max_receive_count` times moves to the dead-letter queue at the next receive. Every change is
//! durable before its function returns.
//!
//! Time is an argument. A wall clock that steps back makes messages wait longer, and loses none.
//!
//! There are no FIFO queues, no permissions and no tags, and queues are declared only when the
//! process starts: what a caller asks for beyond this is refused by name.
//!
//! | file | what it holds |
//! |---|---|
//! | `queue` | declarations of queues and their limits |
//! | `message`, `attributes`, `receipt` | what is sent and received |
//! | `table` | the table: send, delete, change of visibility, counts, retention |
//! | `upkeep` | what is done to whole queues: purge, redrive, removal, release |
//! | `receive` | deliveries and dead letters |
//! | `redrive` | dead letters back to their queues |
//! | `protocol` | SQS's JSON protocol |

mod attributes;
mod error;
mod message;
mod protocol;
mod queue;
mod receipt;
mod receive;
mod redrive;
mod table;
#[cfg(test)]
mod tests;
mod upkeep;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::dynamo::Store;

pub use self::{
    attributes::{AttributeValue, MessageAttributes},
    error::Error,
    message::{Message, MessageId, OutgoingMessage},
    queue::{DeclarationError, Queue, RedrivePolicy},
    receipt::Receipt,
    receive::ReceiveOptions,
    table::Depth,
};

/// A time in the table, in milliseconds since 1970.
type Millis = i64;

/// The queues of a process.
#[derive(Debug)]
pub struct Queues {
    store: Store,
    /// The start of the queues' URLs, such as `http://127.0.0.1:9001`.
    endpoint: String,
    by_name: BTreeMap<String, Declared>,
}

/// A declared queue and the signal of its arrivals.
#[derive(Debug)]
struct Declared {
    queue: Arc<Queue>,
    arrivals: watch::Sender<()>,
}

impl Queues {
    /// Declares the queues. Messages that are already in the store stay; a queue may have other
    /// settings than before.
    pub async fn open(
        store: Store,
        endpoint: impl Into<String>,
        queues: impl IntoIterator<Item = Queue>,
    ) -> Result<Self, Error> {
        let queues: Vec<Queue> = queues.into_iter().collect();
        queue::check(&queues)?;
        store.write(table::create).await?;
        let queues = queues.into_iter().map(|queue| {
            let declared = Declared { queue: Arc::new(queue), arrivals: watch::Sender::new(()) };
            (declared.queue.name.clone(), declared)
        });
        Ok(Self { store, endpoint: endpoint.into(), by_name: queues.collect() })
    }

    /// Returns the declared queues, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.by_name.values().map(|declared| &*declared.queue)
    }

    /// Returns the URL of a queue with this name.
    #[must_use]
    pub fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.endpoint, queue::ACCOUNT)
    }

    /// Sends messages: all of them or none. After [`Error::Store`] they may have been sent.
    pub async fn send(
        &self,
        queue: &str,
        messages: Vec<OutgoingMessage>,
        now: Timestamp,
    ) -> Result<Vec<MessageId>, Error> {
        let Declared { queue, arrivals } = self.declared(queue)?;
        let queue = Arc::clone(queue);
        let now = now.as_millisecond();
        let ids = self.store.write(move |store| table::send(store, &queue, &messages, now)).await?;
        arrivals.send_replace(());
        Ok(ids)
    }

    /// Receives visible messages, those first that were visible first. Returns at once: to wait for
    /// messages, subscribe to [`Queues::arrivals`] before the call, and after an empty answer wait
    /// for that signal or for [`Queues::next_visible_at`], but some seconds at most: a send whose
    /// caller gave up gives no signal.
    ///
    /// An answer may be empty although there are messages, if many of them had expired or were
    /// moved to the dead-letter queue.
    pub async fn receive(
        &self,
        queue: &str,
        options: ReceiveOptions,
        now: Timestamp,
    ) -> Result<Vec<Message>, Error> {
        let queue = Arc::clone(&self.declared(queue)?.queue);
        let dead_letter_queue = queue.redrive.as_ref().map(|to| to.dead_letter_queue.clone());
        let now = now.as_millisecond();
        let received =
            self.store.write(move |store| receive::receive(store, &queue, options, now)).await?;
        if received.dead_letters > 0 {
            self.announce(dead_letter_queue.as_deref());
        }
        Ok(received.messages)
    }

    /// Deletes messages. A receipt of an earlier delivery deletes its message too; a message that
    /// is already deleted stays deleted.
    pub async fn delete(&self, receipts: Vec<Receipt>) -> Result<(), Error> {
        for receipt in &receipts {
            self.declared(&receipt.queue)?;
        }
        Ok(self.store.write(move |store| table::delete(store, &receipts)).await?)
    }

    /// Hides a message for this number of seconds from now. It must be in flight by this receipt,
    /// and becomes visible 12 hours after it was received at the latest.
    pub async fn change_visibility(
        &self,
        receipt: Receipt,
        timeout_s: u32,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut changes = self.change_visibilities(vec![(receipt, timeout_s)], now).await?;
        changes.pop().unwrap_or(Ok(()))
    }

    /// Changes the visibility of messages, each for itself, in one transaction.
    pub async fn change_visibilities(
        &self,
        changes: Vec<(Receipt, u32)>,
        now: Timestamp,
    ) -> Result<Vec<Result<(), Error>>, Error> {
        for (receipt, timeout_s) in &changes {
            self.declared(&receipt.queue)?;
            queue::VISIBILITY_TIMEOUT.check(*timeout_s)?;
        }
        let queues: Vec<String> =
            changes.iter().map(|(receipt, _)| receipt.queue.clone()).collect();
        let now = now.as_millisecond();
        let results =
            self.store.write(move |store| table::change_visibilities(store, &changes, now)).await?;
        for (queue, result) in queues.iter().zip(&results) {
            if result.is_ok() {
                self.announce(Some(queue));
            }
        }
        Ok(results)
    }

    /// Returns the number of messages in each state.
    pub async fn depth(&self, queue: &str, now: Timestamp) -> Result<Depth, Error> {
        let queue = Arc::clone(&self.declared(queue)?.queue);
        let now = now.as_millisecond();
        Ok(self.store.read(move |store| table::depth(store, &queue, now)).await?)
    }

    /// Returns when the next message becomes visible: a time in the past if one is visible, `None`
    /// if the queue is empty.
    pub async fn next_visible_at(&self, queue: &str) -> Result<Option<Timestamp>, Error> {
        let queue = Arc::clone(&self.declared(queue)?.queue);
        Ok(self.store.read(move |store| table::next_visible_at(store, &queue)).await?)
    }

    /// Returns a signal that changes whenever a message may have become visible, or
    /// [`Queues::next_visible_at`] may be earlier.
    pub fn arrivals(&self, queue: &str) -> Result<watch::Receiver<()>, Error> {
        Ok(self.declared(queue)?.arrivals.subscribe())
    }

    fn declared(&self, queue: &str) -> Result<&Declared, Error> {
        self.by_name.get(queue).ok_or_else(|| Error::QueueDoesNotExist(queue.to_owned()))
    }

    /// Wakes those who wait for messages of a queue.
    fn announce(&self, queue: Option<&str>) {
        if let Some(declared) = queue.and_then(|queue| self.by_name.get(queue)) {
            declared.arrivals.send_replace(());
        }
    }
}
