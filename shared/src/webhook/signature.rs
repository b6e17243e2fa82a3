//! Signatures of webhooks: HMAC-SHA256 of id, timestamp and body, according to [Standard Webhooks].
//!
//! [Standard Webhooks]:
//! https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

use std::{fmt, str::FromStr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{secret::Secret, time::Timestamp};

/// The largest difference between the clocks of sender and receiver.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The id of a message: 1 to 64 of `A-Z a-z 0-9 _ -`, shared by all attempts to deliver it.
///
/// It contains no dot, since dots separate the signed parts: with one, a signature would also be
/// valid for another id, timestamp and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

/// A text that is not a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, '_' and '-'")]
pub struct InvalidMessageId;

impl TryFrom<String> for MessageId {
    type Error = InvalidMessageId;

    fn try_from(id: String) -> Result<Self, InvalidMessageId> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&id.len()) && id.bytes().all(is_allowed) {
            Ok(Self(id))
        } else {
            Err(InvalidMessageId)
        }
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.0
    }
}

impl From<uuid::Uuid> for MessageId {
    fn from(id: uuid::Uuid) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One or more secrets. All of them sign, and any of them verifies, so that a secret can be
/// replaced without interruption: first use both, then the new one alone once every receiver has
/// it.
#[derive(Clone)]
pub struct Secrets(Vec<Hmac<Sha256>>);

/// Why a text is not a list of secrets. The messages do not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecrets {
    /// The text contains no secret.
    #[error("contains no secret")]
    None,
    /// A secret is not base64.
    #[error("secret {position}: must be base64, alone or after whsec_")]
    Malformed {
        /// Position in the list, from 1.
        position: usize,
    },
    /// A secret is shorter than is safe, or longer than the standard allows.
    #[error("secret {position}: must be 24 to 64 bytes, not {length}")]
    Length {
        /// Position in the list, from 1.
        position: usize,
        /// Length in bytes, after decoding.
        length: usize,
    },
}

impl FromStr for Secrets {
    type Err = InvalidSecrets;

    /// Parses secrets, each base64 of 24 to 64 bytes, alone or after `whsec_`, separated by commas
    /// or whitespace.
    fn from_str(text: &str) -> Result<Self, InvalidSecrets> {
        let parts = text
            .split(|character: char| character == ',' || character.is_whitespace())
            .filter(|part| !part.is_empty());
        let keys = (1..)
            .zip(parts)
            .map(|(position, part)| key(position, part))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(InvalidSecrets::None) } else { Ok(Self(keys)) }
    }
}

impl Secret for Secrets {
    type Invalid = InvalidSecrets;

    /// One version holds all secrets, also during a rotation.
    const HAS_PREVIOUS: bool = false;

    fn parse(current: &str, _previous: Option<&str>) -> Result<Self, InvalidSecrets> {
        current.parse()
    }
}

fn key(position: usize, text: &str) -> Result<Hmac<Sha256>, InvalidSecrets> {
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
    let bytes = bytes.map_err(|_| InvalidSecrets::Malformed { position })?;
    if !(24..=64).contains(&bytes.len()) {
        return Err(InvalidSecrets::Length { position, length: bytes.len() });
    }
    Ok(Hmac::new_from_slice(&bytes).expect("HMAC accepts keys of any length"))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The headers that authenticate a message.
#[derive(Debug, Clone, Copy)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id`
    pub id: &'a MessageId,
    /// `webhook-timestamp`: time of the attempt, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: `v1,<base64>`, or several of them separated by spaces.
    pub signature: &'a str,
}

/// Why a message is not authentic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// The timestamp is not a number of seconds, or more than 5 minutes from now: a possible
    /// replay.
    #[error("the timestamp must be within 5 minutes of now")]
    Timestamp,
    /// None of the signatures matches any of the secrets.
    #[error("no signature matches")]
    Signature,
}

impl Secrets {
    /// Returns the header `webhook-signature` of an attempt: one signature for each secret.
    #[must_use]
    pub fn sign(&self, id: &MessageId, timestamp: &str, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|key| {
            let code = authenticate(key, id, timestamp, body).finalize().into_bytes();
            format!("v1,{}", STANDARD.encode(code))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// Verifies that a holder of a secret sent the message within 5 minutes of now. Signatures are
    /// compared in constant time.
    pub fn verify(
        &self,
        headers: SignatureHeaders<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), InvalidSignature> {
        let seconds: i64 = headers.timestamp.parse().map_err(|_| InvalidSignature::Timestamp)?;
        if seconds.abs_diff(now.as_millis().div_euclid(1_000)) > TOLERANCE.as_secs() {
            return Err(InvalidSignature::Timestamp);
        }
        let codes = headers
            .signature
            .split(' ')
            .filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok());
        let is_authentic = codes.into_iter().any(|code| {
            self.0.iter().any(|key| {
                authenticate(key, headers.id, headers.timestamp, body).verify_slice(&code).is_ok()
            })
        });
        if is_authentic { Ok(()) } else { Err(InvalidSignature::Signature) }
    }
}

/// Computes the HMAC of `{id}.{timestamp}.{body}`.
fn authenticate(key: &Hmac<Sha256>, id: &MessageId, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let head = format!("{id}.{timestamp}.");
    key.clone().chain_update(head).chain_update(body)
}

#[cfg(test)]
mod tests;
