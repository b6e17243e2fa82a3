//! The stream that counts are published to.

use aws_sdk_kinesis::{Client, primitives::Blob};
use serde::{Deserialize, Serialize};

use crate::{aws::ServiceError, time::Minute};

/// A minute's exact count, as it is streamed and as callbacks get it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinuteCount {
    /// The minute.
    pub minute: Minute,
    /// How many ids were accepted in it.
    pub unique_ids: u64,
}

impl MinuteCount {
    /// `{"minute":"2026-11-20T23:20:00Z","unique_ids":123}`
    #[must_use]
    pub fn to_json(self) -> Vec<u8> {
        format!(r#"{{"minute":"{}","unique_ids":{}}}"#, self.minute, self.unique_ids).into_bytes()
    }
}

/// A Kinesis data stream.
#[derive(Debug)]
pub struct Stream {
    client: Client,
    name: String,
}

impl Stream {
    /// The stream of this name.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Puts a count under its minute as the partition key. Who reads the stream may find a minute more than once, always with
    /// the same key and number.
    pub async fn publish(&self, count: MinuteCount) -> Result<(), ServiceError> {
        let put = self.client.put_record().stream_name(&self.name).partition_key(count.minute);
        put.data(Blob::new(count.to_json())).send().await?;
        Ok(())
    }
}
