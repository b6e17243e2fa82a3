//! Where the data of a process is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use embedded::TemporaryFolder;

/// The database, and the lock of the process that has it open.
pub(crate) const DATABASE: &str = "once.db";
pub(crate) const LOCK: &str = "once.db.lock";

/// The number of that process.
pub(crate) const PID: &str = "pid";

/// The folder of a process.
#[derive(Debug)]
pub(crate) enum Data {
    Kept(PathBuf),
    /// Removed at the end of the process.
    Temporary(TemporaryFolder),
}

impl Data {
    /// Opens a folder, or creates it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self::Kept(folder.to_owned()))
    }

    pub(crate) fn temporary() -> io::Result<Self> {
        Ok(Self::Temporary(TemporaryFolder::in_memory()?))
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Temporary(folder) => folder,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }
}
