//! MD5 digests, by which some SDKs check what was sent and received.

use std::fmt::Write;

use md5::{Digest, Md5};

use crate::queues::MessageAttributes;

/// Returns the digest of a body.
pub(super) fn of_body(body: &str) -> String {
    hexadecimal(body.as_bytes())
}

/// Returns the digest of a message's attributes, if it has any.
pub(super) fn of_attributes(attributes: &MessageAttributes) -> Option<String> {
    (!attributes.0.is_empty()).then(|| hexadecimal(&attributes.digested()))
}

fn hexadecimal(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
