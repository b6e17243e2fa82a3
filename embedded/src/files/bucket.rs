//! [`Bucket`]: objects as files of one folder.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use jiff::Timestamp;
use md5::{Digest, Md5};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{
    Error, Key, WriteCondition,
    blob::{self, Blob},
};
use crate::disk::{self, Draft, if_found};

/// Headers that are stored with an object and returned with it, by their names in lower case.
pub type Headers = BTreeMap<String, String>;

/// The objects, and the unfinished multipart uploads. All functions block.
#[derive(Debug)]
pub struct Bucket {
    objects: PathBuf,
    pub(super) uploads: PathBuf,
    /// Held while an object is compared and then replaced or removed.
    replacement: Mutex<()>,
}

/// An object that was found. It keeps its content when it is replaced or deleted.
#[derive(Debug)]
pub struct Object(Blob<Head>);

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key.
    pub key: Key,
    /// Its `ETag`, in quotes.
    pub etag: String,
    /// Its size in bytes.
    pub length: u64,
    /// When it was written.
    pub modified: Timestamp,
}

/// The first line of an object's file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) etag: String,
    pub(super) modified: Timestamp,
    pub(super) headers: Headers,
}

impl Object {
    /// The `ETag`, in quotes.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.0.head.etag
    }

    /// When the object was written.
    #[must_use]
    pub fn modified(&self) -> Timestamp {
        self.0.head.modified
    }

    /// The headers that were stored with it.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.0.head.headers
    }

    /// The size in bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.0.length
    }

    /// Reads a part of the content.
    pub fn read(&mut self, range: Range<u64>) -> Result<Bytes, Error> {
        Ok(self.0.read(range)?)
    }
}

impl Bucket {
    /// Opens the bucket of a folder, which is created if it does not exist.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let (objects, uploads) = (folder.join("objects"), folder.join("uploads"));
        fs::create_dir_all(folder)?;
        for folder in [&objects, &uploads] {
            fs::create_dir_all(folder)?;
            disk::sync_parent(folder)?;
        }
        disk::sync_parent(folder)?;
        Ok(Self { objects, uploads, replacement: Mutex::new(()) })
    }

    /// Writes an object and returns its `ETag`, the MD5 of the content. After a crash the object is
    /// the old one or the new one, and is the new one once this has returned.
    pub fn put(
        &self,
        key: &Key,
        content: &[u8],
        headers: Headers,
        condition: &WriteCondition,
        now: Timestamp,
    ) -> Result<String, Error> {
        let etag = quoted_hex(&Md5::digest(content));
        let head = Head { etag, modified: now, headers };
        self.write(key, &head, condition, |draft| Ok(draft.file().write_all(content)?))?;
        Ok(head.etag)
    }

    /// Writes an object whose content `fill` appends to its draft.
    pub(super) fn write(
        &self,
        key: &Key,
        head: &Head,
        condition: &WriteCondition,
        fill: impl FnOnce(&mut Draft) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.objects);
        disk::create_folders(&self.objects, folder)?;
        let mut draft = blob::draft(folder, head, head.modified)?;
        fill(&mut draft)?;
        draft.sync()?;
        let replacement = self.replacement.lock();
        if *condition != WriteCondition::None {
            let present = if_found(Blob::<Head>::open(&path))?;
            condition.check(present.as_ref().map(|object| object.head.etag.as_str()))?;
        }
        draft.rename(&path)?;
        drop(replacement);
        Ok(disk::sync_parent(&path)?)
    }

    /// Opens an object.
    pub fn get(&self, key: &Key) -> Result<Object, Error> {
        if_found(Blob::open(&self.path(key)))?.map(Object).ok_or(Error::NoSuchKey)
    }

    /// Deletes an object, if it exists.
    pub fn delete(&self, key: &Key) -> Result<(), Error> {
        let _replacement = self.replacement.lock();
        self.remove(key)
    }

    fn remove(&self, key: &Key) -> Result<(), Error> {
        let path = self.path(key);
        if if_found(fs::remove_file(&path))?.is_some() {
            disk::sync_parent(&path)?;
        }
        Ok(())
    }

    /// Returns up to `limit` objects whose keys begin with the prefix and follow `after`, in the
    /// order of their keys, and whether there are more.
    pub fn list(
        &self,
        prefix: &str,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<ListedObject>, bool), Error> {
        let mut keys = self.keys(prefix)?;
        keys.retain(|key| key.as_str() > after);
        keys.sort_unstable();
        let has_more = keys.len() > limit;
        keys.truncate(limit);
        let mut listed = Vec::with_capacity(keys.len());
        for key in keys {
            // An object that was just deleted is not listed.
            let Some(Blob { head, length, .. }) = if_found(Blob::<Head>::open(&self.path(&key)))?
            else {
                continue;
            };
            listed.push(ListedObject { key, etag: head.etag, length, modified: head.modified });
        }
        Ok((listed, has_more))
    }

    /// Deletes the objects whose keys begin with the prefix and that were written before a time,
    /// as a lifecycle rule does. Returns their number.
    pub fn expire(&self, prefix: &str, before: Timestamp) -> Result<usize, Error> {
        let mut expired = 0;
        for key in self.keys(prefix)? {
            let _replacement = self.replacement.lock();
            let object = if_found(Blob::<Head>::open(&self.path(&key)))?;
            if object.is_some_and(|object| object.head.modified < before) {
                self.remove(&key)?;
                expired += 1;
            }
        }
        Ok(expired)
    }

    /// Removes what crashes left behind: drafts and uploads that were begun before a time.
    pub fn remove_leftovers(&self, before: Timestamp) -> Result<(), Error> {
        for path in files(&self.objects)?.iter().chain(&entries(&self.uploads)?) {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.and_then(disk::draft_time).is_some_and(|begun| begun < before) {
                if_found(if path.is_dir() {
                    fs::remove_dir_all(path)
                } else {
                    fs::remove_file(path)
                })?;
            }
        }
        self.abort_uploads(before)
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.objects.join(key.path())
    }

    fn keys(&self, prefix: &str) -> io::Result<Vec<Key>> {
        let mut keys = files(&self.objects)?;
        let keys =
            keys.drain(..).filter_map(|path| Key::of_path(path.strip_prefix(&self.objects).ok()?));
        Ok(keys.filter(|key| key.as_str().starts_with(prefix)).collect())
    }
}

/// Returns all files of a folder and of the folders in it.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let found = if entry.file_type()?.is_dir() { &mut folders } else { &mut files };
            found.push(entry.path());
        }
    }
    Ok(files)
}

/// Returns the files and folders of a folder.
pub(super) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

/// Returns an `ETag`: a hash in quotes.
pub(super) fn quoted_hex(hash: &[u8]) -> String {
    format!("\"{}\"", hex::encode(hash))
}

#[cfg(test)]
mod tests;
