//! The threads that read.

use std::panic::{self, AssertUnwindSafe};

use dynoxide::storage::Storage;
use tracing::error;

use super::pool::Queue;

/// The number of reading threads: one can answer short reads while another one reads a page of a
/// long query.
pub(super) const READERS: usize = 2;

/// A read, which sends its result itself.
pub(super) type Read = Box<dyn FnOnce(&Storage) + Send>;

/// Executes reads until the queue is closed.
pub(super) fn run(storage: &Storage, queue: &Queue<Read>) {
    while let Some(read) = next(queue) {
        execute(storage, read);
    }
}

/// Waits for the next read. Others can take theirs while this one is executed.
fn next(queue: &Queue<Read>) -> Option<Read> {
    queue.lock().recv().ok()
}

/// Executes a read on a snapshot. Dropping the read tells its caller that it failed.
fn execute(storage: &Storage, read: Read) {
    match storage.conn().unchecked_transaction() {
        Ok(_snapshot) => {
            if panic::catch_unwind(AssertUnwindSafe(|| read(storage))).is_err() {
                error!("A read panicked");
            }
        }
        Err(error) => error!(error = &error as &dyn std::error::Error, "No snapshot to read"),
    }
}
