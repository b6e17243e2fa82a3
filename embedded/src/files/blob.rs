//! [`Blob`]: a file whose first line is a JSON head and whose rest is content, so that both are
//! replaced by one rename.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    ops::Range,
    path::Path,
};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::disk::Draft;

/// The longest head, in bytes: S3 allows 8 KB of headers and 2 KB of metadata.
const MAX_HEAD_BYTES: u64 = 64 * 1_024;

/// An open file. It keeps its content when the file is replaced or removed.
#[derive(Debug)]
pub(super) struct Blob<H> {
    pub(super) head: H,
    /// Length of the content in bytes.
    pub(super) length: u64,
    file: File,
    /// Position of the content in the file.
    start: u64,
}

impl<H: DeserializeOwned> Blob<H> {
    /// Opens a file and reads its head.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut line = Vec::new();
        BufReader::new((&mut file).take(MAX_HEAD_BYTES)).read_until(b'\n', &mut line)?;
        let invalid = |reason: String| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {reason}", path.display()))
        };
        if line.last() != Some(&b'\n') {
            return Err(invalid("its first line has no end".to_owned()));
        }
        let head = serde_json::from_slice(&line).map_err(|error| invalid(error.to_string()))?;
        let start = line.len() as u64;
        let length = file.metadata()?.len() - start;
        Ok(Self { head, length, file, start })
    }

    /// Reads a part of the content.
    pub(super) fn read(&mut self, range: Range<u64>) -> io::Result<Bytes> {
        let length = range.end - range.start;
        let mut content = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
        self.file.seek(SeekFrom::Start(self.start + range.start))?;
        (&mut self.file).take(length).read_to_end(&mut content)?;
        if content.len() as u64 == length {
            Ok(content.into())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    /// Appends the content to a draft.
    pub(super) fn copy_to(&mut self, draft: &mut Draft) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.start))?;
        io::copy(&mut self.file, draft.file())?;
        Ok(())
    }
}

/// Begins a draft with this head.
pub(super) fn draft(folder: &Path, head: &impl Serialize, now: Timestamp) -> io::Result<Draft> {
    let mut line = serde_json::to_vec(head)?;
    line.push(b'\n');
    let mut draft = Draft::create(folder, now)?;
    draft.file().write_all(&line)?;
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::{Folder, time};

    #[test]
    fn head_and_content_are_read_as_they_were_written() {
        let folder = Folder::new();
        let path = folder.join("blob");
        let mut draft = draft(&folder, &"line 1\nline 2", time(0)).expect("a draft");
        draft.file().write_all(b"\ncontent\n").expect("written");
        draft.publish(&path).expect("published");
        let mut blob: Blob<String> = Blob::open(&path).expect("a blob");
        assert_eq!((blob.head.as_str(), blob.length), ("line 1\nline 2", 9));
        assert_eq!(blob.read(0..9).expect("content"), "\ncontent\n");
        assert_eq!(blob.read(1..4).expect("content"), "con");
    }

    #[test]
    fn an_open_blob_keeps_its_content_when_the_file_is_replaced() {
        let folder = Folder::new();
        let path = folder.join("blob");
        fs::write(&path, "1\nold").expect("written");
        let mut blob: Blob<u8> = Blob::open(&path).expect("a blob");
        draft(&folder, &2, time(0)).and_then(|draft| draft.publish(&path)).expect("published");
        assert_eq!(blob.read(0..3).expect("content"), "old");
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_it() {
        let folder = Folder::new();
        let path = folder.join("damaged");
        for content in ["", "1", "{\n", "\n"] {
            fs::write(&path, content).expect("written");
            let error = Blob::<u8>::open(&path).expect_err("damaged");
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{content:?}");
            assert!(error.to_string().contains("damaged"), "{error}");
        }
        fs::write(&path, "1\nshort").expect("written");
        let mut blob: Blob<u8> = Blob::open(&path).expect("a blob");
        fs::write(&path, "1\n").expect("cut");
        blob.read(0..5).expect_err("too short");
    }
}
