//! What is done to whole queues: by an operator, when a process starts, and now and then.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Declared, Error, Queues, redrive::Redrive, table};

/// The number of messages that one transaction changes at most: other writers wait for it.
const CHUNK: usize = 1_000;

impl Queues {
    /// Deletes all messages that were sent before the call, and returns their number.
    pub async fn purge(&self, queue: &str) -> Result<usize, Error> {
        let queue = Arc::clone(&self.declared(queue)?.queue);
        let last = self.store.read(table::last_message).await?;
        let mut purged = 0;
        loop {
            let queue = Arc::clone(&queue);
            let chunk =
                self.store.write(move |store| table::purge(store, &queue, last, CHUNK)).await?;
            purged += chunk;
            if chunk < CHUNK {
                return Ok(purged);
            }
        }
    }

    /// Moves up to `at_most` visible messages of a dead-letter queue to the queue `to` or, without
    /// it, each to the queue that it came from. They become new messages: sent now, never received.
    /// Returns their number.
    ///
    /// Without `to`, messages that were sent to the dead-letter queue itself stay there.
    pub async fn redrive(
        &self,
        from: &str,
        to: Option<&str>,
        at_most: usize,
        now: Timestamp,
    ) -> Result<usize, Error> {
        let now = now.as_millisecond();
        let from = Arc::clone(&self.declared(from)?.queue);
        let sources: Arc<[String]> = self.sources(&from.name).collect();
        if sources.is_empty() {
            let reason = format!("`{}` is not a dead-letter queue", from.name);
            return Err(Error::invalid("SourceArn", reason));
        }
        if let Some(to) = to {
            self.declared(to)?;
        }
        if to == Some(&from.name) {
            return Err(Error::invalid("DestinationArn", "must be another queue"));
        }
        let to = to.map(str::to_owned);
        let mut moved = 0;
        while moved < at_most {
            let (from, to, sources) = (Arc::clone(&from), to.clone(), Arc::clone(&sources));
            let limit = CHUNK.min(at_most - moved);
            let redrive = Redrive { from, to, sources, limit };
            let chunk = self.store.write(move |store| redrive.run(store, now)).await?;
            moved += chunk;
            if chunk < limit {
                break;
            }
        }
        for queue in to.iter().chain(&*sources) {
            self.announce(Some(queue));
        }
        Ok(moved)
    }

    /// Makes the messages that are in flight visible, and returns their number. Their receive
    /// counts stay. For the start of a process: their receivers ended with the one before. A
    /// message whose visibility its receiver has changed waits for its time, that of a retry.
    pub async fn release_in_flight(&self, now: Timestamp) -> Result<usize, Error> {
        let now = now.as_millisecond();
        let mut released = 0;
        for Declared { queue, .. } in self.by_name.values() {
            loop {
                let queue = Arc::clone(queue);
                let chunk = self
                    .store
                    .write(move |store| table::release_in_flight(store, &queue, now, CHUNK))
                    .await?;
                released += chunk;
                if chunk < CHUNK {
                    break;
                }
            }
            self.announce(Some(&queue.name));
        }
        Ok(released)
    }

    /// Removes messages that are older than the retention of their queues, up to 1 000 of each
    /// queue, and returns their number. A receive removes some of its own queue; queues without
    /// receivers need this call now and then.
    pub async fn remove_expired(&self, now: Timestamp) -> Result<usize, Error> {
        let now = now.as_millisecond();
        let mut removed = 0;
        for declared in self.by_name.values() {
            let queue = Arc::clone(&declared.queue);
            removed += self
                .store
                .write(move |store| table::remove_expired(store, &queue, now, CHUNK))
                .await?;
        }
        Ok(removed)
    }

    /// Returns the names of the queues whose dead-letter queue is this one.
    fn sources(&self, dead_letter_queue: &str) -> impl Iterator<Item = String> {
        self.iter()
            .filter(move |queue| queue.dead_letter_queue() == Some(dead_letter_queue))
            .map(|queue| queue.name.clone())
    }
}
