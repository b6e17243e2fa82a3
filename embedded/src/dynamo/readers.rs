//! The threads that read.

use std::panic::{self, AssertUnwindSafe};

use dynoxide::storage::Storage;
use tracing::error;

use super::pool::{Job, Queue};

/// The number of reading threads: one can answer short reads while another one reads a page of a
/// long query.
pub(super) const READERS: usize = 2;

/// Executes reads until the queue is closed.
pub(super) fn run(storage: &Storage, queue: &Queue) {
    while let Some(read) = next(queue) {
        execute(storage, read);
    }
}

/// Waits for the next read. Others can take theirs while this one is executed.
fn next(queue: &Queue) -> Option<Job> {
    queue.lock().recv().ok()
}

/// Executes a read on a snapshot, which has ended when the caller is answered: it delays no
/// checkpoint after that. One that panics has no answer.
fn execute(storage: &Storage, read: Job) {
    let outcome = storage
        .conn()
        .unchecked_transaction()
        .map(|_snapshot| panic::catch_unwind(AssertUnwindSafe(|| read(storage))));
    match outcome {
        Ok(Ok(outcome)) => (outcome.answer)(),
        Ok(Err(_)) => error!("A read panicked"),
        Err(error) => error!(error = &error as &dyn std::error::Error, "No snapshot to read"),
    }
}
