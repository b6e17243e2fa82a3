//! `ReceiveMessage`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{LongPoll, Response, digest, fault::Fault, parse, queue_name};
use crate::queues::{
    Error, Message, Queues, ReceiveOptions,
    queue::{MAX_MESSAGES, VISIBILITY_TIMEOUT, WAIT_TIME},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// The older name of `message_system_attribute_names`.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

/// The attributes that this queue sets itself.
const SYSTEM_ATTRIBUTES: [&str; 3] =
    ["ApproximateReceiveCount", "SentTimestamp", "ApproximateFirstReceiveTimestamp"];

impl Queues {
    pub(super) async fn receive_message(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: ReceiveMessage = parse(body)?;
        let queue = queue_name(&request.queue_url);
        let system_attributes = request.system_attributes()?;
        let wait_s = WAIT_TIME.check(request.wait_time_seconds.unwrap_or(0))?;
        let messages = self.receive(queue, request.options()?, now).await?;
        if messages.is_empty() {
            let long_poll = (wait_s > 0).then(|| LongPoll { queue: queue.to_owned(), wait_s });
            return Ok(Response { long_poll, ..json!({}).into() });
        }
        let attributes = &request.message_attribute_names;
        let messages =
            messages.iter().map(|message| delivered(message, &system_attributes, attributes));
        Ok(json!({"Messages": messages.collect::<Vec<_>>()}).into())
    }
}

impl ReceiveMessage {
    fn options(&self) -> Result<ReceiveOptions, Error> {
        let max_messages = MAX_MESSAGES.check(self.max_number_of_messages.unwrap_or(1))?;
        let options = ReceiveOptions::new(max_messages)?;
        match self.visibility_timeout {
            Some(timeout_s) => {
                options.with_visibility_timeout(VISIBILITY_TIMEOUT.check(timeout_s)?)
            }
            None => Ok(options),
        }
    }

    fn system_attributes(&self) -> Result<Vec<&'static str>, Error> {
        let mut selected = Vec::new();
        for name in self.attribute_names.iter().chain(&self.message_system_attribute_names) {
            match SYSTEM_ATTRIBUTES.iter().find(|attribute| *attribute == name) {
                Some(attribute) => selected.push(*attribute),
                None if name == "All" => selected.extend(SYSTEM_ATTRIBUTES),
                None => {
                    let reason = format!("`{name}` is not supported");
                    return Err(Error::invalid("MessageSystemAttributeNames", reason));
                }
            }
        }
        Ok(selected)
    }
}

fn delivered(message: &Message, system_attributes: &[&str], attributes: &[String]) -> Value {
    let system_attributes = system_attributes.iter().map(|name| {
        let value = match *name {
            "ApproximateReceiveCount" => message.receive_count.to_string(),
            "SentTimestamp" => message.sent_at.as_millisecond().to_string(),
            _ => message.first_received_at.as_millisecond().to_string(),
        };
        ((*name).to_owned(), Value::from(value))
    });
    let system_attributes: Map<_, _> = system_attributes.collect();
    let mut delivered = json!({
        "MessageId": message.id.to_string(),
        "ReceiptHandle": message.receipt.to_string(),
        "Body": message.body,
        "MD5OfBody": digest::of_body(&message.body),
    });
    if !system_attributes.is_empty() {
        delivered["Attributes"] = system_attributes.into();
    }
    let attributes = message.attributes.selected(attributes);
    if let Some(digest) = digest::of_attributes(&attributes) {
        delivered["MD5OfMessageAttributes"] = digest.into();
        delivered["MessageAttributes"] = json!(attributes);
    }
    delivered
}
