use std::{fmt, str::FromStr};

use super::Error;

/// A delivery of a message: what its receiver deletes or hides the message with. Its text is the
/// receipt handle, different for each delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The name of the queue.
    pub(super) queue: String,
    /// The row of the message.
    pub(super) message: i64,
    /// The number of deliveries of the message, this one included.
    pub(super) delivery: u32,
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.queue, self.message, self.delivery)
    }
}

impl FromStr for Receipt {
    type Err = Error;

    fn from_str(handle: &str) -> Result<Self, Error> {
        let parse = || {
            let mut parts = handle.split('.');
            let receipt = Self {
                queue: parts.next()?.to_owned(),
                message: parts.next()?.parse().ok()?,
                delivery: parts.next()?.parse().ok()?,
            };
            parts.next().is_none().then_some(receipt)
        };
        parse().ok_or_else(|| Error::InvalidReceiptHandle(handle.to_owned()))
    }
}
