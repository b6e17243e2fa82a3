//! Connections to the file.

use std::{
    error::Error,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use dynoxide::storage::Storage;
use rusqlite::Connection;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot open the database: {reason}", path.display())]
pub struct OpenError {
    path: PathBuf,
    reason: Box<dyn Error + Send + Sync>,
}

impl OpenError {
    /// Returns a function that says which file an error is about.
    pub(super) fn of<E>(path: &Path) -> impl Fn(E) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        |reason| Self { path: path.to_owned(), reason: reason.into() }
    }
}

/// Locks the file for as long as the result lives, by a lock of the file `<name>.lock` beside it.
/// The operating system unlocks it when the process dies.
pub(super) fn lock(path: &Path) -> Result<File, OpenError> {
    let lock = File::create(beside(path, ".lock")).map_err(OpenError::of(path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => {
            Err(OpenError::of(path)("it is open already, in this process or in another one"))
        }
        Err(TryLockError::Error(error)) => Err(OpenError::of(path)(error)),
    }
}

/// Opens the file for the writer, or creates it.
pub(super) fn open(path: &Path) -> Result<Storage, OpenError> {
    // SQLite's own words for what is wrong with the file: dynoxide's are about encryption. The
    // connection stays open, for the last one to close a file empties its log first.
    let probe = Connection::open(path).map_err(OpenError::of(path))?;
    probe
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .map_err(OpenError::of(path))?;
    let storage = connect(path)?;
    sync_folder(path).map_err(OpenError::of(path))?;
    Ok(storage)
}

/// Opens a connection that cannot write.
pub(super) fn open_to_read(path: &Path) -> Result<Storage, OpenError> {
    let storage = connect(path)?;
    storage.conn().pragma_update(None, "query_only", true).map_err(OpenError::of(path))?;
    Ok(storage)
}

/// Opens the write-ahead log of a file that has a connection.
pub(super) fn open_log(path: &Path) -> Result<File, OpenError> {
    let log = beside(path, "-wal");
    File::open(&log).map_err(OpenError::of(&log))
}

/// Returns the path of a file that belongs to another one.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn connect(path: &Path) -> Result<Storage, OpenError> {
    let name = path.to_str().ok_or("its path is not UTF-8").map_err(OpenError::of(path))?;
    Storage::new(name).map_err(OpenError::of(path))
}

/// Makes durable that the files exist.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
