//! Folders for data that ends with its owner.

use std::{
    env, fs, io,
    ops::Deref,
    path::{Path, PathBuf},
};

/// A new folder, which is removed with its content when it is dropped.
#[derive(Debug)]
pub struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// Creates a folder among the temporary files of the system.
    pub fn new() -> io::Result<Self> {
        Self::create_in(&env::temp_dir())
    }

    /// Creates a folder in memory where the system has a file system there, else as [`Self::new`].
    pub fn in_memory() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::create_in(memory) } else { Self::new() }
    }

    fn create_in(parent: &Path) -> io::Result<Self> {
        let path = parent.join(format!("once-{:032x}", fastrand::u128(..)));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Deref for TemporaryFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // Its content may be gone already.
        drop(fs::remove_dir_all(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_folder_is_removed_with_its_content() {
        for folder in [TemporaryFolder::new(), TemporaryFolder::in_memory()] {
            let folder = folder.expect("a folder");
            let path = folder.to_path_buf();
            fs::write(path.join("file"), "content").expect("written");
            assert!(path.is_dir());
            drop(folder);
            assert!(!path.exists());
        }
    }
}
