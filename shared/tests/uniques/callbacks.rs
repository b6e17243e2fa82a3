//! Callbacks, from the accepted request to the receiver.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use once::{
    sqs::{Delivery, MAX_BACKOFF},
    testing::{Cloud, Instance},
    uniques::{CallbackError, Message},
    webhook::{MessageId, Secrets, SignatureHeaders},
};

use crate::uniques::fixtures::{accept, accept_with_callback, at, minute};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Headers and body of every received request.
type Inbox = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// Starts a server that answers every callback with `status`. Returns its URL and its inbox.
async fn receiver(status: u16, retry_after: Option<&'static str>) -> (String, Inbox) {
    let inbox = Inbox::default();
    let receive = move |State(inbox): State<Inbox>, headers: HeaderMap, body: String| async move {
        inbox.lock().expect("whole").push((headers, body));
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert("retry-after", seconds.parse().expect("ASCII"));
        }
        (StatusCode::from_u16(status).expect("a status"), headers)
    };
    let router = Router::new().route("/counted", post(receive)).with_state(inbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/counted", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, inbox)
}

/// Starts a worker that may send to this machine, with few shards.
fn worker(cloud: &Cloud) -> Instance {
    cloud.services().set_webhook_secret(SECRET);
    cloud.instance_with(|config| {
        config.uniques.shards = 3;
        config.webhooks.guard.allow_private = true;
    })
}

fn message(body: String) -> Delivery {
    Delivery { body, receipt: "receipt".to_owned(), attempt: 1 }
}

/// Handles the messages of the queue, and those that they lead to, until it is empty.
async fn drain(cloud: &Cloud, instance: &Instance) -> Vec<CallbackError> {
    let mut errors = Vec::new();
    loop {
        let messages = cloud.services().take_message_bodies();
        if messages.is_empty() {
            return errors;
        }
        for body in messages {
            errors.extend(
                instance.app.callbacks().handle(&message(body), instance.app.now()).await.err(),
            );
        }
    }
}

#[tokio::test]
async fn a_callback_carries_the_minutes_exact_count_and_a_valid_signature() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = worker(&cloud);
    for id in 0..20 {
        accept(&instance, id, at(0, 30)).await.expect("recorded");
    }
    for id in 20..25 {
        accept_with_callback(&instance, id, at(0, 30), &url).await;
    }
    assert!(cloud.services().take_message_bodies().is_empty(), "accepting sends nothing");
    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert!(drain(&cloud, &instance).await.is_empty());

    let inbox = inbox.lock().expect("whole");
    assert_eq!(inbox.len(), 5);
    let secrets: Secrets = SECRET.parse().expect("a secret");
    let mut ids = BTreeSet::new();
    for (headers, body) in &*inbox {
        assert_eq!(*body, format!(r#"{{"minute":"{}","unique_ids":25}}"#, minute(0)));
        let text = |name: &str| headers[name].to_str().expect("ASCII");
        let id = MessageId::try_from(text("webhook-id").to_owned()).expect("an id");
        let signed = SignatureHeaders {
            id: &id,
            timestamp: text("webhook-timestamp"),
            signature: text("webhook-signature"),
        };
        secrets.verify(signed, body.as_bytes(), instance.app.now()).expect("a valid signature");
        ids.insert(id.to_string());
    }
    assert_eq!(ids.len(), 5, "every callback has an id of its own");
}

/// The count over several pages is not tested: the embedded store's `ScannedCount` is one too high
/// for every page that ends at a megabyte.
#[tokio::test]
async fn all_callbacks_of_a_shard_of_several_pages_are_sent() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance_with(|config| config.uniques.shards = 1);
    // A page of the store ends at a megabyte: 600 records of 2 KB are two pages.
    let url = format!("https://shop.example/{}", "x".repeat(2_000));
    for id in 0..600 {
        accept_with_callback(&instance, id, at(0, 30), &url).await;
    }
    drop(instance.transport.take_calls());
    let fan_out = Message::FanOut { minute: minute(0), shard: 0, unique_ids: 600 };
    let fan_out = message(serde_json::to_string(&fan_out).expect("a message"));
    instance.app.callbacks().handle(&fan_out, instance.app.now()).await.expect("sent");
    let calls = instance.transport.take_calls();
    assert_eq!(calls.iter().filter(|call| call.operation == "Query").count(), 2);
    let messages: BTreeSet<String> = cloud.services().take_message_bodies().into_iter().collect();
    assert_eq!(messages.len(), 600);
}

#[tokio::test]
async fn a_minute_without_callbacks_sends_no_message() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert!(cloud.services().take_message_bodies().is_empty());
}

