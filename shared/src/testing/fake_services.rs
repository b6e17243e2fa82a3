//! Fake queues, stream, secrets, files and metrics: the parts of SQS, Kinesis, Secrets Manager,
//! S3 and CloudWatch that the SDK's real clients need, behind the same transport as the store.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    ORDER_SECRET_ID,
    bucket::{self, Bucket},
    fake_cloudwatch::{FakeCloudWatch, MetricId},
    replies,
};
use crate::{time::Minute, uniques::MinuteCount};

/// The fake services of one [`Cloud`](super::Cloud). Cheap to clone.
#[derive(Debug, Clone)]
pub struct FakeServices(Arc<Mutex<State>>);

/// The secret that signs the tokens of orders in every [`Cloud`](super::Cloud).
pub const ORDER_SECRET: &str = "a-secret-of-32-characters-for-tests";

impl Default for FakeServices {
    fn default() -> Self {
        let services = Self(Arc::default());
        services.put_secret(ORDER_SECRET_ID, ORDER_SECRET);
        services
    }
}

#[derive(Debug, Default)]
struct State {
    queued: Vec<QueuedMessage>,
    visibility_changes: Vec<(String, u64)>,
    stream_records: Vec<(String, MinuteCount)>,
    /// By name and version label.
    secrets: HashMap<(String, String), String>,
    /// Number of messages still to reject.
    rejections: usize,
    bucket: Bucket,
    depths: HashMap<String, QueueDepth>,
    cloudwatch: FakeCloudWatch,
}

/// Message counts of a queue, in addition to the messages that the test sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Ready to be received.
    pub visible: u64,
    /// Received and not deleted.
    pub in_flight: u64,
    /// Not yet ready.
    pub delayed: u64,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// The URL of its queue.
    pub queue: String,
    /// Its body.
    pub body: String,
    /// Its delay, in seconds.
    pub delay_seconds: u64,
}

impl FakeServices {
    /// Removes and returns the messages of all queues, in the order of their arrival.
    #[must_use]
    pub fn take_queued(&self) -> Vec<QueuedMessage> {
        std::mem::take(&mut self.0.lock().queued)
    }

    /// Removes the messages of all queues and returns their bodies, in the order of their arrival.
    #[must_use]
    pub fn take_message_bodies(&self) -> Vec<String> {
        self.take_queued().into_iter().map(|message| message.body).collect()
    }

    /// Rejects the next `count` messages; the batch calls that send them succeed.
    pub fn reject_messages(&self, count: usize) {
        self.0.lock().rejections = count;
    }

    /// Returns the changes of visibility timeouts: receipt handles and seconds.
    #[must_use]
    pub fn visibility_changes(&self) -> Vec<(String, u64)> {
        self.0.lock().visibility_changes.clone()
    }

    /// Returns the records of the stream: partition keys and contents.
    #[must_use]
    pub fn stream_records(&self) -> Vec<(String, MinuteCount)> {
        self.0.lock().stream_records.clone()
    }

    /// Stores the secret that signs webhooks.
    pub fn set_webhook_secret(&self, value: &str) {
        self.put_secret("webhook-secret", value);
    }

    /// Replaces the secret that signs the tokens of orders.
    pub fn rotate_order_secret(&self, value: &str) {
        self.put_secret(ORDER_SECRET_ID, value);
    }

    /// Makes a value the current version of a secret, and the current one the previous one.
    fn put_secret(&self, name: &str, value: &str) {
        let secrets = &mut self.0.lock().secrets;
        let before = secrets.insert(version(name, CURRENT), value.to_owned());
        if let Some(before) = before {
            secrets.insert(version(name, PREVIOUS), before);
        }
    }

    /// Removes the secret that signs the tokens of orders.
    pub fn remove_order_secret(&self) {
        self.0.lock().secrets.retain(|(name, _), _| name != ORDER_SECRET_ID);
    }

    /// Returns the content of a file of the bucket.
    #[must_use]
    pub fn file(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().bucket.files.get(key).cloned()
    }

