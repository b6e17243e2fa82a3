//! [`Stream`]: a Kinesis stream of one shard, as an append-only log.
//!
//! A record is on the disk before it is answered. Sequence numbers are 1, 2, 3, …; one that was
//! not answered may be used again. The oldest records are removed with their file when the log has
//! more files than its settings allow. Not covered: several shards, retention by time, consumers
//! with their own throughput.
//!
//! | File | Content |
//! |---|---|
//! | `log` | the log: append, read, rotation, recovery |
//! | `segment` | one file of it: JSON lines |
//! | `protocol` | Kinesis's requests and responses |

mod log;
mod protocol;
mod segment;

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

pub use log::{Error, Log};
pub use segment::Record;

use crate::json_call;

/// The settings of a stream.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the stream.
    pub name: String,
    /// The size in bytes at which a new file is begun.
    pub max_file_bytes: u64,
    /// The number of files, of which the last one is appended to.
    pub max_files: usize,
}

/// A stream behind Kinesis's interface. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Stream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    log: Log,
    name: String,
}

impl Stream {
    /// Opens the log in a folder, which is created if it does not exist, and cuts off a record that
    /// a crash left unfinished.
    pub fn open(folder: &Path, settings: Settings) -> Result<Self, Error> {
        let log = Log::open(folder, settings.max_file_bytes, settings.max_files)?;
        Ok(Self(Arc::new(Inner { log, name: settings.name })))
    }

    /// The log, for calls on threads that may block.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Responds to a request of the SDK. The caller is trusted.
    pub async fn respond(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let stream = self.0.clone();
        let result = tokio::task::spawn_blocking(move || stream.respond(&request, now)).await;
        let failed = |error| Err(protocol::internal(&Error::from(io::Error::other(error))));
        json_call::response(result.unwrap_or_else(failed))
    }
}

#[cfg(test)]
mod tests;
