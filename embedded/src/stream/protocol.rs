//! Kinesis's requests and responses.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp, Unit};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Error, Inner, log::Page};
use crate::json_call::{self, Failure};

/// The only shard, which has all partition keys.
const SHARD: &str = "shardId-000000000000";
const MAX_HASH_KEY: &str = "340282366920938463463374607431768211455";

/// The start of all ARNs.
const ARN_PREFIX: &str = "arn:aws:kinesis:local:000000000000:stream/";

/// The longest partition key, in characters.
const MAX_KEY_CHARS: usize = 256;

/// The largest record, in bytes.
const MAX_RECORD_BYTES: usize = 1_024 * 1_024;

/// The largest page of records.
const MAX_RECORDS: usize = 10_000;
const MAX_PAGE_BYTES: usize = 9 * 1_024 * 1_024;

/// The exception about a parameter.
const INVALID: &str = "InvalidArgumentException";

impl Inner {
    pub(super) fn respond(
        &self,
        request: &Request<Bytes>,
        now: Timestamp,
    ) -> Result<Value, Failure> {
        match json_call::operation(request, "Kinesis_20131202") {
            "PutRecord" => self.put_record(json_call::parameters(request, INVALID)?, now),
            "ListShards" => self.list_shards(&json_call::parameters(request, INVALID)?),
            "GetShardIterator" => {
                self.get_shard_iterator(&json_call::parameters(request, INVALID)?)
            }
            "GetRecords" => self.get_records(&json_call::parameters(request, INVALID)?, now),
            operation => Err(Failure::unknown_operation(operation)),
        }
    }

    fn put_record(&self, put: PutRecord, now: Timestamp) -> Result<Value, Failure> {
        self.check(put.stream_name.as_deref(), put.stream_arn.as_deref())?;
        if !(1..=MAX_KEY_CHARS).contains(&put.partition_key.chars().count()) {
            return Err(invalid(format!(
                "PartitionKey: must have 1 to {MAX_KEY_CHARS} characters"
            )));
        }
        let data = STANDARD.decode(put.data).map_err(|_| invalid("Data: must be base64"))?;
        if data.len() + put.partition_key.len() > MAX_RECORD_BYTES {
            let limit = format!("Data: must have at most {MAX_RECORD_BYTES} bytes with its key");
            return Err(invalid(limit));
        }
        let sequence = self.log.append(&put.partition_key, &data, now);
        let sequence = sequence.map_err(|error| internal(&error))?.to_string();
        Ok(json!({"ShardId": SHARD, "SequenceNumber": sequence}))
    }

    fn list_shards(&self, list: &ListShards) -> Result<Value, Failure> {
        self.check(list.stream_name.as_deref(), list.stream_arn.as_deref())?;
        Ok(json!({"Shards": [{
            "ShardId": SHARD,
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": MAX_HASH_KEY},
            "SequenceNumberRange": {"StartingSequenceNumber": "1"},
        }]}))
    }

    /// Returns an iterator: the sequence number of its next record. It does not expire.
    fn get_shard_iterator(&self, get: &GetShardIterator) -> Result<Value, Failure> {
        self.check(get.stream_name.as_deref(), get.stream_arn.as_deref())?;
        if get.shard_id != SHARD {
            let reason = format!("the shard {} does not exist", get.shard_id);
            return Err(Failure::new("ResourceNotFoundException", reason));
        }
        let sequence = || {
            let number = get.starting_sequence_number.as_ref().and_then(|text| text.parse().ok());
            number.ok_or_else(|| invalid("StartingSequenceNumber: must be one of this stream"))
        };
        let next: u64 = match get.shard_iterator_type.as_str() {
            "TRIM_HORIZON" => self.log.oldest(),
            "LATEST" => self.log.end(),
            "AT_SEQUENCE_NUMBER" => sequence()?,
            "AFTER_SEQUENCE_NUMBER" => sequence()?.saturating_add(1),
            "AT_TIMESTAMP" => {
                let seconds = get.timestamp.and_then(|s| SignedDuration::try_from_secs_f64(s).ok());
                let time = seconds.and_then(|since| Timestamp::from_duration(since).ok());
                // A fraction of a second loses its last digits on the way.
                let time = time.and_then(|time| time.round(Unit::Millisecond).ok());
                let time = time.ok_or_else(|| invalid("Timestamp: must be a time"))?;
                self.log.first_at(time).map_err(|error| internal(&error))?
            }
            other => return Err(invalid(format!("ShardIteratorType: {other} is not implemented"))),
        };
        Ok(json!({"ShardIterator": next.to_string()}))
    }

    fn get_records(&self, get: &GetRecords, now: Timestamp) -> Result<Value, Failure> {
        if get.stream_arn.is_some() {
            self.check(None, get.stream_arn.as_deref())?;
        }
        let from = get.shard_iterator.parse();
        let from = from.map_err(|_| invalid("ShardIterator: must be one of this stream"))?;
        let limit = get.limit.unwrap_or(MAX_RECORDS);
        if !(1..=MAX_RECORDS).contains(&limit) {
            return Err(invalid(format!("Limit: must be between 1 and {MAX_RECORDS}")));
        }
        let page = self.log.read(from, limit, MAX_PAGE_BYTES).map_err(|error| internal(&error))?;
        let records = page.records.iter().map(|record| {
            json!({
                "SequenceNumber": record.sequence.to_string(),
                "ApproximateArrivalTimestamp": record.time.as_duration().as_secs_f64(),
                "PartitionKey": record.partition_key,
                "Data": STANDARD.encode(&record.data),
            })
        });
        Ok(json!({
            "Records": records.collect::<Vec<_>>(),
            "NextShardIterator": page.next.to_string(),
            "MillisBehindLatest": millis_behind(&page, now),
        }))
    }

    /// Checks that a call names this stream.
    fn check(&self, name: Option<&str>, arn: Option<&str>) -> Result<(), Failure> {
        let arn_name = arn.map(|arn| arn.strip_prefix(ARN_PREFIX).unwrap_or(arn));
        let named = name.or(arn_name);
        match named {
            Some(named) if named == self.name => Ok(()),
            Some(other) => {
                let reason = format!("the stream {other} does not exist");
                Err(Failure::new("ResourceNotFoundException", reason))
            }
            None => Err(invalid("StreamName: must be set")),
        }
    }
}

/// How far a page is from the end of the stream: 0 only at the end.
fn millis_behind(page: &Page, now: Timestamp) -> i64 {
    let last = page.records.last().map_or(now, |last| last.time);
    if page.is_last { 0 } else { now.as_millisecond().saturating_sub(last.as_millisecond()).max(1) }
}

pub(super) fn internal(cause: &Error) -> Failure {
    Failure::internal("InternalFailure", cause)
}

fn invalid(reason: impl Into<String>) -> Failure {
    Failure::new(INVALID, reason)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    partition_key: String,
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListShards {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}
