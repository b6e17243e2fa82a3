//! Durable files: a [`Draft`] is written beside its target and takes its place as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use jiff::Timestamp;

/// The first character of a draft's name. No file or folder that is kept has it.
const DRAFT_MARK: char = '~';

/// Tells drafts of the same millisecond apart.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// A file that is being written. Only its owner may read it. It is removed if it is dropped before
/// it is published; after a crash it stays until its age is noticed.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    file: File,
}

impl Draft {
    /// Creates an empty draft in the folder of its target.
    pub(crate) fn create(folder: &Path, now: Timestamp) -> io::Result<Self> {
        let path = draft_path(folder, now);
        // A dead process may have left a draft with this name.
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }

    /// The file, for writing.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Waits until the content is on the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Puts a synced draft in the place of the target, in the same folder. At any time the target
    /// is the old file or the new one.
    pub(crate) fn rename(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)
    }

    /// Syncs the draft and puts it in the place of the target: for good when this returns.
    pub(crate) fn publish(self, target: &Path) -> io::Result<()> {
        self.sync()?;
        self.rename(target)?;
        sync_parent(target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // It does not exist any more if it was published.
        drop(fs::remove_file(&self.path));
    }
}

/// Returns an unused name of a draft, which tells when it was begun.
pub(crate) fn draft_path(folder: &Path, now: Timestamp) -> PathBuf {
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    folder.join(format!("{DRAFT_MARK}{}-{number}", now.as_millisecond()))
}

/// Returns when a draft was begun. `None`: the name is not that of a draft.
pub(crate) fn draft_time(name: &str) -> Option<Timestamp> {
    let (millis, _) = name.strip_prefix(DRAFT_MARK)?.split_once('-')?;
    Timestamp::from_millisecond(millis.parse().ok()?).ok()
}

/// Creates a folder, and those above it up to the root, unless they exist.
pub(crate) fn create_folders(root: &Path, folder: &Path) -> io::Result<()> {
    if folder == root || folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_folders(root, parent)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result.and_then(|()| sync_parent(folder)),
    }
}

/// Waits until the creation, replacement or removal of an entry of a folder is on the disk.
pub(crate) fn sync_parent(entry: &Path) -> io::Result<()> {
    File::open(folder_of(entry))?.sync_all()
}

/// Returns the folder of a file or folder.
pub(crate) fn folder_of(entry: &Path) -> &Path {
    let folder = entry.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Returns `None` instead of an error about a missing file or folder.
pub(crate) fn if_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::testing::{Folder, time};

    #[test]
    fn the_target_keeps_its_old_content_until_the_draft_is_published() {
        let folder = Folder::new();
        let target = folder.join("target");
        fs::write(&target, "old").expect("written");
        let mut draft = Draft::create(&folder, time(0)).expect("a draft");
        draft.file().write_all(b"new").expect("written");
        assert_eq!(fs::read(&target).expect("a file"), b"old");
        draft.publish(&target).expect("published");
        assert_eq!(fs::read(&target).expect("a file"), b"new");
        assert_eq!(fs::read_dir(&*folder).expect("a folder").count(), 1);
        let mode = fs::metadata(&target).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_draft_that_is_given_up_is_removed() {
        let folder = Folder::new();
        drop(Draft::create(&folder, time(0)).expect("a draft"));
        assert_eq!(fs::read_dir(&*folder).expect("a folder").count(), 0);
    }

    #[test]
    fn the_name_of_a_draft_tells_its_time() {
        let path = draft_path(Path::new("folder"), time(7));
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        assert_eq!(draft_time(name), Some(time(7)));
        for other in ["a", "~", "~7", "~x-1", "7-1"] {
            assert_eq!(draft_time(other), None, "{other}");
        }
    }

    #[test]
    fn folders_are_created_down_to_the_last() {
        let folder = Folder::new();
        let deep = folder.join("a/b/c");
        for _ in 0..2 {
            create_folders(&folder, &deep).expect("created");
            assert!(deep.is_dir());
        }
    }
}
