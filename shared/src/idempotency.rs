//! Idempotency keys: the caller's name for a request, so that a repeat has no further effect.

use sha2::{Digest, Sha256};
use uuid::{NoContext, Uuid};

use crate::{digest, time::Timestamp};

/// An idempotency key: 1 to 255 visible ASCII characters, chosen by the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// A text that is not an idempotency key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidKey;

impl TryFrom<&[u8]> for IdempotencyKey {
    type Error = InvalidKey;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidKey> {
        let is_valid = (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
        is_valid.then(|| Self(String::from_utf8_lossy(bytes).into_owned())).ok_or(InvalidKey)
    }
}

/// Returns the id of the resource that a request creates. With a key it is the same for every
/// repeat of the request within its `scope` (buyer, product, …); without one it is new, and begins
/// with the time.
#[must_use]
pub fn request_id(scope: &str, key: Option<&IdempotencyKey>, now: Timestamp) -> Uuid {
    let Some(IdempotencyKey(key)) = key else {
        let seconds = u64::try_from(now.as_millis() / 1_000).unwrap_or_default();
        let nanos =
            u32::try_from(now.as_millis().rem_euclid(1_000)).unwrap_or_default() * 1_000_000;
        return Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos));
    };
    // The length distinguishes ("a", "bc") from ("ab", "c").
    digest::uuid(
        Sha256::new().chain_update(scope.len().to_be_bytes()).chain_update(scope).chain_update(key),
    )
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
