//! The thread that writes.

use std::{
    fs::File,
    iter,
    panic::{self, AssertUnwindSafe},
};

use dynoxide::storage::Storage;
use tracing::error;

use super::{
    log::Log,
    pool::{Answer, Job, Queue},
};

/// The writing connection and its log.
pub(super) struct Writer {
    storage: Storage,
    log: Log,
    /// Unlocked when the connection is closed.
    _lock: File,
}

impl Writer {
    pub(super) fn new(storage: Storage, log: Log, lock: File) -> Self {
        Self { storage, log, _lock: lock }
    }

    /// Executes writes until the queue is closed.
    pub(super) fn run(mut self, queue: &Queue) {
        let queue = queue.lock();
        while let Ok(first) = queue.recv() {
            let queued = iter::once(first).chain(queue.try_iter());
            let writes = queued.take(self.log.batch_size());
            if self.log.restore(self.storage.conn()) {
                self.execute(writes);
            } else {
                // Taken together: what a refused caller sends next is for the next batch.
                drop(writes.collect::<Vec<_>>());
            }
        }
    }

    /// Executes writes, makes them durable, and answers them.
    fn execute(&mut self, writes: impl Iterator<Item = Job>) {
        let answers: Vec<Answer> =
            writes.filter_map(|write| execute_one(&self.storage, write)).collect();
        let written = answers.len();
        if self.log.sync() {
            for answer in answers {
                answer();
            }
        }
        self.log.checkpoint_when_due(self.storage.conn(), written);
    }
}

/// Executes a write. One that panics is rolled back and has no answer.
fn execute_one(storage: &Storage, write: Job) -> Option<Answer> {
    let answer = panic::catch_unwind(AssertUnwindSafe(|| write(storage)));
    if answer.is_err() {
        error!("A write panicked");
        if !storage.conn().is_autocommit() {
            drop(storage.rollback());
        }
    }
    answer.ok()
}
