//! The thread that writes.

use std::{fs::File, iter, sync::Arc};

use dynoxide::storage::Storage;
use parking_lot::Mutex;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::{
    batch::Batch,
    log::Log,
    pool::{Job, Queue},
    tokens::Tokens,
};

/// The number of writes that share a transaction and its sync at most. The first of them waits for
/// the last: 64 orders take some 10 ms.
const BATCH: usize = 64;

/// The number of statements that stay prepared: some ten for each table and index.
const STATEMENTS: usize = 256;

/// The writing connection and its log.
pub(super) struct Writer {
    storage: Storage,
    log: Log,
    tokens: Arc<Mutex<Tokens>>,
    /// Unlocked when the connection is closed.
    _lock: File,
}

impl Writer {
    pub(super) fn new(
        storage: Storage,
        log: Log,
        tokens: Arc<Mutex<Tokens>>,
        lock: File,
    ) -> rusqlite::Result<Self> {
        let connection = storage.conn();
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // The journals of savepoints.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.authorizer(Some(ignore_transactions));
        Ok(Self { storage, log, tokens, _lock: lock })
    }

    /// Executes writes until the queue is closed.
    pub(super) fn run(mut self, queue: &Queue) {
        let queue = queue.lock();
        while let Ok(first) = queue.recv() {
            let writes = iter::once(first).chain(queue.try_iter()).take(BATCH);
            if self.log.restore(self.storage.conn()) {
                self.execute(writes);
            } else {
                // Taken together: what a refused caller sends next is for the next batch.
                drop(writes.collect::<Vec<_>>());
            }
        }
    }

    /// Executes writes in one transaction, makes them durable, and answers them.
    fn execute(&mut self, writes: impl Iterator<Item = Job>) {
        let mut batch = Batch::new(&self.storage, &self.tokens);
        for write in writes {
            batch.execute(write);
        }
        let answers = batch.commit();
        let written = answers.len();
        if self.log.sync() {
            for answer in answers {
                answer();
            }
        }
        self.log.checkpoint_when_due(self.storage.conn(), written);
    }
}

/// Ignores the transactions that the operations of dynoxide begin and end: they are parts of that
/// of the batch.
fn ignore_transactions(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Transaction { .. } => Authorization::Ignore,
        _ => Authorization::Allow,
    }
}
