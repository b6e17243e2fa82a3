use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Error, MessageAttributes, Millis, Receipt,
    queue::{DELAY, MAX_MESSAGE_BYTES},
};

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMessage {
    pub(super) body: String,
    pub(super) attributes: MessageAttributes,
    /// The queue's delay if it is absent.
    pub(super) delay_s: Option<u32>,
}

impl OutgoingMessage {
    /// Makes a message that waits for the delay of its queue. Its body must have 1 byte to 1 MiB,
    /// of characters that XML allows.
    pub fn new(body: impl Into<String>) -> Result<Self, Error> {
        let body = body.into();
        if body.is_empty() {
            return Err(Error::invalid("MessageBody", "must not be empty"));
        }
        if let Some(refused) = body.chars().find(|c| !is_allowed(*c)) {
            return Err(Error::InvalidMessageContents(refused));
        }
        Self { body, attributes: MessageAttributes::default(), delay_s: None }.with_allowed_size()
    }

    /// Sets the delay of its first delivery, in seconds: at most 15 minutes.
    pub fn with_delay(self, delay_s: u32) -> Result<Self, Error> {
        Ok(Self { delay_s: Some(DELAY.check(delay_s)?), ..self })
    }

    /// Sets its attributes, whose size counts as that of the body.
    pub fn with_attributes(self, attributes: MessageAttributes) -> Result<Self, Error> {
        attributes.check()?;
        Self { attributes, ..self }.with_allowed_size()
    }

    /// Returns the number of bytes of the body and the attributes.
    pub(super) fn size(&self) -> usize {
        self.body.len() + self.attributes.size()
    }

    fn with_allowed_size(self) -> Result<Self, Error> {
        if self.size() > MAX_MESSAGE_BYTES {
            let reason = format!("must have at most {MAX_MESSAGE_BYTES} bytes with its attributes");
            return Err(Error::invalid("MessageBody", reason));
        }
        Ok(self)
    }
}

/// Returns whether SQS delivers this character: the characters of XML 1.0.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// A message, as delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id, the same in each delivery.
    pub id: MessageId,
    /// This delivery.
    pub receipt: Receipt,
    /// Its content.
    pub body: String,
    /// What its sender said about it.
    pub attributes: MessageAttributes,
    /// Number of deliveries including this one, from 1. A dead letter keeps the number.
    pub receive_count: u32,
    /// When it was sent. A dead letter keeps the time.
    pub sent_at: Timestamp,
    /// When it was delivered for the first time.
    pub first_received_at: Timestamp,
}

/// Identifies a message in the logs of its sender and its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(Uuid);

impl MessageId {
    /// Makes the id of the message in this row. The time distinguishes messages of different
    /// stores.
    pub(super) fn new(row: i64, sent_at: Millis) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&sent_at.to_be_bytes()[2..]);
        bytes[8..].copy_from_slice(&row.to_be_bytes());
        Self(Uuid::new_v8(bytes))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
