//! Callbacks: from the accepted request to the receiver.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use once::{
    sqs::Delivery,
    sqs::MAX_BACKOFF,
    testing::{Cloud, Instance},
    uniques::{Failure, Message},
    webhook::{MessageId, Secrets, SignatureHeaders},
};

use crate::counted::{accept, accept_with_callback, at, minute};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Head and body of what came.
type Inbox = Arc<Mutex<Vec<(HeaderMap, String)>>>;

/// A server that answers every callback like this.
async fn receiver(status: u16, retry_after: Option<&'static str>) -> (String, Inbox) {
    let inbox = Inbox::default();
    let take = move |State(inbox): State<Inbox>, headers: HeaderMap, body: String| async move {
        inbox.lock().expect("whole").push((headers, body));
        let mut headers = HeaderMap::new();
        if let Some(pause) = retry_after {
            headers.insert("retry-after", pause.parse().expect("ASCII"));
        }
        (StatusCode::from_u16(status).expect("a status"), headers)
    };
    let router = Router::new().route("/counted", post(take)).with_state(inbox.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/counted", listener.local_addr().expect("bound"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, inbox)
}

/// A worker that may reach this machine, with few shards.
fn worker(cloud: &Cloud) -> Instance {
    cloud.services().set_parameter("/once/webhook-secret", SECRET);
    cloud.instance_with(|config| {
        config.uniques.shards = 3;
        config.webhooks.guard.allow_private = true;
    })
}

fn message(body: String) -> Delivery {
    Delivery { body, receipt: "receipt".to_owned(), attempt: 1 }
}

/// Handles what is in the queue, and what that brings, until it is empty.
async fn drain(cloud: &Cloud, instance: &Instance) -> Vec<Failure> {
    let mut failures = Vec::new();
    loop {
        let messages = cloud.services().take_messages();
        if messages.is_empty() {
            return failures;
        }
        for body in messages {
            failures.extend(
                instance.app.callbacks().handle(&message(body), instance.app.now()).await.err(),
            );
        }
    }
}

#[tokio::test]
async fn whoever_asked_is_told_the_minutes_exact_count_under_a_signature() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = worker(&cloud);
    for id in 0..20 {
        accept(&instance, id, at(0, 30)).await.expect("recorded");
    }
    for id in 20..25 {
        accept_with_callback(&instance, id, at(0, 30), &url).await;
    }
    assert!(cloud.services().take_messages().is_empty(), "accepting sends nothing");
    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert!(drain(&cloud, &instance).await.is_empty());

    let inbox = inbox.lock().expect("whole");
    assert_eq!(inbox.len(), 5);
    let secrets: Secrets = SECRET.parse().expect("a secret");
    let mut ids = std::collections::BTreeSet::new();
    for (headers, body) in &*inbox {
        assert_eq!(*body, format!(r#"{{"minute":"{}","unique_ids":25}}"#, minute(0)));
        let text = |name: &str| headers[name].to_str().expect("ASCII");
        let id = MessageId::try_from(text("webhook-id").to_owned()).expect("an id");
        let signed = SignatureHeaders {
            id: &id,
            timestamp: text("webhook-timestamp"),
            signature: text("webhook-signature"),
        };
        secrets.verify(signed, body.as_bytes(), instance.app.now()).expect("genuine");
        ids.insert(id.to_string());
    }
    assert_eq!(ids.len(), 5, "every callback has a name of its own");
}

#[tokio::test]
async fn a_minute_without_callbacks_sends_no_message() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert!(cloud.services().take_messages().is_empty());
}

#[tokio::test]
async fn a_duplicates_callback_is_not_sent() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = worker(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    let callback = Some(url.parse().expect("a URL"));
    let again = once::uniques::AcceptRequest { callback, ..crate::counted::arrival(1, at(0, 31)) };
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
async fn a_callback_that_is_not_taken_is_hidden_for_longer_each_time_and_comes_again() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let (busy, inbox) = receiver(503, None).await;
    for attempt in 1..=9 {
        let delivery = Delivery { attempt, ..message(callback(&busy)) };
        let failure = instance
            .app
            .callbacks()
            .handle(&delivery, instance.app.now())
            .await
            .expect_err("not taken");
        assert!(matches!(failure, Failure::NotTaken { .. }), "{failure}");
    }
    assert_eq!(inbox.lock().expect("whole").len(), 9);
    let pauses: Vec<u64> =
        cloud.services().postponed().into_iter().map(|(_, seconds)| seconds).collect();
    for (attempt, pause) in pauses.iter().enumerate() {
        let least =
            (10 * 3_u64.pow(u32::try_from(attempt).expect("few"))).min(MAX_BACKOFF.as_secs());
        assert!((least..=least * 3 / 2).contains(pause), "{pauses:?}");
    }

    let (protected, _) = receiver(429, Some("3600")).await;
    instance
        .app
        .callbacks()
        .handle(&message(callback(&protected)), instance.app.now())
        .await
        .expect_err("not taken");
    let (_, pause) = cloud.services().postponed().pop().expect("hidden");
    assert!(pause >= 3_600, "{pause}");
}

#[tokio::test]
async fn a_callback_that_nobody_may_send_is_given_up() {
    let cloud = Cloud::start().await;
    cloud.services().set_parameter("/once/webhook-secret", SECRET);
    let (url, inbox) = receiver(200, None).await;
    let guarded = cloud.instance();
    for private in [
        url.as_str(),
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://[::1]/",
    ] {
        let done =
            guarded.app.callbacks().handle(&message(callback(private)), guarded.app.now()).await;
        done.expect("nothing to do again");
    }
    assert!(inbox.lock().expect("whole").is_empty());
    let (gone, _) = receiver(410, None).await;
    let instance = worker(&cloud);
    instance
        .app
        .callbacks()
        .handle(&message(callback(&gone)), instance.app.now())
        .await
        .expect("nothing to do again");
    assert!(cloud.services().postponed().is_empty());
}

#[tokio::test]
async fn without_a_secret_nothing_is_sent_and_the_message_comes_again() {
    let cloud = Cloud::start().await;
    let (url, inbox) = receiver(200, None).await;
    let instance = cloud.instance_with(|config| config.webhooks.guard.allow_private = true);
    let failure = instance
        .app
        .callbacks()
        .handle(&message(callback(&url)), instance.app.now())
        .await
        .expect_err("unsigned");
    assert!(matches!(failure, Failure::Secret(_)), "{failure}");
    assert!(inbox.lock().expect("whole").is_empty());
}

#[tokio::test]
async fn a_delivery_whose_worker_died_is_made_by_the_next_one() {
    let (url, inbox) = receiver(503, None).await;
    let deaths = once::testing::crash::at_every_call_with(
        |config| config.webhooks.guard.allow_private = true,
        async |cloud: &Cloud| cloud.services().set_parameter("/once/webhook-secret", SECRET),
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
                .expect_err("not taken");
            assert_eq!(inbox.lock().expect("whole").len(), before + 1);
            assert!(!cloud.services().postponed().is_empty());
        },
    )
    .await;
    // The secret is read and the message hidden; the callback between them is no call of AWS.
    assert_eq!(deaths, 2 * 2);
    let ids: std::collections::BTreeSet<_> = inbox
        .lock()
        .expect("whole")
        .iter()
        .map(|(headers, _)| headers["webhook-id"].clone())
        .collect();
    assert_eq!(ids.len(), 1, "however often it comes, it has one name");
}
