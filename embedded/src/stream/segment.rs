//! [`Segment`]: one file of the log, a JSON line for each record.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::disk;

const EXTENSION: &str = "jsonl";

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number in the stream, from 1.
    pub sequence: u64,
    /// When it was put.
    pub time: Timestamp,
    /// Its partition key.
    pub partition_key: String,
    /// Its content.
    pub data: Vec<u8>,
}

/// A record as a line has it, its data in base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    sequence: u64,
    time: Timestamp,
    partition_key: String,
    data: String,
}

impl Record {
    pub(super) fn to_line(&self) -> io::Result<Vec<u8>> {
        let line = Line {
            sequence: self.sequence,
            time: self.time,
            partition_key: self.partition_key.clone(),
            data: STANDARD.encode(&self.data),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        Ok(text)
    }

    /// Reads a line. `None`: it is damaged.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\n")?;
        let Line { sequence, time, partition_key, data } = serde_json::from_slice(line).ok()?;
        Some(Self { sequence, time, partition_key, data: STANDARD.decode(data).ok()? })
    }
}

/// A file of consecutive records.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    /// The sequence number of its first record.
    pub(super) first: u64,
    /// The sequence number behind its last record.
    pub(super) end: u64,
    /// Its length in bytes; what follows is not part of it.
    pub(super) length: u64,
}

impl Segment {
    /// Creates a file without records.
    pub(super) fn create(folder: &Path, first: u64) -> io::Result<Self> {
        let path = folder.join(format!("{first:020}.{EXTENSION}"));
        // A failed call may have left a file with this name.
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        disk::sync_parent(&path)?;
        Ok(Self { path, first, end: first, length: 0 })
    }

    /// Returns the sequence number that the name of a file has. `None`: it is no segment.
    pub(super) fn first_of(path: &Path) -> Option<u64> {
        let is_segment = path.extension().is_some_and(|extension| extension == EXTENSION);
        path.file_stem().filter(|_| is_segment)?.to_str()?.parse().ok()
    }

    /// Reads a file that a dead process wrote. A damaged last line was not answered: it is not part
    /// of the segment.
    pub(super) fn recover(path: PathBuf, first: u64) -> Result<Self, Error> {
        let bytes = fs::metadata(&path)?.len();
        let mut segment = Self { path, first, end: first, length: bytes };
        let mut reader = BufReader::new(File::open(&segment.path)?);
        let (mut length, mut line) = (0, Vec::new());
        while reader.read_until(b'\n', &mut line)? > 0 {
            let end = length + line.len() as u64;
            if Record::parse(&line).is_some_and(|record| record.sequence == segment.end) {
                segment.end += 1;
                length = end;
            } else if end == bytes {
                break;
            } else {
                return Err(segment.corrupt(segment.end));
            }
            line.clear();
        }
        segment.length = length;
        Ok(segment)
    }

    /// Appends a record, for good when this returns. After an error the segment is as before.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(&self.path)?;
        // A failed append or a crash may have left something.
        file.set_len(self.length)?;
        file.write_all_at(line, self.length)?;
        file.sync_data()?;
        self.length += line.len() as u64;
        self.end += 1;
        Ok(())
    }

    /// Reads the records from a sequence number on. Fails with `NotFound` if the file is removed.
    pub(super) fn records(
        &self,
        from: u64,
    ) -> io::Result<impl Iterator<Item = Result<Record, Error>> + use<'_>> {
        let from = from.max(self.first);
        let mut reader = BufReader::new(File::open(&self.path)?.take(self.length));
        for _ in self.first..from {
            reader.skip_until(b'\n')?;
        }
        Ok((from..self.end).map(move |sequence| {
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            Record::parse(&line)
                .filter(|record| record.sequence == sequence)
                .ok_or_else(|| self.corrupt(sequence))
        }))
    }

    fn corrupt(&self, sequence: u64) -> Error {
        Error::Corrupt { path: self.path.clone(), line: sequence - self.first + 1 }
    }
}
