//! `SendMessage` and `SendMessageBatch`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Response, batch, digest,
    fault::{Fault, Kind},
    parse, queue_name,
};
use crate::queues::{
    Error, MessageAttributes, MessageId, OutgoingMessage, Queues,
    queue::{DELAY, MAX_MESSAGE_BYTES},
};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessage {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: MessageAttributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: MessageAttributes,
}

impl Queues {
    pub(super) async fn send_message(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: SendMessage = parse(body)?;
        let message =
            outgoing(request.message_body, request.delay_seconds, request.message_attributes)?;
        let digests = digests(&message);
        let ids = self.send(queue_name(&request.queue_url), vec![message], now).await?;
        Ok(sent(digests, ids.first()).into())
    }

    pub(super) async fn send_message_batch(
        &self,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Response, Fault> {
        let request: SendMessageBatch = parse(body)?;
        let queue = queue_name(&request.queue_url);
        self.declared(queue)?;
        batch::check(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let sizes = request.entries.iter().map(Entry::size);
        if sizes.sum::<usize>() > MAX_MESSAGE_BYTES {
            let message = format!("Entries: must have at most {MAX_MESSAGE_BYTES} bytes together");
            return Err(Fault::new(Kind::BatchRequestTooLong, message));
        }
        let mut results = batch::Results::default();
        let (mut entries, mut messages) = (Vec::new(), Vec::new());
        for Entry { id, message_body, delay_seconds, message_attributes } in request.entries {
            match outgoing(message_body, delay_seconds, message_attributes) {
                Ok(message) => {
                    entries.push((id, digests(&message)));
                    messages.push(message);
                }
                Err(error) => results.fail(&id, &error.into()),
            }
        }
        let ids = self.send(queue, messages, now).await?;
        for ((id, mut digests), message) in entries.into_iter().zip(&ids) {
            digests.insert("Id".to_owned(), id.into());
            results.succeed(sent(digests, Some(message)));
        }
        Ok(results.into())
    }
}

impl Entry {
    fn size(&self) -> usize {
        self.message_body.len() + self.message_attributes.size()
    }
}

fn outgoing(
    body: String,
    delay_s: Option<i64>,
    attributes: MessageAttributes,
) -> Result<OutgoingMessage, Error> {
    let message = OutgoingMessage::new(body)?.with_attributes(attributes)?;
    match delay_s {
        Some(delay_s) => message.with_delay(DELAY.check(delay_s)?),
        None => Ok(message),
    }
}

fn digests(message: &OutgoingMessage) -> Map<String, Value> {
    let mut digests = Map::new();
    digests.insert("MD5OfMessageBody".to_owned(), digest::of_body(&message.body).into());
    if let Some(digest) = digest::of_attributes(&message.attributes) {
        digests.insert("MD5OfMessageAttributes".to_owned(), digest.into());
    }
    digests
}

fn sent(mut response: Map<String, Value>, id: Option<&MessageId>) -> Value {
    response.insert("MessageId".to_owned(), json!(id.map(MessageId::to_string)));
    Value::Object(response)
}
