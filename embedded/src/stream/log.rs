//! [`Log`]: the records in the order of their sequence numbers.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::segment::{Record, Segment};
use crate::disk::{self, if_found};

/// Why the log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record other than the last one is damaged, or missing.
    #[error(
        "{path}: line {line} is damaged: restore the file, or move it and those before it away"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
    },
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Disk(#[from] io::Error),
}

/// Records, and what follows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Consecutive records.
    pub records: Vec<Record>,
    /// The sequence number to go on reading from.
    pub next: u64,
    /// Whether there are no records behind these.
    pub is_last: bool,
}

/// An append-only log. All functions block.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    max_file_bytes: u64,
    max_files: usize,
    /// The files from the oldest to the one that is appended to: never empty.
    segments: Mutex<VecDeque<Segment>>,
}

impl Log {
    /// Opens the log in a folder, which is created if it does not exist, and cuts off a record that
    /// a crash left unfinished.
    pub fn open(folder: &Path, max_file_bytes: u64, max_files: usize) -> Result<Self, Error> {
        fs::create_dir_all(folder)?;
        disk::sync_parent(folder)?;
        let mut found: Vec<(u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            found.extend(Segment::first_of(&path).map(|first| (first, path)));
        }
        found.sort_unstable();
        let mut segments: VecDeque<Segment> = VecDeque::new();
        for (first, path) in found {
            let segment = Segment::recover(path, first)?;
            if segments.back().is_some_and(|previous| previous.end != first) {
                return Err(Error::Corrupt { path: segment.path, line: 1 });
            }
            segments.push_back(segment);
        }
        if segments.is_empty() {
            segments.push_back(Segment::create(folder, 1)?);
        }
        let (folder, segments) = (folder.to_owned(), Mutex::new(segments));
        Ok(Self { folder, max_file_bytes, max_files, segments })
    }

    /// Appends a record, and returns its sequence number when it is on the disk.
    pub fn append(&self, partition_key: &str, data: &[u8], now: Timestamp) -> Result<u64, Error> {
        let mut segments = self.segments.lock();
        let sequence = end(&segments);
        let partition_key = partition_key.to_owned();
        let record = Record { sequence, time: now, partition_key, data: data.to_owned() };
        let line = record.to_line()?;
        let is_full = |segment: &Segment| {
            segment.length > 0 && segment.length + line.len() as u64 > self.max_file_bytes
        };
        if segments.back().is_none_or(is_full) {
            segments.push_back(Segment::create(&self.folder, sequence)?);
            self.remove_oldest(&mut segments)?;
        }
        if let Some(last) = segments.back_mut() {
            last.append(&line)?;
        }
        Ok(sequence)
    }

    /// Removes the files in excess, each for good before the next one: no file between two others
    /// is ever missing.
    fn remove_oldest(&self, segments: &mut VecDeque<Segment>) -> io::Result<()> {
        while segments.len() > self.max_files.max(1)
            && let Some(oldest) = segments.front()
        {
            if_found(fs::remove_file(&oldest.path))?;
            disk::sync_parent(&oldest.path)?;
            segments.pop_front();
        }
        Ok(())
    }

    /// Reads up to `limit` records from a sequence number on, or from the oldest one if that is
    /// gone. A page has at least one record, if there is one, and ends behind `max_bytes` of data.
    pub fn read(&self, from: u64, limit: usize, max_bytes: usize) -> Result<Page, Error> {
        let segments = self.segments.lock().clone();
        let end = end(&segments);
        let mut records: Vec<Record> = Vec::new();
        let mut bytes = 0;
        'segments: for segment in segments.iter().filter(|segment| segment.end > from) {
            // Rotation may have removed it by now.
            let Some(found) = if_found(segment.records(from))? else { continue };
            for record in found {
                let record = record?;
                if records.len() == limit || bytes > max_bytes {
                    break 'segments;
                }
                bytes += record.data.len();
                records.push(record);
            }
        }
        let next = records.last().map_or_else(|| from.min(end), |last| last.sequence + 1);
        Ok(Page { is_last: next >= end, next, records })
    }

    /// Returns the sequence number of the oldest record.
    #[must_use]
    pub fn oldest(&self) -> u64 {
        self.segments.lock().front().map_or(1, |oldest| oldest.first)
    }

    /// Returns the sequence number of the next record.
    #[must_use]
    pub fn end(&self) -> u64 {
        end(&self.segments.lock())
    }

    /// Returns the sequence number of the first record in a millisecond or later, or that of the
    /// next record if there is none.
    pub fn first_at(&self, time: Timestamp) -> Result<u64, Error> {
        let segments = self.segments.lock().clone();
        for segment in &segments {
            let Some(records) = if_found(segment.records(0))? else { continue };
            for record in records {
                let record = record?;
                if record.time.as_millisecond() >= time.as_millisecond() {
                    return Ok(record.sequence);
                }
            }
        }
        Ok(end(&segments))
    }
}

fn end(segments: &VecDeque<Segment>) -> u64 {
    segments.back().map_or(1, |last| last.end)
}
