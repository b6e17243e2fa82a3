//! The write-ahead log: when its writes are durable, and when they move to the database file.

use std::{io, time::Duration};

use rusqlite::Connection;
use tracing::{error, warn};

/// The number of writes after which the log is copied to the database file. SQLite would do so
/// after the first commit past 1 000 pages, two syncs in the middle of a batch.
const CHECKPOINT_EVERY: usize = 1_000;

/// The number of pages from which a checkpoint waits for readers, so that the log is written from
/// its start again: 64 MiB. Without that, readers that always overlap let it grow.
const MAX_PAGES: i64 = 16_384;

/// How long the writer waits for readers, or for another process that has the file locked.
const LOCK_TIMEOUT: Duration = Duration::from_millis(100);

/// Makes durable what is in the log.
pub(super) type Fsync = Box<dyn FnMut() -> io::Result<()> + Send>;

/// The log of the writing connection.
pub(super) struct Log {
    sync: Option<Fsync>,
    /// Whether a power failure now would keep all that was answered from now on.
    is_reliable: bool,
    /// Writes since the last checkpoint.
    writes: usize,
}

impl Log {
    /// Takes over the syncs and checkpoints of a connection. Without `sync`, writes are durable
    /// when the operating system finds the time.
    pub(super) fn new(connection: &Connection, sync: Option<Fsync>) -> rusqlite::Result<Self> {
        connection.busy_timeout(LOCK_TIMEOUT)?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(Self { sync, is_reliable: true, writes: 0 })
    }

    /// Makes the writes in the log durable, and returns whether that succeeded.
    pub(super) fn sync(&mut self) -> bool {
        if let Some(sync) = &mut self.sync
            && let Err(error) = sync()
        {
            error!(error = &error as &dyn std::error::Error, "The log could not be synced");
            self.is_reliable = false;
        }
        self.is_reliable
    }

    /// After a failed sync, moves all writes to the database file. Returns whether writes that
    /// follow can be made durable.
    ///
    /// The operating system reports the failure of a page once and forgets it: a later sync would
    /// succeed although a part of the log before it is missing.
    pub(super) fn restore(&mut self, connection: &Connection) -> bool {
        if !self.is_reliable {
            match checkpoint(connection, "TRUNCATE") {
                Ok(Checkpoint { is_blocked: false, .. }) => self.is_reliable = true,
                Ok(_) => warn!("Readers delay the checkpoint after a failed sync"),
                Err(error) => report(&error),
            }
        }
        self.is_reliable
    }

    /// Counts writes, and copies the log to the database file after enough of them.
    pub(super) fn checkpoint_when_due(&mut self, connection: &Connection, writes: usize) {
        self.writes += writes;
        if self.writes < CHECKPOINT_EVERY {
            return;
        }
        self.writes = 0;
        let mut done = checkpoint(connection, "PASSIVE");
        if done.as_ref().is_ok_and(|done| done.pages > MAX_PAGES) {
            done = checkpoint(connection, "RESTART");
        }
        if let Err(error) = done {
            report(&error);
        }
    }
}

/// The result of a checkpoint.
struct Checkpoint {
    /// Whether readers or another process prevented a part of it.
    is_blocked: bool,
    /// The size of the log.
    pages: i64,
}

fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<Checkpoint> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| {
        Ok(Checkpoint { is_blocked: row.get(0)?, pages: row.get(1)? })
    })
}

fn report(error: &rusqlite::Error) {
    error!(error = error as &dyn std::error::Error, "The checkpoint failed");
}
