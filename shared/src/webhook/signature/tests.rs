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
    text: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), InvalidSignature> {
    let (id, timestamp) = (&id("msg_p5jXN8AQM9LWM0D4loKWxJek"), &AT.to_string());
    secrets(text).verify(SignatureHeaders { id, timestamp, signature }, body, now)
}

/// Test vectors of the libraries of Standard Webhooks.
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
fn signatures_match_those_of_the_standards_own_libraries() {
    for (secret, message, timestamp, body, signature) in VECTORS {
        assert_eq!(secrets(secret).sign(&id(message), timestamp, body), signature);
    }
}

#[test]
fn a_message_is_authentic_if_any_signature_matches_any_secret() {
    let signature = VECTORS[0].4;
    let several = format!("v1a,{signature} v1,AAAA v2,x v1, {signature}");
    for (secrets, given) in
        [(SECRET, signature), (&*format!("{OTHER},{SECRET}"), signature), (SECRET, &*several)]
    {
        assert_eq!(verify(secrets, given, BODY, after(0)), Ok(()), "{given}");
    }
}

#[test]
fn while_a_secret_is_replaced_receivers_with_either_one_verify() {
    let both = secrets(&format!("{SECRET} {OTHER}"));
    let signature = both.sign(&id("msg_p5jXN8AQM9LWM0D4loKWxJek"), &AT.to_string(), BODY);
    assert_eq!(signature.split(' ').count(), 2);
    for secret in [SECRET, OTHER] {
        assert_eq!(verify(secret, &signature, BODY, after(0)), Ok(()));
    }
}

#[test]
fn a_changed_message_is_not_authentic() {
    let signature = VECTORS[0].4;
    let cut = &signature[..20];
    for (secrets, given, body) in [
        (OTHER, signature, BODY),
        (SECRET, signature, &b"{}"[..]),
        (SECRET, "", BODY),
        (SECRET, "v1,", BODY),
        (SECRET, cut, BODY),
        (SECRET, &signature[3..], BODY),
        (SECRET, &*signature.replacen("v1", "v2", 1), BODY),
    ] {
        assert_eq!(
            verify(secrets, given, body, after(0)),
            Err(InvalidSignature::Signature),
            "{given}"
        );
    }
}

#[test]
fn a_message_is_authentic_for_five_minutes() {
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
    for timestamp in ["", "now", "1614265330.5", "99999999999999999999", "-9223372036854775808"] {
        let headers = SignatureHeaders { id: &id("a"), timestamp, signature };
        assert_eq!(
            secrets(SECRET).verify(headers, BODY, after(0)),
            Err(InvalidSignature::Timestamp),
            "{timestamp}"
        );
    }
}

#[test]
fn secrets_have_24_to_64_bytes() {
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
fn a_secret_that_the_stack_made_needs_no_prefix() {
    let generated = "4mR2kQ7sXwB9cTn1VfGjL0pZhD5yEaUo8iKqMrS3tNv6";
    let signature = |secret: &str| secrets(secret).sign(&id("msg_1"), &AT.to_string(), BODY);
    assert_eq!(signature(generated), signature(&format!("whsec_{generated}")));
}

#[test]
fn an_error_names_the_position_of_an_invalid_secret_not_its_text() {
    for (text, message) in [
        ("", "contains no secret"),
        (" ,\n", "contains no secret"),
        ("hunter2", "secret 1: must be base64, alone or after whsec_"),
        (&format!("{SECRET}, whsec_%%%"), "secret 2: must be base64, alone or after whsec_"),
        (
            &format!("{SECRET}\n{OTHER} whsec_aHVudGVyMg=="),
            "secret 3: must be 24 to 64 bytes, not 7",
        ),
    ] {
        assert_eq!(text.parse::<Secrets>().expect_err(text).to_string(), message);
    }
    assert_eq!(format!("{:?}", secrets(&format!("{SECRET},{OTHER}"))), "Secrets(2)");
}

#[test]
fn an_id_contains_no_dot_and_nothing_that_is_invalid_in_a_header() {
    assert_eq!(
        MessageId::from(uuid::Uuid::nil()).to_string(),
        "00000000-0000-0000-0000-000000000000"
    );
    for invalid in ["", "a.b", "a b", "a\nb", "ä", &"a".repeat(65)] {
        assert_eq!(MessageId::try_from(invalid.to_owned()), Err(InvalidMessageId), "{invalid}");
    }
}
