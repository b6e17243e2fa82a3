//! How a receiver knows that a webhook is from here: HMAC-SHA256 of id, time and body, as
//! [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) has it.

use std::{fmt, str::FromStr, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::time::Timestamp;

/// How far the clocks of sender and receiver may be apart.
const TOLERANCE: Duration = Duration::from_mins(5);

/// What names a message: 1 to 64 of `A-Z a-z 0-9 _ -`. All attempts to deliver it share it.
///
/// It holds no dot, since dots part what is signed: with one, a signature could stand for another id, time and body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(String);

/// A text that cannot name a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 letters, digits, '_' and '-'")]
pub struct InvalidId;

impl TryFrom<String> for MessageId {
    type Error = InvalidId;

    fn try_from(id: String) -> Result<Self, InvalidId> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (1..=64).contains(&id.len()) && id.bytes().all(fits) {
            Ok(Self(id))
        } else {
            Err(InvalidId)
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

/// One or more secrets. All of them sign and any of them verifies, so that a secret is replaced without a gap: first both,
/// and the new one alone once every receiver knows it.
#[derive(Clone)]
pub struct Secrets(Vec<Hmac<Sha256>>);

/// What makes a text unfit to be secrets. The messages do not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecrets {
    /// There is none in it.
    #[error("holds no secret")]
    None,
    /// Does not begin with `whsec_`, or is not base64.
    #[error("secret {position} is not whsec_ and base64")]
    Malformed {
        /// Counted from 1.
        position: usize,
    },
    /// Shorter than is safe, or longer than the standard allows.
    #[error("secret {position} is of {length} bytes, not of 24 to 64")]
    Length {
        /// Counted from 1.
        position: usize,
        /// In bytes, without base64.
        length: usize,
    },
}

impl FromStr for Secrets {
    type Err = InvalidSecrets;

    /// `whsec_` and base64 of 24 to 64 bytes; several are parted by commas or white space.
    fn from_str(text: &str) -> Result<Self, InvalidSecrets> {
        let parts = text
            .split(|mark: char| mark == ',' || mark.is_whitespace())
            .filter(|part| !part.is_empty());
        let keys = (1..)
            .zip(parts)
            .map(|(position, part)| key(position, part))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(InvalidSecrets::None) } else { Ok(Self(keys)) }
    }
}

fn key(position: usize, text: &str) -> Result<Hmac<Sha256>, InvalidSecrets> {
    let bytes = text.strip_prefix("whsec_").and_then(|base64| STANDARD.decode(base64).ok());
    let bytes = bytes.ok_or(InvalidSecrets::Malformed { position })?;
    if !(24..=64).contains(&bytes.len()) {
        return Err(InvalidSecrets::Length { position, length: bytes.len() });
    }
    Ok(Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length"))
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// The values of the headers that prove a message.
#[derive(Debug, Clone, Copy)]
pub struct SignatureHeaders<'a> {
    /// `webhook-id`
    pub id: &'a MessageId,
    /// `webhook-timestamp`: when this attempt was made, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: `v1,<base64>`, several parted by spaces.
    pub signature: &'a str,
}

/// Why a message is not taken for one of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSignature {
    /// Not a number of seconds, or more than 5 minutes from now: perhaps an old message, sent again by someone else.
    #[error("the timestamp is not within 5 minutes of now")]
    Timestamp,
    /// None of the signatures is by any of the secrets.
    #[error("no signature fits")]
    Signature,
}

impl Secrets {
    /// The header `webhook-signature` of this attempt: one signature by each secret.
    #[must_use]
    pub fn sign(&self, id: &MessageId, timestamp: &str, body: &[u8]) -> String {
        let signatures = self.0.iter().map(|key| {
            let code = authenticate(key, id, timestamp, body).finalize().into_bytes();
            format!("v1,{}", STANDARD.encode(code))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// The message is one that a holder of a secret sent within 5 minutes of now.
    ///
    /// It takes the same time wherever a signature is wrong.
    pub fn verify(
        &self,
        signed: SignatureHeaders<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), InvalidSignature> {
        let seconds: i64 = signed.timestamp.parse().map_err(|_| InvalidSignature::Timestamp)?;
        if seconds.abs_diff(now.as_millis().div_euclid(1_000)) > TOLERANCE.as_secs() {
            return Err(InvalidSignature::Timestamp);
        }
        let codes = signed
            .signature
            .split(' ')
            .filter_map(|part| STANDARD.decode(part.strip_prefix("v1,")?).ok());
        let genuine = codes.into_iter().any(|code| {
            self.0.iter().any(|key| {
                authenticate(key, signed.id, signed.timestamp, body).verify_slice(&code).is_ok()
            })
        });
        if genuine { Ok(()) } else { Err(InvalidSignature::Signature) }
    }
}

/// `{id}.{timestamp}.{body}`
fn authenticate(key: &Hmac<Sha256>, id: &MessageId, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let head = format!("{id}.{timestamp}.");
    key.clone().chain_update(head).chain_update(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const AT: i64 = 1_614_265_330;

    fn secrets(text: &str) -> Secrets {
        text.parse().expect("secrets")
    }

    fn id(id: &str) -> MessageId {
        id.to_owned().try_into().expect("an id")
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_millis((AT + seconds) * 1_000)
    }

    fn verify(
        secrets_: &str,
        signature: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), InvalidSignature> {
        let (id, timestamp) = (&id("msg_p5jXN8AQM9LWM0D4loKWxJek"), &AT.to_string());
        secrets(secrets_).verify(SignatureHeaders { id, timestamp, signature }, body, now)
    }

    /// What the libraries of Standard Webhooks sign in their own tests.
    const VECTORS: [(&str, &str, &str, &[u8], &str); 2] = [
        (
            SECRET,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            BODY,
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (
            OTHER,
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            "1649367553",
            br#"{"email":"test@example.com","username":"test_user"}"#,
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
        ),
    ];

    #[test]
    fn signatures_are_those_of_the_standards_own_libraries() {
        for (secret, message, timestamp, body, signature) in VECTORS {
            assert_eq!(secrets(secret).sign(&id(message), timestamp, body), signature);
        }
    }

    #[test]
    fn a_message_is_genuine_if_any_signature_is_by_any_secret() {
        let signature = VECTORS[0].4;
        let several = format!("v1a,{signature} v1,AAAA v2,x v1, {signature}");
        for (known, given) in
            [(SECRET, signature), (&*format!("{OTHER},{SECRET}"), signature), (SECRET, &*several)]
        {
            assert_eq!(verify(known, given, BODY, after(0)), Ok(()), "{given}");
        }
    }

    #[test]
    fn while_a_secret_is_replaced_receivers_of_the_old_and_of_the_new_one_verify() {
        let both = secrets(&format!("{SECRET} {OTHER}"));
        let signature = both.sign(&id("msg_p5jXN8AQM9LWM0D4loKWxJek"), &AT.to_string(), BODY);
        assert_eq!(signature.split(' ').count(), 2);
        for known in [SECRET, OTHER] {
            assert_eq!(verify(known, &signature, BODY, after(0)), Ok(()));
        }
    }

    #[test]
    fn whatever_was_changed_is_not_genuine() {
        let signature = VECTORS[0].4;
        let cut = &signature[..20];
        for (known, given, body) in [
            (OTHER, signature, BODY),
            (SECRET, signature, &b"{}"[..]),
            (SECRET, "", BODY),
            (SECRET, "v1,", BODY),
            (SECRET, cut, BODY),
            (SECRET, &signature[3..], BODY),
            (SECRET, &*signature.replacen("v1", "v2", 1), BODY),
        ] {
            assert_eq!(
                verify(known, given, body, after(0)),
                Err(InvalidSignature::Signature),
                "{given}"
            );
        }
    }

    #[test]
    fn a_message_is_genuine_for_five_minutes() {
        let signature = VECTORS[0].4;
        for seconds in [-300, 0, 300] {
            assert_eq!(verify(SECRET, signature, BODY, after(seconds)), Ok(()), "{seconds}");
        }
        for seconds in [-301, 301] {
            assert_eq!(
                verify(SECRET, signature, BODY, after(seconds)),
                Err(InvalidSignature::Timestamp),
                "{seconds}"
            );
        }
        for timestamp in ["", "now", "1614265330.5", "99999999999999999999", "-9223372036854775808"]
        {
            let signed = SignatureHeaders { id: &id("a"), timestamp, signature };
            assert_eq!(
                secrets(SECRET).verify(signed, BODY, after(0)),
                Err(InvalidSignature::Timestamp),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn secrets_are_of_24_to_64_bytes() {
        let of = |length: usize| format!("whsec_{}", STANDARD.encode(vec![7; length]));
        for length in [24, 32, 64] {
            assert!(of(length).parse::<Secrets>().is_ok(), "{length}");
        }
        for length in [0, 23, 65] {
            assert_eq!(
                of(length).parse::<Secrets>().err(),
                Some(InvalidSecrets::Length { position: 1, length })
            );
        }
    }

    #[test]
    fn unfit_secrets_are_told_by_their_place_not_by_their_text() {
        for (text, message) in [
            ("", "holds no secret"),
            (" ,\n", "holds no secret"),
            ("hunter2", "secret 1 is not whsec_ and base64"),
            (&format!("{SECRET}, whsec_%%%"), "secret 2 is not whsec_ and base64"),
            (
                &format!("{SECRET}\n{OTHER} whsec_aHVudGVyMg=="),
                "secret 3 is of 7 bytes, not of 24 to 64",
            ),
        ] {
            assert_eq!(text.parse::<Secrets>().expect_err(text).to_string(), message);
        }
        assert_eq!(format!("{:?}", secrets(&format!("{SECRET},{OTHER}"))), "Secrets(2)");
    }

    #[test]
    fn an_id_holds_no_dot_and_nothing_that_a_header_cannot_hold() {
        assert_eq!(
            MessageId::from(uuid::Uuid::nil()).to_string(),
            "00000000-0000-0000-0000-000000000000"
        );
        for unfit in ["", "a.b", "a b", "a\nb", "ä", &"a".repeat(65)] {
            assert_eq!(MessageId::try_from(unfit.to_owned()), Err(InvalidId), "{unfit}");
        }
    }
}
