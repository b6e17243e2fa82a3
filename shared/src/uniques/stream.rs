//! The stream that counts are published to.

use aws_sdk_kinesis::{Client, primitives::Blob};
use serde::{Deserialize, Serialize};

use crate::{aws::ServiceError, time::Minute};

/// A minute's exact count, as the stream and the callbacks carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MinuteCount {
    /// The minute.
    pub minute: Minute,
    /// Number of ids accepted in it.
    pub unique_ids: u64,
}

impl MinuteCount {
    /// Returns `{"minute":"2026-11-20T23:20:00Z","unique_ids":123}`.
    #[must_use]
    pub fn to_json(self) -> Vec<u8> {
        format!(r#"{{"minute":"{}","unique_ids":{}}}"#, self.minute, self.unique_ids).into_bytes()
    }
}

/// A Kinesis data stream of counts.
#[derive(Debug)]
pub struct CountStream {
    client: Client,
    name: String,
}

impl CountStream {
    /// The stream with this name.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// Puts a count with its minute as the partition key. A consumer may receive a minute more than
    /// once, always with the same key and count.
    pub async fn publish(&self, count: MinuteCount) -> Result<(), ServiceError> {
        let put = self.client.put_record().stream_name(&self.name).partition_key(count.minute);
        put.data(Blob::new(count.to_json())).send().await?;
        Ok(())
    }
}
