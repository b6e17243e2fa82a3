//! Multipart uploads: a folder for each, with a manifest and a file for each part.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{
    Bucket, Error, Headers, Key, WriteCondition,
    blob::{self, Blob},
    bucket::{Head, entries, quoted_hex},
};
use crate::disk::{self, if_found};

/// The minimum size of every part but the last, in bytes.
pub const MIN_PART_BYTES: u64 = 5 * 1_024 * 1_024;

/// The highest number of a part.
pub const MAX_PART: u16 = 10_000;

/// The name of the manifest in the folder of an upload.
const MANIFEST: &str = "manifest";

/// A part that a completion lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPart {
    /// Its number, from 1.
    pub number: u16,
    /// Its `ETag`.
    pub etag: String,
}

/// What is stored when an upload is created.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    key: String,
    created: Timestamp,
    headers: Headers,
}

impl Bucket {
    /// Creates an upload and returns its id.
    pub fn create_upload(
        &self,
        key: &Key,
        headers: Headers,
        now: Timestamp,
    ) -> Result<String, Error> {
        let id = format!("{:032x}", fastrand::u128(..));
        let manifest = Manifest { key: key.as_str().to_owned(), created: now, headers };
        let folder = disk::draft_path(&self.uploads, now);
        fs::create_dir(&folder)?;
        blob::draft(&folder, &manifest, now)?.publish(&folder.join(MANIFEST))?;
        let created = self.uploads.join(&id);
        fs::rename(folder, &created)?;
        disk::sync_parent(&created)?;
        Ok(id)
    }

    /// Writes a part, or overwrites it, and returns its `ETag`.
    pub fn put_part(
        &self,
        key: &Key,
        id: &str,
        number: u16,
        content: &[u8],
        now: Timestamp,
    ) -> Result<String, Error> {
        let (folder, _) = self.upload(key, id)?;
        let etag = quoted_hex(&Md5::digest(content));
        let write = || {
            let mut draft = blob::draft(&folder, &etag, now)?;
            draft.file().write_all(content)?;
            draft.publish(&folder.join(number.to_string()))
        };
        // The upload may end while a part is written.
        if_found(write())?.ok_or(Error::NoSuchUpload)?;
        Ok(etag)
    }

    /// Writes the object from the listed parts, ends the upload, and returns the object's `ETag`:
    /// the MD5 of the parts' MD5s, and the number of parts.
    ///
    /// A crash may leave the upload behind although the object is written. A completed upload does
    /// not exist any more; S3 mostly answers a repeated completion like the first.
    pub fn complete_upload(
        &self,
        key: &Key,
        id: &str,
        parts: &[ListedPart],
        condition: &WriteCondition,
        now: Timestamp,
    ) -> Result<String, Error> {
        let (folder, manifest) = self.upload(key, id)?;
        let etag = check(&folder, parts)?;
        let head = Head { etag, modified: now, headers: manifest.headers };
        self.write(key, &head, condition, |draft| {
            parts.iter().try_for_each(|part| Ok(open(&folder, part)?.copy_to(draft)?))
        })?;
        self.remove_upload(&folder, now)?;
        Ok(head.etag)
    }

    /// Ends an upload and removes its parts.
    pub fn abort_upload(&self, key: &Key, id: &str, now: Timestamp) -> Result<(), Error> {
        let (folder, _) = self.upload(key, id)?;
        self.remove_upload(&folder, now)
    }

    /// Aborts the uploads that were created before a time.
    pub(super) fn abort_uploads(&self, before: Timestamp) -> Result<(), Error> {
        for folder in entries(&self.uploads)? {
            let manifest = if_found(Blob::<Manifest>::open(&folder.join(MANIFEST)))?;
            if manifest.is_some_and(|manifest| manifest.head.created < before) {
                self.remove_upload(&folder, before)?;
            }
        }
        Ok(())
    }

    /// Finds an upload of a key: its folder and its manifest.
    fn upload(&self, key: &Key, id: &str) -> Result<(PathBuf, Manifest), Error> {
        // An id is part of a path: nothing but what `create_upload` returns may pass.
        if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Error::NoSuchUpload);
        }
        let folder = self.uploads.join(id);
        let manifest = if_found(Blob::<Manifest>::open(&folder.join(MANIFEST)))?;
        match manifest {
            Some(Blob { head, .. }) if head.key == key.as_str() => Ok((folder, head)),
            _ => Err(Error::NoSuchUpload),
        }
    }

    /// Makes an upload unknown at once, and then removes its files.
    fn remove_upload(&self, folder: &Path, now: Timestamp) -> Result<(), Error> {
        let removed = disk::draft_path(&self.uploads, now);
        if if_found(fs::rename(folder, &removed))?.is_some() {
            disk::sync_parent(&removed)?;
            fs::remove_dir_all(removed)?;
        }
        Ok(())
    }
}

/// Checks that the listed parts are the stored ones, and returns the `ETag` of the object.
fn check(folder: &Path, parts: &[ListedPart]) -> Result<String, Error> {
    let mut hash = Md5::new();
    let mut previous = 0;
    for (index, listed) in parts.iter().enumerate() {
        let number = listed.number;
        let part = open(folder, listed)?;
        if number <= previous {
            return Err(Error::InvalidPartOrder);
        }
        if part.length < MIN_PART_BYTES && index + 1 < parts.len() {
            return Err(Error::EntityTooSmall { number });
        }
        hash.update(hex::decode(part.head.trim_matches('"')).unwrap_or_default());
        previous = number;
    }
    if parts.is_empty() {
        return Err(Error::MalformedXml);
    }
    Ok(format!("\"{}-{}\"", hex::encode(hash.finalize()), parts.len()))
}

/// Opens a part, whose head is its `ETag`, if it is the listed one.
fn open(folder: &Path, listed: &ListedPart) -> Result<Blob<String>, Error> {
    let part = if_found(Blob::<String>::open(&folder.join(listed.number.to_string())))?;
    part.filter(|part| part.head.trim_matches('"') == listed.etag.trim_matches('"'))
        .ok_or(Error::InvalidPart { number: listed.number })
}