#[tokio::test]
async fn a_duplicates_callback_is_not_sent() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = worker(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    let callback = Some(url.parse().expect("a URL"));
    let again = once::uniques::AcceptRequest {
        callback,
        ..crate::uniques::fixtures::request(1, at(0, 31))
    };
    instance.app.uniques().accept(&again).await.expect("an answer");
    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    drain(&cloud, &instance).await;
    assert!(inbox.lock().expect("whole").is_empty());
}

fn callback(url: &str) -> String {
    let url = url.parse().expect("a URL");
    serde_json::to_string(&Message::Callback {
        minute: minute(0),
        id: 7.into(),
        url,
        unique_ids: 1,
    })
    .expect("a message")
}

#[tokio::test]
async fn an_undelivered_callback_is_retried_after_a_growing_delay() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let (busy, inbox) = receiver(503, None).await;
    for attempt in 1..=9 {
        let delivery = Delivery { attempt, ..message(callback(&busy)) };
        let error = instance
            .app
            .callbacks()
            .handle(&delivery, instance.app.now())
            .await
            .expect_err("undelivered");
        assert!(matches!(error, CallbackError::Undelivered { .. }), "{error}");
    }
    assert_eq!(inbox.lock().expect("whole").len(), 9);
    let delays: Vec<u64> =
        cloud.services().visibility_changes().into_iter().map(|(_, seconds)| seconds).collect();
    for (attempt, delay) in delays.iter().enumerate() {
        let least =
            (10 * 3_u64.pow(u32::try_from(attempt).expect("few"))).min(MAX_BACKOFF.as_secs());
        assert!((least..=least * 3 / 2).contains(delay), "{delays:?}");
    }

    let (overloaded, _) = receiver(429, Some("3600")).await;
    instance
        .app
        .callbacks()
        .handle(&message(callback(&overloaded)), instance.app.now())
        .await
        .expect_err("undelivered");
    let (_, delay) = cloud.services().visibility_changes().pop().expect("hidden");
    assert!(delay >= 3_600, "{delay}");
}

#[tokio::test]
async fn a_callback_to_a_blocked_address_or_a_gone_receiver_is_dropped() {
    let cloud = Cloud::start().await;
    cloud.services().set_webhook_secret(SECRET);
    let (url, inbox) = receiver(200, None).await;
    let guarded = cloud.instance();
    for private in [
        url.as_str(),
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://[::1]/",
    ] {
        let handled =
            guarded.app.callbacks().handle(&message(callback(private)), guarded.app.now()).await;
        handled.expect("nothing to retry");
    }
    assert!(inbox.lock().expect("whole").is_empty());
    let (gone, _) = receiver(410, None).await;
    let instance = worker(&cloud);
    instance
        .app
        .callbacks()
        .handle(&message(callback(&gone)), instance.app.now())
        .await
        .expect("nothing to retry");
    assert!(cloud.services().visibility_changes().is_empty());
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent_and_the_message_is_retried() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = cloud.instance_with(|config| config.webhooks.guard.allow_private = true);
    let error = instance
        .app
        .callbacks()
        .handle(&message(callback(&url)), instance.app.now())
        .await
        .expect_err("unsigned");
    assert!(matches!(error, CallbackError::Secret(_)), "{error}");
    assert!(inbox.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn a_callback_whose_worker_died_is_sent_by_the_next_one() {
    let (url, inbox) = receiver(503, None).await;
    let deaths = once::testing::crash::at_every_call_with(
        |config| config.webhooks.guard.allow_private = true,
        async |cloud: &Cloud| cloud.services().set_webhook_secret(SECRET),
        async |instance, ()| {
            drop(
                instance.app.callbacks().handle(&message(callback(&url)), instance.app.now()).await,
            );
        },
        async |cloud, next, ()| {
            let before = inbox.lock().expect("whole").len();
            next.app
                .callbacks()
                .handle(&message(callback(&url)), next.app.now())
                .await
                .expect_err("undelivered");
            assert_eq!(inbox.lock().expect("whole").len(), before + 1);
            assert!(!cloud.services().visibility_changes().is_empty());
        },
    )
    .await;
    // The secret is read and the message is hidden; the callback between them is not a call to AWS.
    assert_eq!(deaths, 2 * 2);
    let ids: BTreeSet<_> = inbox
        .lock()
        .expect("whole")
        .iter()
        .map(|(headers, _)| headers["webhook-id"].clone())
        .collect();
    assert_eq!(ids.len(), 1, "every attempt has the same id");
}
