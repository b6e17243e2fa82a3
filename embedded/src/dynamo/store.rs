//! The handle of a store.

use std::{fmt, fs::File, path::Path, sync::Arc};

use dynoxide::storage::Storage;
use parking_lot::Mutex;
use rusqlite::{Connection, ffi};

use super::{
    DynoxideError, OpenError, expiry, file,
    log::{Fsync, Log},
    pool::{Pool, Queue},
    readers::{self, READERS},
    tokens::Tokens,
    writer::Writer,
};

/// What an answered write survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The death of the process and of the machine: the disk has the write.
    Full,
    /// The death of the process. A power failure may undo the latest writes; those before stay,
    /// and each transaction is there as a whole or not at all.
    Normal,
}

/// A handle of an open file. Clones share the file.
///
/// Dropping the last one waits until the queued writes are done, moves them to the database file
/// and closes it.
#[derive(Clone)]
pub struct Store(Arc<Threads>);

struct Threads {
    tokens: Arc<Mutex<Tokens>>,
    // Readers close their connections first: the last connection checkpoints the file.
    readers: Pool,
    writer: Pool,
}

/// The store did not finish a call: the disk failed, or the call panicked. A write may have
/// happened.
#[derive(Debug, thiserror::Error)]
#[error("the store could not finish the call: retry")]
pub(super) struct Unfinished;

impl Store {
    /// Opens a file, or creates it. Its folder must exist. A file that is open already, in this
    /// process or in another one, is refused.
    pub fn open(path: impl AsRef<Path>, durability: Durability) -> Result<Self, OpenError> {
        Self::open_with(path.as_ref(), |log| match durability {
            Durability::Full => Some(Box::new(move || log.sync_data())),
            Durability::Normal => None,
        })
    }

    /// Opens a file whose log is synced by the function that `sync` makes.
    pub(super) fn open_with(
        path: &Path,
        sync: impl FnOnce(File) -> Option<Fsync>,
    ) -> Result<Self, OpenError> {
        let lock = file::lock(path)?;
        let storage = file::open(path)?;
        let sync = sync(file::open_log(path)?);
        let log = Log::new(storage.conn(), sync).map_err(OpenError::of(path))?;
        let tokens = Arc::default();
        let writer =
            Writer::new(storage, log, Arc::clone(&tokens), lock).map_err(OpenError::of(path))?;
        let writer = Pool::start("writer", [move |queue: Queue| writer.run(&queue)]);
        let connections: Vec<Storage> =
            (0..READERS).map(|_| file::open_to_read(path)).collect::<Result<_, _>>()?;
        let readers = connections
            .into_iter()
            .map(|storage| move |queue: Queue| readers::run(&storage, &queue));
        Ok(Self(Arc::new(Threads {
            tokens,
            readers: Pool::start("reader", readers).map_err(OpenError::of(path))?,
            writer: writer.map_err(OpenError::of(path))?,
        })))
    }

    /// Changes rows, all or none, as durable as any other write. An error rolls them back. The
    /// tables of other modules need names that DynamoDB's tables cannot have.
    ///
    /// The writer waits for `change`: it should take milliseconds.
    pub async fn write<T, F>(&self, change: F) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.on_writer(move |storage| change(storage.conn())).await
    }

    /// Reads rows on a snapshot, which holds every write that was answered before.
    pub async fn read<T, F>(&self, select: F) -> rusqlite::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.on_reader(move |storage| select(storage.conn())).await
    }

    /// Deletes up to 250 items whose time-to-live attribute is before `now_s`, in seconds since
    /// 1970, and returns their number. If it is 250, there may be more.
    pub async fn expire(&self, now_s: i64) -> Result<usize, DynoxideError> {
        self.on_writer(move |storage| expiry::remove(storage, now_s)).await
    }

    /// Executes a write on the writer's thread, all or nothing of it, and returns when it is
    /// durable. An error rolls it back.
    pub(super) async fn on_writer<T, E, F>(&self, write: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unfinished> + Send + 'static,
        F: FnOnce(&Storage) -> Result<T, E> + Send + 'static,
    {
        self.0.writer.execute(write).await
    }

    /// Executes a read on a reader's thread.
    pub(super) async fn on_reader<T, E, F>(&self, read: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unfinished> + Send + 'static,
        F: FnOnce(&Storage) -> Result<T, E> + Send + 'static,
    {
        self.0.readers.execute(read).await
    }

    pub(super) fn tokens(&self) -> Arc<Mutex<Tokens>> {
        Arc::clone(&self.0.tokens)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl From<Unfinished> for rusqlite::Error {
    fn from(error: Unfinished) -> Self {
        Self::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), Some(error.to_string()))
    }
}

impl From<Unfinished> for DynoxideError {
    fn from(error: Unfinished) -> Self {
        Self::InternalServerError(error.to_string())
    }
}
