//! [`Services::open`]: services with the resources of a stack.

use std::{io, path::Path, sync::Arc};

use jiff::Timestamp;

use super::Services;
use crate::{
    dynamo::{DynoxideError, Store},
    files::{self, Credentials, Files},
    queues::{self, Queues},
    secrets::{self, GeneratedSecret, Secrets},
    stream::{self, Stream},
    template::{LocalNames, Stack},
};

/// The largest content of an upload, in bytes: files are in memory while they are written.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The log of a stream has 16 files of 64 MiB.
const STREAM_FILE_BYTES: u64 = 64 << 20;
const STREAM_FILES: usize = 16;

/// Why the services of a stack cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A process has one bucket and one stream.
    #[error("a stack in one process must have one {0}")]
    NotOne(&'static str),
    /// A table cannot be created.
    #[error("table {id}: {cause}")]
    Table {
        /// Its logical id.
        id: String,
        /// What the store answered.
        #[source]
        cause: DynoxideError,
    },
    /// The queues cannot be declared.
    #[error(transparent)]
    Queues(#[from] queues::Error),
    /// The log of the stream cannot be opened.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// The folder of the bucket cannot be opened.
    #[error(transparent)]
    Files(#[from] io::Error),
    /// The secrets cannot be read.
    #[error(transparent)]
    Secrets(#[from] secrets::OpenError),
}

impl Services {
    /// Opens the services of a stack. Its tables and queues are in the store, and its stream, files
    /// and secrets in the folder, which must exist; what is missing there is created. Names are
    /// those of [`LocalNames`] with this URL. The credentials sign links.
    pub async fn open(
        store: Store,
        folder: &Path,
        stack: &Stack,
        credentials: Credentials,
        url: &str,
    ) -> Result<Self, OpenError> {
        create_tables(&store, stack).await?;
        let queues = Queues::open(store.clone(), url, stack.queues.clone()).await?;
        let [stream] = &stack.streams[..] else { return Err(OpenError::NotOne("stream")) };
        let stream = stream::Settings {
            name: stream.clone(),
            max_file_bytes: STREAM_FILE_BYTES,
            max_files: STREAM_FILES,
        };
        let [bucket] = &stack.buckets[..] else { return Err(OpenError::NotOne("bucket")) };
        let files = files::Settings {
            bucket: LocalNames::bucket(&bucket.id),
            max_content_bytes: MAX_FILE_BYTES,
            credentials,
        };
        let secrets = stack.secrets.iter();
        let secrets: Vec<_> = secrets
            .map(|secret| GeneratedSecret { name: &secret.id, length: secret.length as usize })
            .collect();
        Ok(Self {
            store,
            queues: Arc::new(queues),
            stream: Stream::open(&folder.join("stream"), stream)?,
            files: Files::open(&folder.join("files"), files)?,
            secrets: Secrets::open(&folder.join("secrets.json"), &secrets, Timestamp::now())?,
        })
    }
}

/// Creates the tables that do not exist, and sets their times to live.
async fn create_tables(store: &Store, stack: &Stack) -> Result<(), OpenError> {
    for table in &stack.tables {
        let failed = |cause| OpenError::Table { id: table.id.clone(), cause };
        let request = &table.create_request;
        store.create_table(request).await.map_err(failed)?;
        if let Some(attribute) = &table.ttl_attribute {
            let name = request["TableName"].as_str().unwrap_or_default();
            store.set_time_to_live(name, attribute).await.map_err(failed)?;
        }
    }
    Ok(())
}
