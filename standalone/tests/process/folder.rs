//! Folders of tests.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

/// A new folder on a disk. It is removed at its end, unless the test fails: then it shows why.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let name = format!("process-{:032x}", fastrand::u128(..));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).expect("a new folder");
        Self(path)
    }

    /// Returns the path of a file or folder in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("The data and the log are in {}", self.0.display());
        } else {
            drop(fs::remove_dir_all(&self.0));
        }
    }
}
