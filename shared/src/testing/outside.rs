//! What the queue, the stream and the parameters are to a process of a test: enough of SQS, Kinesis and Systems Manager for the
//! SDK's real clients, behind the same wire as the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::uniques::MinuteCount;

/// The services of one [`Cloud`](super::Cloud). Cloning it clones a pointer.
#[derive(Debug, Clone, Default)]
pub struct Outside(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sent: Vec<String>,
    postponed: Vec<(String, u64)>,
    streamed: Vec<(String, MinuteCount)>,
    parameters: HashMap<String, String>,
    turned_away: usize,
}

impl Outside {
    /// The messages that were sent since this was asked last, in the order of their arrival.
    #[must_use]
    pub fn take_messages(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().sent)
    }

    /// The next so many messages are turned away, though the calls that send them succeed.
    pub fn turn_away(&self, messages: usize) {
        self.lock().turned_away = messages;
    }

    /// The receipts of messages that were hidden, and for how many seconds.
    #[must_use]
    pub fn postponed(&self) -> Vec<(String, u64)> {
        self.lock().postponed.clone()
    }

    /// The records of the stream: partition key and content.
    #[must_use]
    pub fn streamed(&self) -> Vec<(String, MinuteCount)> {
        self.lock().streamed.clone()
    }

    /// Stores a parameter.
    pub fn set_parameter(&self, name: &str, value: &str) {
        self.lock().parameters.insert(name.to_owned(), value.to_owned());
    }

    /// The status and the body of an answer; `None`: it is the store that is asked.
    pub(super) fn answer(&self, operation: &str, request: &Value) -> Option<(u16, Value)> {
        let mut state = self.lock();
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Some((
            200,
            match operation {
                "SendMessageBatch" => {
                    let entries = request["Entries"].as_array().expect("entries");
                    assert!((1..=10).contains(&entries.len()), "a batch of {}", entries.len());
                    let turned_away = state.turned_away.min(entries.len());
                    state.turned_away -= turned_away;
                    let (failed, taken) = entries.split_at(turned_away);
                    state.sent.extend(taken.iter().map(|entry| said(&entry["MessageBody"])));
                    let taken =
                        taken.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
                    let failed = failed
                        .iter()
                        .map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}));
                    json!({"Successful": taken.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>()})
                }
                "ChangeMessageVisibility" => {
                    let seconds = request["VisibilityTimeout"].as_u64().expect("seconds");
                    state.postponed.push((said(&request["ReceiptHandle"]), seconds));
                    json!({})
                }
                "PutRecord" => {
                    let data = STANDARD.decode(said(&request["Data"])).expect("base64");
                    let count = serde_json::from_slice(&data).expect("a count");
                    state.streamed.push((said(&request["PartitionKey"]), count));
                    json!({"ShardId": "shardId-000000000000", "SequenceNumber": state.streamed.len().to_string()})
                }
                "GetParameter" => match state.parameters.get(&said(&request["Name"])) {
                    Some(value) => json!({"Parameter": {"Name": request["Name"], "Value": value}}),
                    None => return Some((400, json!({"__type": "ParameterNotFound", "message": "as planned"}))),
                },
                _ => return None,
            },
        ))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
