//! Idempotency keys: the caller's name for a request, so that a repeat has no further effect.
//!
//! A key is one of its operation and its caller:
//!
//! | operation | scope of its keys |
//! |---|---|
//! | `POST /orders` with a token | all operators: another buyer is another body |
//! | `POST /orders` without one | the buyer, who is all that is known of the caller |
//! | `POST /products` | the merchant: merchants number their imports alike |
//! | `POST /products/{id}/restock` | the product |
//! | `POST /scheduler/jobs` | all operators |
//! | `POST /scheduler/jobs/{id}/run` | the job |
//!
//! A token is not part of a scope, so that a request can be repeated with the token that replaced
//! it.

use sha2::{Digest, Sha256};
use uuid::{NoContext, Uuid};

use crate::{access::Caller, digest, time::Timestamp};

/// An idempotency key: 1 to 255 visible ASCII characters, chosen by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    text: String,
    caller: Caller,
}

/// A text that is not an idempotency key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidKey;

impl TryFrom<&[u8]> for IdempotencyKey {
    type Error = InvalidKey;

    /// Makes the key of an anonymous caller.
    fn try_from(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let is_valid = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        let text = String::from_utf8_lossy(bytes).into_owned();
        is_valid.then_some(Self { text, caller: Caller::Anonymous }).ok_or(InvalidKey)
    }
}

impl IdempotencyKey {
    /// Returns the same key of this caller.
    #[must_use]
    pub fn of(self, caller: Caller) -> Self {
        Self { caller, ..self }
    }

    /// Returns whether an operator chose the key.
    #[must_use]
    pub fn is_of_operator(&self) -> bool {
        matches!(self.caller, Caller::Operator(_))
    }
}

/// Returns the id of the resource that a request creates. With a key it is the same for every
/// repeat of the request within its `scope`; without one it is new, and begins with the time.
#[must_use]
pub fn request_id(scope: &str, key: Option<&IdempotencyKey>, now: Timestamp) -> Uuid {
    let Some(IdempotencyKey { text, .. }) = key else {
        let seconds = u64::try_from(now.as_millis() / 1_000).unwrap_or_default();
        let nanos =
            u32::try_from(now.as_millis().rem_euclid(1_000)).unwrap_or_default() * 1_000_000;
        return Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos));
    };
    // The length distinguishes ("a", "bc") from ("ab", "c").
    let hash = Sha256::new().chain_update(scope.len().to_be_bytes()).chain_update(scope);
    digest::uuid(hash.chain_update(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        text.as_bytes().try_into().expect(text)
    }

    #[test]
    fn a_key_identifies_one_request_of_one_scope() {
        let (early, late) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
        let id = request_id("buyer", Some(&key("k")), early);
        assert_eq!(id, request_id("buyer", Some(&key("k")), late));
        assert_ne!(id, request_id("buyer", Some(&key("k2")), early));
        assert_ne!(id, request_id("buyerk", Some(&key("2")), early));
        // Stored data depends on this: with another derivation a retried order would be placed
        // again.
        assert_eq!(id.to_string(), "b1cf5ca9-dd21-814f-be40-1a88ff16985e");
    }

    #[test]
    fn without_a_key_every_request_is_new() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        assert_ne!(request_id("buyer", None, now), request_id("buyer", None, now));
    }

    #[test]
    fn a_key_is_short_visible_ascii() {
        assert!(IdempotencyKey::try_from("x".repeat(255).as_bytes()).is_ok());
        for invalid in ["", "a b", "ä", "a\n", &"x".repeat(256)] {
            assert_eq!(IdempotencyKey::try_from(invalid.as_bytes()), Err(InvalidKey), "{invalid}");
        }
    }
}
