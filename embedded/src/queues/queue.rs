//! Declarations of queues.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

use super::{Error, Millis};

/// The account in the URLs and ARNs of queues.
pub(super) const ACCOUNT: &str = "000000000000";

/// The largest message with its attributes, and the largest batch, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 1 << 20;

/// A range of seconds or of another number that SQS allows.
pub(super) struct Limit {
    /// The parameter, as SQS names it.
    parameter: &'static str,
    range: RangeInclusive<u32>,
}

pub(super) const VISIBILITY_TIMEOUT: Limit =
    Limit { parameter: "VisibilityTimeout", range: 0..=43_200 };
pub(super) const DELAY: Limit = Limit { parameter: "DelaySeconds", range: 0..=900 };
pub(super) const WAIT_TIME: Limit = Limit { parameter: "WaitTimeSeconds", range: 0..=20 };
pub(super) const MAX_MESSAGES: Limit = Limit { parameter: "MaxNumberOfMessages", range: 1..=10 };
const RETENTION: Limit = Limit { parameter: "MessageRetentionPeriod", range: 60..=1_209_600 };
const MAX_RECEIVE_COUNT: Limit = Limit { parameter: "maxReceiveCount", range: 1..=1_000 };

impl Limit {
    pub(super) const fn max(&self) -> u32 {
        *self.range.end()
    }

    /// Returns the value if it is in the range.
    pub(super) fn check(&self, value: impl TryInto<u32>) -> Result<u32, Error> {
        value.try_into().ok().filter(|value| self.range.contains(value)).ok_or_else(|| {
            let (min, max) = (self.range.start(), self.range.end());
            Error::invalid(self.parameter, format!("must be between {min} and {max}"))
        })
    }
}

/// A standard queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name: 1 to 80 letters, digits, hyphens and underscores.
    pub name: String,
    /// How long a delivery hides a message, in seconds: at most 12 hours.
    pub visibility_timeout_s: u32,
    /// How long a new message waits for its first delivery, in seconds: at most 15 minutes.
    pub delay_s: u32,
    /// How long a message is kept since it was sent, in seconds: 1 minute to 14 days. A message in
    /// a dead-letter queue counts from when it was first sent.
    pub retention_s: u32,
    /// What becomes of messages that are received again and again.
    pub redrive: Option<RedrivePolicy>,
}

/// When a message moves to a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedrivePolicy {
    /// The name of the dead-letter queue, which has no redrive policy itself.
    pub dead_letter_queue: String,
    /// The number of times that a message is delivered before it moves: 1 to 1 000.
    pub max_receive_count: u32,
}

impl Queue {
    /// Makes a queue with SQS's defaults: visibility timeout 30 s, no delay, retention 4 days.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            visibility_timeout_s: 30,
            delay_s: 0,
            retention_s: 345_600,
            redrive: None,
        }
    }

    /// Returns the time at and before which a message must have been sent to be expired.
    pub(super) fn expired_at(&self, now: Millis) -> Millis {
        now.saturating_sub(milliseconds(self.retention_s))
    }

    pub(super) fn dead_letter_queue(&self) -> Option<&str> {
        self.redrive.as_ref().map(|policy| policy.dead_letter_queue.as_str())
    }
}

/// A declaration that SQS, or this module, does not allow.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("queue `{queue}`: {reason}")]
pub struct DeclarationError {
    queue: String,
    reason: String,
}

/// Checks that the queues have different names, allowed settings, and dead-letter queues among
/// them.
pub(super) fn check(queues: &[Queue]) -> Result<(), DeclarationError> {
    let mut by_name = BTreeMap::new();
    for queue in queues {
        if by_name.insert(queue.name.as_str(), queue).is_some() {
            return Err(queue.refused("is declared twice"));
        }
    }
    for queue in queues {
        queue.check_settings()?;
        let Some(name) = queue.dead_letter_queue() else { continue };
        match by_name.get(name) {
            None => return Err(queue.refused(format!("dead-letter queue `{name}` is missing"))),
            Some(target) if target.redrive.is_some() => {
                let reason = format!("dead-letter queue `{name}` must have no redrive policy");
                return Err(queue.refused(reason));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl Queue {
    fn check_settings(&self) -> Result<(), DeclarationError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(1..=80).contains(&self.name.len()) || !self.name.chars().all(allowed) {
            return Err(self.refused("a name is 1 to 80 letters, digits, hyphens and underscores"));
        }
        let settings = [
            (VISIBILITY_TIMEOUT, Some(self.visibility_timeout_s)),
            (DELAY, Some(self.delay_s)),
            (RETENTION, Some(self.retention_s)),
            (MAX_RECEIVE_COUNT, self.redrive.as_ref().map(|policy| policy.max_receive_count)),
        ];
        for (limit, value) in settings {
            value.map_or(Ok(0), |value| limit.check(value)).map_err(|error| self.refused(error))?;
        }
        Ok(())
    }

    fn refused(&self, reason: impl fmt::Display) -> DeclarationError {
        DeclarationError { queue: self.name.clone(), reason: reason.to_string() }
    }
}

/// Converts seconds to milliseconds.
pub(super) fn milliseconds(seconds: u32) -> Millis {
    Millis::from(seconds) * 1_000
}