    /// Returns the keys of all files of the bucket with their sizes in bytes.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, usize> {
        self.0
            .lock()
            .bucket
            .files
            .iter()
            .map(|(key, content)| (key.clone(), content.len()))
            .collect()
    }

    /// Puts a file into the bucket and replaces the one with the same key.
    pub fn put_file(&self, key: &str, content: impl Into<Vec<u8>>) {
        self.0.lock().bucket.files.insert(key.to_owned(), content.into());
    }

    /// Removes a file from the bucket, if it exists.
    pub fn remove_file(&self, key: &str) {
        self.0.lock().bucket.files.remove(key);
    }

    /// Returns the number of multipart uploads that are neither completed nor aborted.
    #[must_use]
    pub fn unfinished_uploads(&self) -> usize {
        self.0.lock().bucket.uploads.len()
    }

    /// Sets the depth of the queue with this URL, to which the messages sent to it are added.
    pub fn set_depth(&self, queue: &str, depth: QueueDepth) {
        self.0.lock().depths.insert(queue.to_owned(), depth);
    }

    /// Stores the value of a metric in a minute.
    pub fn put_metric(&self, metric: MetricId, minute: Minute, value: f64) {
        self.0.lock().cloudwatch.put(metric, minute.start().as_seconds(), value);
    }

    /// Removes and returns the metrics that were requested, each with its statistic.
    #[must_use]
    pub fn take_metric_queries(&self) -> Vec<(MetricId, String)> {
        std::mem::take(&mut self.0.lock().cloudwatch.queries)
    }

    pub(super) fn cloudwatch_response(&self, operation: &str, body: &[u8]) -> HttpResponse {
        self.0.lock().cloudwatch.respond(operation, body)
    }

    pub(super) fn bucket_response(&self, request: bucket::Request) -> HttpResponse {
        self.0.lock().bucket.respond(request)
    }

    /// Responds to a call to the queues, the stream or the secrets.
    pub(super) fn respond(&self, operation: &str, request: &Value) -> HttpResponse {
        let mut state = self.0.lock();
        let response = match operation {
            "SendMessageBatch" => state.send(request),
            "ChangeMessageVisibility" => {
                let seconds = request["VisibilityTimeout"].as_u64().expect("seconds");
                state.visibility_changes.push((string(&request["ReceiptHandle"]), seconds));
                json!({})
            }
            "GetQueueAttributes" => state.attributes(request),
            "PutRecord" => {
                let data = STANDARD.decode(string(&request["Data"])).expect("base64");
                let count = serde_json::from_slice(&data).expect("a count");
                state.stream_records.push((string(&request["PartitionKey"]), count));
                let number = state.stream_records.len().to_string();
                json!({"ShardId": "shardId-000000000000", "SequenceNumber": number})
            }
            "GetSecretValue" => match state.secret(request) {
                Some(value) => json!({"Name": request["SecretId"], "SecretString": value}),
                None => {
                    return replies::in_json(
                        400,
                        &json!({"__type": "ResourceNotFoundException", "message": "not set"}),
                    );
                }
            },
            _ => panic!("{operation} is not implemented"),
        };
        replies::in_json(200, &response)
    }
}

/// The labels of a secret's versions.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

fn version(name: &str, label: &str) -> (String, String) {
    (name.to_owned(), label.to_owned())
}

impl State {
    fn secret(&self, request: &Value) -> Option<&String> {
        let label = request["VersionStage"].as_str().unwrap_or(CURRENT);
        self.secrets.get(&version(&string(&request["SecretId"]), label))
    }

    /// Responds with the requested attributes of a queue: numbers as text, as in SQS.
    fn attributes(&self, request: &Value) -> Value {
        let queue = string(&request["QueueUrl"]);
        let QueueDepth { visible, in_flight, delayed } =
            self.depths.get(&queue).copied().unwrap_or_default();
        let sent = |is_delayed: bool| {
            let queued = self.queued.iter().filter(|message| {
                message.queue == queue && (message.delay_seconds > 0) == is_delayed
            });
            u64::try_from(queued.count()).unwrap_or(u64::MAX)
        };
        let attributes = request["AttributeNames"].as_array().expect("names").iter().map(|name| {
            let count = match name.as_str() {
                Some("ApproximateNumberOfMessages") => visible + sent(false),
                Some("ApproximateNumberOfMessagesNotVisible") => in_flight,
                Some("ApproximateNumberOfMessagesDelayed") => delayed + sent(true),
                _ => panic!("{name} is not implemented"),
            };
            (string(name), Value::from(count.to_string()))
        });
        json!({"Attributes": attributes.collect::<serde_json::Map<_, _>>()})
    }

    fn send(&mut self, request: &Value) -> Value {
        let entries = request["Entries"].as_array().expect("entries");
        assert!((1..=10).contains(&entries.len()), "a batch of {}", entries.len());
        let rejections = self.rejections.min(entries.len());
        self.rejections -= rejections;
        let (rejected, accepted) = entries.split_at(rejections);
        self.queued.extend(accepted.iter().map(|entry| QueuedMessage {
            queue: string(&request["QueueUrl"]),
            body: string(&entry["MessageBody"]),
            delay_seconds: entry["DelaySeconds"].as_u64().unwrap_or_default(),
        }));
        let successful = accepted
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
        let failed = rejected
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
        json!({"Successful": successful.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>()})
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};

    use super::*;
    use crate::testing::{Cloud, Fault};

    async fn send(sqs: &Client, queue: &str, body: &str, delay_seconds: Option<i32>) {
        let entry = SendMessageBatchRequestEntry::builder().id("0").message_body(body);
        let entry = entry.set_delay_seconds(delay_seconds).build().expect("an entry");
        sqs.send_message_batch().queue_url(queue).entries(entry).send().await.expect("sent");
    }

    #[tokio::test]
    async fn a_sent_message_has_its_queue_and_its_delay() {
        let cloud = Cloud::start().await;
        let sqs = cloud.aws_behind(&cloud.instance().transport).sqs();
        send(&sqs, "https://sqs/one", "first", None).await;
        send(&sqs, "https://sqs/other", "second", Some(30)).await;
        let queued = |queue: &str, body: &str, delay_seconds| QueuedMessage {
            queue: queue.to_owned(),
            body: body.to_owned(),
            delay_seconds,
        };
        let expected =
            [queued("https://sqs/one", "first", 0), queued("https://sqs/other", "second", 30)];
        assert_eq!(cloud.services().take_queued(), expected);
        assert!(cloud.services().take_message_bodies().is_empty(), "each message is taken once");
    }

    #[tokio::test]
    async fn a_throttled_message_is_resent_by_the_sdk() {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        transport.fail_at(1, Fault::Throttle);
        send(&cloud.aws_behind(&transport).sqs(), "https://sqs/one", "first", None).await;
        assert_eq!(transport.take_calls().len(), 2);
        assert_eq!(cloud.services().take_message_bodies(), ["first"]);
    }
}
