//! Writes that share a transaction.

use std::panic::{self, AssertUnwindSafe};

use dynoxide::storage::Storage;
use parking_lot::Mutex;
use tracing::error;

use super::{
    pool::{Answer, Job, Outcome},
    tokens::Tokens,
};

/// Writes that are committed together, or not at all. Each is a savepoint of the transaction, so
/// that it is rolled back alone if it fails.
pub(super) struct Batch<'a> {
    storage: &'a Storage,
    tokens: &'a Mutex<Tokens>,
    /// The number of tokens before the transaction.
    remembered: u64,
    /// What answers the writes once they are durable.
    answers: Vec<Answer>,
}

impl<'a> Batch<'a> {
    pub(super) fn new(storage: &'a Storage, tokens: &'a Mutex<Tokens>) -> Self {
        let remembered = tokens.lock().remembered();
        Self { storage, tokens, remembered, answers: Vec::new() }
    }

    /// Executes a write. One that panics is rolled back and has no answer.
    pub(super) fn execute(&mut self, write: Job) {
        if let Err(error) = self.begin() {
            self.roll_back(&error);
            return;
        }
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| write(self.storage)));
        if outcome.is_err() {
            error!("A write panicked");
        }
        let outcome = outcome.ok();
        let end: &[&str] = match &outcome {
            Some(Outcome { succeeded: true, .. }) => &["RELEASE write"],
            _ => &["ROLLBACK TO write", "RELEASE write"],
        };
        if self.storage.conn().is_autocommit() {
            // SQLite ends the transaction on its own if the disk is full, among other errors: the
            // write's answer is that error.
            self.forget();
        } else if let Err(error) = self.run(end) {
            self.roll_back(&error);
            return;
        }
        self.answers.extend(outcome.map(|outcome| outcome.answer));
    }

    /// Commits the writes, and returns what answers them. A write without an answer may have
    /// happened, for its caller.
    pub(super) fn commit(mut self) -> Vec<Answer> {
        let connection = self.storage.conn();
        if !connection.is_autocommit()
            && let Err(error) = self.run(&["RELEASE batch"])
        {
            self.roll_back(&error);
        }
        self.answers
    }

    /// Begins a write, and the transaction if it is the first one.
    fn begin(&self) -> rusqlite::Result<()> {
        if self.storage.conn().is_autocommit() {
            self.run(&["SAVEPOINT batch"])?;
        }
        self.run(&["SAVEPOINT write"])
    }

    /// Rolls the transaction back: none of its writes has an answer.
    fn roll_back(&mut self, error: &rusqlite::Error) {
        error!(error = error as &dyn std::error::Error, "Writes were rolled back");
        self.forget();
        if !self.storage.conn().is_autocommit()
            && let Err(error) = self.run(&["ROLLBACK TO batch", "RELEASE batch"])
        {
            error!(error = &error as &dyn std::error::Error, "The rollback failed");
        }
    }

    /// Forgets what the transaction has come to.
    fn forget(&mut self) {
        self.answers.clear();
        self.tokens.lock().forget_since(self.remembered);
    }

    fn run(&self, statements: &[&str]) -> rusqlite::Result<()> {
        for statement in statements {
            self.storage.conn().prepare_cached(statement)?.execute([])?;
        }
        Ok(())
    }
}
