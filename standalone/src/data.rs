//! Where the data of a process is.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The database, and the lock of the process that has it open.
pub(crate) const DATABASE: &str = "once.db";
pub(crate) const LOCK: &str = "once.db.lock";

/// The number of that process.
pub(crate) const PID: &str = "pid";

/// The folder of a process.
#[derive(Debug)]
pub(crate) struct Data {
    folder: PathBuf,
    is_temporary: bool,
}

impl Data {
    /// Opens a folder, or creates it.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), is_temporary: false })
    }

    /// Creates a folder that is removed at the end of the process: in memory where the system has
    /// a file system there, else among its temporary files.
    pub(crate) fn temporary() -> io::Result<Self> {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { env::temp_dir() };
        let folder = parent.join(format!("once-{:032x}", fastrand::u128(..)));
        fs::create_dir(&folder)?;
        Ok(Self { folder, is_temporary: true })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        if self.is_temporary {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}
