//! What the queues, the stream, the parameters, the files and the metrics are to a process of a test: enough of SQS, Kinesis, Systems
//! Manager, S3 and CloudWatch for the SDK's real clients, behind the same wire as the store.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use base64::{Engine, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    bucket::{self, Bucket},
    fake_cloudwatch::{FakeCloudWatch, Meter},
    replies,
};
use crate::{time::Minute, uniques::MinuteCount};

/// The services of one [`Cloud`](super::Cloud). Cloning it clones a pointer.
#[derive(Debug, Clone, Default)]
pub struct FakeServices(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    queued: Vec<Queued>,
    postponed: Vec<(String, u64)>,
    streamed: Vec<(String, MinuteCount)>,
    parameters: HashMap<String, String>,
    turned_away: usize,
    bucket: Bucket,
    depths: HashMap<String, Depth>,
    meters: FakeCloudWatch,
}

/// How many messages a queue holds that nobody has sent in this test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// To be taken now.
    pub visible: u64,
    /// Taken, and not done.
    pub in_flight: u64,
    /// Not yet to be taken.
    pub delayed: u64,
}

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// URL of its queue.
    pub queue: String,
    /// What it says.
    pub body: String,
    /// For how many seconds it is hidden.
    pub delay_seconds: u64,
}

impl FakeServices {
    /// The messages to all queues that were sent since they were asked for last, in the order of their arrival.
    #[must_use]
    pub fn take_queued(&self) -> Vec<Queued> {
        std::mem::take(&mut self.0.lock().queued)
    }

    /// The same messages, but only what they say.
    #[must_use]
    pub fn take_messages(&self) -> Vec<String> {
        self.take_queued().into_iter().map(|message| message.body).collect()
    }

    /// The next so many messages are turned away, though the calls that send them succeed.
    pub fn turn_away(&self, messages: usize) {
        self.0.lock().turned_away = messages;
    }

    /// The receipts of messages that were hidden, and for how many seconds.
    #[must_use]
    pub fn postponed(&self) -> Vec<(String, u64)> {
        self.0.lock().postponed.clone()
    }

    /// The records of the stream: partition key and content.
    #[must_use]
    pub fn streamed(&self) -> Vec<(String, MinuteCount)> {
        self.0.lock().streamed.clone()
    }

    /// Stores a parameter.
    pub fn set_parameter(&self, name: &str, value: &str) {
        self.0.lock().parameters.insert(name.to_owned(), value.to_owned());
    }

    /// The content of a file of the bucket.
    #[must_use]
    pub fn file(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().bucket.files.get(key).cloned()
    }

    /// The keys of all files of the bucket, and how many bytes each has.
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

    /// Puts a file into the bucket, in place of the one that was there.
    pub fn put_file(&self, key: &str, content: impl Into<Vec<u8>>) {
        self.0.lock().bucket.files.insert(key.to_owned(), content.into());
    }

    /// Removes a file from the bucket, if it is there.
    pub fn remove_file(&self, key: &str) {
        self.0.lock().bucket.files.remove(key);
    }

    /// How many multipart uploads were begun and neither completed nor aborted.
    #[must_use]
    pub fn unfinished_uploads(&self) -> usize {
        self.0.lock().bucket.uploads.len()
    }

    /// Says how many messages the queue with this URL holds, beside those that are sent to it.
    pub fn set_depth(&self, queue: &str, depth: Depth) {
        self.0.lock().depths.insert(queue.to_owned(), depth);
    }

    /// Says what a metric came to in a minute.
    pub fn measure(&self, meter: Meter, minute: Minute, value: f64) {
        self.0.lock().meters.put(meter, minute.start().as_seconds(), value);
    }

    /// The metrics that were asked for since this was asked last, each with its statistic.
    #[must_use]
    pub fn take_metrics_asked_for(&self) -> Vec<(Meter, String)> {
        std::mem::take(&mut self.0.lock().meters.asked)
    }

    pub(super) fn metrics_answer(&self, operation: &str, body: &[u8]) -> HttpResponse {
        self.0.lock().meters.answer(operation, body)
    }

    pub(super) fn bucket_answer(&self, request: bucket::Request) -> HttpResponse {
        self.0.lock().bucket.answer(request)
    }

