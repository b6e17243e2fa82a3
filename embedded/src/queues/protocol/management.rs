//! Operations on whole queues: `PurgeQueue`, `GetQueueAttributes`, `GetQueueUrl`, `ListQueues` and
//! `StartMessageMoveTask`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Response,
    fault::{Fault, Kind},
    parse, queue_name,
};
use crate::queues::{
    Depth, Error, Queue, Queues,
    queue::{ACCOUNT, MAX_MESSAGE_BYTES},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct PurgeQueue {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueUrl {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
}

impl Queues {
    pub(super) async fn purge_queue(&self, body: &[u8]) -> Result<Response, Fault> {
        let request: PurgeQueue = parse(body)?;
        self.purge(queue_name(&request.queue_url)).await?;
        Ok(json!({}).into())
    }

    pub(super) async fn get_queue_attributes(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: GetQueueAttributes = parse(body)?;
        let name = queue_name(&request.queue_url);
        let queue = &self.declared(name)?.queue;
        let attributes = attributes(queue, self.depth(name, now).await?);
        let asked = &request.attribute_names;
        let is_known = |name: &String| {
            name == "All" || name == REDRIVE_POLICY || attributes.contains_key(name)
        };
        if let Some(unknown) = asked.iter().find(|name| !is_known(name)) {
            let message = format!("the attribute `{unknown}` is not supported");
            return Err(Fault::new(Kind::InvalidAttributeName, message));
        }
        let is_asked = |name: &str| asked.iter().any(|asked| asked == "All" || asked == name);
        let selected = attributes.into_iter().filter(|(name, _)| is_asked(name));
        Ok(json!({"Attributes": selected.collect::<Map<_, _>>()}).into())
    }

    pub(super) fn get_queue_url(&self, body: &[u8]) -> Result<Response, Fault> {
        let request: GetQueueUrl = parse(body)?;
        self.declared(&request.queue_name)?;
        Ok(json!({"QueueUrl": self.url(&request.queue_name)}).into())
    }

    pub(super) fn list_queues(&self, body: &[u8]) -> Result<Response, Fault> {
        let request: ListQueues = parse(body)?;
        let listed = self.iter().filter(|queue| queue.name.starts_with(&request.queue_name_prefix));
        let urls: Vec<_> = listed.map(|queue| self.url(&queue.name)).collect();
        Ok(json!({"QueueUrls": urls}).into())
    }

    /// The task has ended when the call is answered.
    pub(super) async fn start_message_move_task(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: StartMessageMoveTask = parse(body)?;
        let from = arn_name(&request.source_arn);
        let to = request.destination_arn.as_deref().map(arn_name);
        let moved = self.redrive(from, to, usize::MAX, now).await;
        moved.map_err(|error| match error {
            Error::QueueDoesNotExist(_) => Fault::new(Kind::ResourceNotFound, error.to_string()),
            error => error.into(),
        })?;
        Ok(json!({"TaskHandle": format!("{from}.{}", now.as_millisecond())}).into())
    }
}

const REDRIVE_POLICY: &str = "RedrivePolicy";

/// Returns all attributes of a queue: numbers as text, as in SQS.
fn attributes(queue: &Queue, depth: Depth) -> Map<String, Value> {
    let mut attributes: Map<_, _> = [
        ("ApproximateNumberOfMessages", depth.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", depth.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
        ("DelaySeconds", queue.delay_s.to_string()),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
        ("MessageRetentionPeriod", queue.retention_s.to_string()),
        ("QueueArn", arn(&queue.name)),
        ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ("VisibilityTimeout", queue.visibility_timeout_s.to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    if let Some(policy) = &queue.redrive {
        let policy = json!({
            "deadLetterTargetArn": arn(&policy.dead_letter_queue),
            "maxReceiveCount": policy.max_receive_count,
        });
        attributes.insert(REDRIVE_POLICY.to_owned(), policy.to_string().into());
    }
    attributes
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}")
}

/// Returns the name of the queue with this ARN.
fn arn_name(arn: &str) -> &str {
    arn.rsplit_once(':').map_or(arn, |(_, name)| name)
}
