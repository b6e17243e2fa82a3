use aws_config::{Region, SdkConfig};
use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
use serde_json::{Value, json};

use super::*;
use crate::{
    aws::{self, Aws, Transport},
    testing::{Cloud, Fault, Instance},
    webhook::{Secrets, receiver::Receiver},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Returns a fixed time plus some milliseconds.
fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_216_800_000 + millis)
}

/// A Secrets Manager that answers every call with `answer`, and a source that reads from it.
async fn store(status: u16, answer: Value) -> (Receiver, SecretSource<Secrets>) {
    let body = answer.to_string();
    let length = body.len();
    let store = Receiver::answering(format!(
        "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    ))
    .await;
    let config = SdkConfig::builder()
        .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
        .http_client(Transport::new(Duration::from_secs(30)))
        .region(Region::new("eu-central-1"))
        .endpoint_url(store.url("/"))
        .build();
    let client = Aws::new(aws::configure(config)).secrets_manager();
    (store, SecretSource::new(client, "webhook-secret"))
}

#[tokio::test]
async fn a_secret_is_read_once_and_cached_for_five_minutes() {
    let (store, source) = store(200, json!({"SecretString": SECRET})).await;
    for millis in [0, 1, 299_999] {
        source.get(at(millis)).await.expect("secrets");
    }
    let requests = store.requests();
    assert_eq!(requests.len(), 1);
    let (head, body) = requests[0].split_once("\r\n\r\n").expect("a request");
    assert!(head.contains("secretsmanager.GetSecretValue"), "{head}");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body, json!({"SecretId": "webhook-secret"}));

    source.get(at(300_000)).await.expect("secrets");
    assert_eq!(store.requests().len(), 2);
    source.get(at(299_999)).await.expect("secrets");
    assert_eq!(store.requests().len(), 3, "the clock was set back");
}

#[tokio::test]
async fn concurrent_requests_read_the_secret_once() {
    let (store, source) = store(200, json!({"SecretString": SECRET})).await;
    let (one, other) = tokio::join!(source.get(at(0)), source.get(at(0)));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(store.requests().len(), 1);
}

#[tokio::test]
async fn an_error_says_whether_the_secret_is_missing_invalid_or_unavailable() {
    for (status, answer, message) in [
        (
            400,
            json!({"__type": "ResourceNotFoundException"}),
            "secret webhook-secret does not exist",
        ),
        (
            200,
            json!({"SecretString": "hunter2"}),
            "secret webhook-secret: secret 1: must be base64, alone or after whsec_",
        ),
        (200, json!({}), "secret webhook-secret: contains no secret"),
        (
            400,
            json!({"__type": "AccessDeniedException", "message": "no"}),
            "secret webhook-secret could not be read: ",
        ),
    ] {
        let (_store, source) = store(status, answer).await;
        let error = source.get(at(0)).await.expect_err(message).to_string();
        assert!(error.starts_with(message) && !error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_failure_is_not_cached() {
    let (store, source) = store(400, json!({"__type": "ResourceNotFoundException"})).await;
    for reads in 1..=2 {
        assert!(source.get(at(0)).await.is_err());
        assert_eq!(store.requests().len(), reads);
    }
}

/// A source of the webhook secret over the transport of an instance.
fn source_over(cloud: &Cloud, instance: &Instance) -> SecretSource<Secrets> {
    let client = cloud.aws_behind(&instance.transport).secrets_manager();
    SecretSource::new(client, "webhook-secret")
}

#[tokio::test]
async fn while_secrets_manager_fails_the_cached_secret_stays_in_use() {
    let cloud = Cloud::start().await;
    cloud.services().set_webhook_secret(SECRET);
    let instance = cloud.instance();
    let source = source_over(&cloud, &instance);
    source.get(at(0)).await.expect("secrets");
    instance.transport.fail_always("GetSecretValue", Fault::Refuse);
    drop(instance.transport.take_calls());
    for (millis, are_calls_made) in
        [(300_000, true), (300_001, false), (359_999, false), (360_000, true), (3_600_000, true)]
    {
        source.get(at(millis)).await.expect("the cached one");
        let calls = instance.transport.take_calls();
        assert_eq!(!calls.is_empty(), are_calls_made, "{millis}");
    }
    instance.transport.heal();
    source.get(at(3_660_000)).await.expect("secrets");
    drop(instance.transport.take_calls());
    source.get(at(3_959_999)).await.expect("secrets");
    assert!(instance.transport.take_calls().is_empty(), "it is cached again");
}

#[tokio::test]
async fn a_cached_secret_that_has_become_invalid_is_not_used() {
    let cloud = Cloud::start().await;
    cloud.services().set_webhook_secret(SECRET);
    let source = source_over(&cloud, &cloud.instance());
    source.get(at(0)).await.expect("secrets");
    cloud.services().set_webhook_secret("hunter2");
    let error = source.get(at(300_000)).await.expect_err("invalid");
    assert!(matches!(error, SecretError::Invalid { .. }), "{error}");
    assert!(source.get(at(300_001)).await.is_err(), "also after the failure");
}