    /// What the queues, the stream and the parameters answer.
    pub(super) fn answer(&self, operation: &str, request: &Value) -> HttpResponse {
        let mut state = self.0.lock();
        let answer = match operation {
            "SendMessageBatch" => state.send(request),
            "ChangeMessageVisibility" => {
                let seconds = request["VisibilityTimeout"].as_u64().expect("seconds");
                state.postponed.push((said(&request["ReceiptHandle"]), seconds));
                json!({})
            }
            "GetQueueAttributes" => state.attributes(request),
            "PutRecord" => {
                let data = STANDARD.decode(said(&request["Data"])).expect("base64");
                let count = serde_json::from_slice(&data).expect("a count");
                state.streamed.push((said(&request["PartitionKey"]), count));
                json!({"ShardId": "shardId-000000000000", "SequenceNumber": state.streamed.len().to_string()})
            }
            "GetParameter" => match state.parameters.get(&said(&request["Name"])) {
                Some(value) => json!({"Parameter": {"Name": request["Name"], "Value": value}}),
                None => {
                    return replies::in_json(
                        400,
                        &json!({"__type": "ParameterNotFound", "message": "as planned"}),
                    );
                }
            },
            _ => panic!("no stand-in for {operation}"),
        };
        replies::in_json(200, &answer)
    }
}

impl State {
    /// What is asked for of a queue, each number as a text, as SQS has it.
    fn attributes(&self, request: &Value) -> Value {
        let queue = said(&request["QueueUrl"]);
        let Depth { visible, in_flight, delayed } =
            self.depths.get(&queue).copied().unwrap_or_default();
        let sent = |hidden: bool| {
            let queued = self
                .queued
                .iter()
                .filter(|sent| sent.queue == queue && (sent.delay_seconds > 0) == hidden);
            u64::try_from(queued.count()).unwrap_or(u64::MAX)
        };
        let asked = request["AttributeNames"].as_array().expect("names").iter().map(|name| {
            let count = match name.as_str() {
                Some("ApproximateNumberOfMessages") => visible + sent(false),
                Some("ApproximateNumberOfMessagesNotVisible") => in_flight,
                Some("ApproximateNumberOfMessagesDelayed") => delayed + sent(true),
                _ => panic!("no stand-in for {name}"),
            };
            (said(name), Value::from(count.to_string()))
        });
        json!({"Attributes": asked.collect::<serde_json::Map<_, _>>()})
    }

    fn send(&mut self, request: &Value) -> Value {
        let entries = request["Entries"].as_array().expect("entries");
        assert!((1..=10).contains(&entries.len()), "a batch of {}", entries.len());
        let turned_away = self.turned_away.min(entries.len());
        self.turned_away -= turned_away;
        let (failed, taken) = entries.split_at(turned_away);
        self.queued.extend(taken.iter().map(|entry| Queued {
            queue: said(&request["QueueUrl"]),
            body: said(&entry["MessageBody"]),
            delay_seconds: entry["DelaySeconds"].as_u64().unwrap_or_default(),
        }));
        let taken = taken
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
        let failed = failed
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
        json!({"Successful": taken.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>()})
    }
}

fn said(value: &Value) -> String {
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
    async fn a_message_is_told_with_its_queue_and_its_delay() {
        let cloud = Cloud::start().await;
        let sqs = cloud.aws_behind(&cloud.instance().transport).sqs();
        send(&sqs, "https://sqs/one", "first", None).await;
        send(&sqs, "https://sqs/other", "second", Some(30)).await;
        let queued = |queue: &str, body: &str, delay_seconds| Queued {
            queue: queue.to_owned(),
            body: body.to_owned(),
            delay_seconds,
        };
        let expected =
            [queued("https://sqs/one", "first", 0), queued("https://sqs/other", "second", 30)];
        assert_eq!(cloud.services().take_queued(), expected);
        assert!(cloud.services().take_messages().is_empty(), "each message is told once");
    }

    #[tokio::test]
    async fn a_throttled_message_is_sent_again_by_the_sdk() {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        transport.fail_at(1, Fault::Throttle);
        send(&cloud.aws_behind(&transport).sqs(), "https://sqs/one", "first", None).await;
        assert_eq!(transport.take_sent().len(), 2);
        assert_eq!(cloud.services().take_messages(), ["first"]);
    }
}
