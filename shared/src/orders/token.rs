//! The own tokens of orders: who placed an order may look at it and cancel it.
//!
//! A token is the HMAC-SHA256 of the order's id under a secret of the deployment, so none is
//! stored: an order has the same one whenever its request is repeated. After a rotation of the
//! secret, orders get new tokens, and those of the version before remain valid until the next one.
//!
//! A token is compared in constant time and before the order is read. So a caller without a valid
//! one learns nothing about which orders exist.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha2::Sha256;
use uuid::Uuid;

use crate::{
    aws::{Aws, ServiceError},
    secret::{Secret, SecretError, SecretSource},
    time::Timestamp,
};

/// The shortest secret, in bytes: the length of an HMAC-SHA256.
const MIN_SECRET_BYTES: usize = 32;

/// How old a secret may be that a token does not match: it may have been rotated since.
const MAX_AGE_OF_MISMATCH: Duration = Duration::from_secs(10);

/// The own token of an order: URL-safe base64, 43 characters.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OrderToken(String);

impl fmt::Debug for OrderToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A log must not have it.
        f.write_str("OrderToken")
    }
}

impl From<OrderToken> for String {
    fn from(token: OrderToken) -> Self {
        token.0
    }
}

/// What signs and verifies the tokens: the current secret and the one before.
pub struct TokenKeys {
    current: Hmac<Sha256>,
    previous: Option<Hmac<Sha256>>,
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKeys")
    }
}

/// A text that is not a secret for tokens. The message does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at least {MIN_SECRET_BYTES} characters")]
pub struct InvalidTokenSecret;

impl Secret for TokenKeys {
    type Invalid = InvalidTokenSecret;
    const HAS_PREVIOUS: bool = true;

    fn parse(current: &str, previous: Option<&str>) -> Result<Self, InvalidTokenSecret> {
        // A previous secret that is invalid has signed nothing.
        Ok(Self { current: key(current)?, previous: previous.and_then(|text| key(text).ok()) })
    }
}

fn key(secret: &str) -> Result<Hmac<Sha256>, InvalidTokenSecret> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(InvalidTokenSecret);
    }
    Ok(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC accepts keys of any length"))
}

impl TokenKeys {
    /// Returns the token of an order.
    #[must_use]
    pub fn sign(&self, order: Uuid) -> OrderToken {
        let code = authenticate(&self.current, order).finalize().into_bytes();
        OrderToken(URL_SAFE_NO_PAD.encode(code))
    }

    /// Returns whether a text is the token of an order.
    fn verify(&self, order: Uuid, token: &str) -> bool {
        let Ok(code) = URL_SAFE_NO_PAD.decode(token) else { return false };
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .any(|key| authenticate(key, order).verify_slice(&code).is_ok())
    }
}

fn authenticate(key: &Hmac<Sha256>, order: Uuid) -> Hmac<Sha256> {
    key.clone().chain_update(order.to_string())
}

/// The tokens of all orders.
#[derive(Debug)]
pub struct OrderTokens {
    source: SecretSource<TokenKeys>,
}

impl OrderTokens {
    /// Makes the tokens of a secret of Secrets Manager, by its name or ARN.
    #[must_use]
    pub fn new(aws: &Aws, secret_id: &str) -> Self {
        Self { source: SecretSource::new(aws.secrets_manager(), secret_id) }
    }

    /// Reads the secret, so that the first request does not wait for it.
    ///
    /// # Errors
    /// There is no secret.
    pub async fn warm(&self, now: Timestamp) -> Result<(), ServiceError> {
        self.source.get(now).await.map(drop).map_err(ServiceError::permanent)
    }

    /// Returns what signs tokens.
    ///
    /// # Errors
    /// There is no secret.
    pub async fn keys(&self, now: Timestamp) -> Result<Arc<TokenKeys>, SecretError> {
        self.source.get(now).await
    }

    /// Returns whether a text is the token of an order. Whether the order exists is not asked.
    ///
    /// # Errors
    /// There is no secret.
    pub async fn verify(
        &self,
        order: Uuid,
        token: &str,
        now: Timestamp,
    ) -> Result<bool, SecretError> {
        if self.source.get(now).await?.verify(order, token) {
            return Ok(true);
        }
        Ok(self.source.get_within(MAX_AGE_OF_MISMATCH, now).await?.verify(order, token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Cloud, ORDER_SECRET};

    const ORDER: Uuid = Uuid::from_u128(7);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_216_800_000 + seconds * 1_000)
    }

    fn keys(current: &str, previous: Option<&str>) -> TokenKeys {
        TokenKeys::parse(current, previous).expect("secrets")
    }

    #[test]
    fn a_token_is_the_hmac_of_the_id_under_the_secret() {
        let token = keys(ORDER_SECRET, None).sign(ORDER);
        // Tokens that callers have depend on this.
        let expected = "ZFYnMo-Yjnrp6QYYia7Txy7IbgofsGSj9nr7HkWV3cY";
        assert_eq!(String::from(token.clone()), expected);
        assert_eq!(format!("{token:?}"), "OrderToken", "a log does not have it");
    }

    #[test]
    fn a_token_is_valid_for_its_order_and_nothing_else() {
        let (own, other) = (keys(ORDER_SECRET, None), keys(&"x".repeat(32), None));
        let token: String = own.sign(ORDER).into();
        assert!(own.verify(ORDER, &token));
        assert!(!own.verify(Uuid::from_u128(8), &token));
        assert!(!other.verify(ORDER, &token));
        let mut tampered = token.clone();
        tampered.replace_range(..1, if token.starts_with('A') { "B" } else { "A" });
        for text in ["", &token[1..], &format!("{token}="), &format!(" {token}"), &tampered] {
            assert!(!own.verify(ORDER, text), "{text:?}");
        }
    }

    #[test]
    fn tokens_of_the_version_before_are_valid_and_those_of_older_ones_are_not() {
        let versions = ["a", "b", "c"].map(|letter| letter.repeat(32));
        let [first, second, _] = versions.each_ref().map(|text| keys(text, None).sign(ORDER).0);
        let now = keys(&versions[2], Some(&versions[1]));
        assert!(now.verify(ORDER, &second));
        assert!(!now.verify(ORDER, &first));
    }

    #[test]
    fn a_short_secret_is_refused_and_an_invalid_previous_one_has_no_tokens() {
        assert_eq!(TokenKeys::parse(&"x".repeat(31), None).err(), Some(InvalidTokenSecret));
        assert!(keys(ORDER_SECRET, Some("short")).previous.is_none());
    }

    #[tokio::test]
    async fn a_rotation_is_noticed_at_the_first_token_that_does_not_match() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let tokens = instance.app.order_tokens();
        let before = tokens.keys(at(0)).await.expect("a secret").sign(ORDER);
        let rotated = "r".repeat(32);
        let after = keys(&rotated, None).sign(ORDER);
        cloud.services().rotate_order_secret(&rotated);

        assert!(!tokens.verify(ORDER, &after.0, at(9)).await.expect("a secret"), "too early");
        assert!(tokens.verify(ORDER, &after.0, at(10)).await.expect("a secret"));
        assert!(tokens.verify(ORDER, &before.0, at(10)).await.expect("a secret"));
        drop(instance.transport.take_calls());
        for wrong in 0..100 {
            assert!(!tokens.verify(ORDER, "wrong", at(11 + wrong / 20)).await.expect("a secret"));
        }
        assert!(instance.transport.take_calls().is_empty(), "wrong tokens cost no calls");
    }
}
