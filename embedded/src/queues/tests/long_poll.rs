//! Receives that wait.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{service::start, *};
use crate::queues::Queues;

/// Makes a call, and returns the bodies of the messages that it received.
async fn receive(queues: &Queues, wait_s: u32) -> Vec<String> {
    let body = json!({"QueueUrl": "/work", "WaitTimeSeconds": wait_s, "MaxNumberOfMessages": 10});
    let request = Request::post("/")
        .header("x-amz-target", "AmazonSQS.ReceiveMessage")
        .body(Bytes::from(body.to_string()))
        .expect("a request");
    let response = queues.respond(request, time(0)).await;
    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    let messages = body["Messages"].as_array().into_iter().flatten();
    messages.map(|message| message["Body"].as_str().expect("a body").to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_receive_ends_when_its_time_has_passed() {
    let (_folder, queues) = start().await;
    for wait_s in [0, 1, 20] {
        let start = Instant::now();
        assert_eq!(receive(&queues, wait_s).await, [""; 0]);
        assert_eq!(start.elapsed().as_secs(), u64::from(wait_s));
    }
}

#[tokio::test(start_paused = true)]
async fn a_receive_waits_for_the_end_of_a_delay() {
    let (_folder, queues) = start().await;
    let delayed = message("hello").with_delay(7).expect("a delay");
    queues.send("work", vec![delayed], time(0)).await.expect("sent");
    let start = Instant::now();
    assert_eq!(receive(&queues, 20).await, ["hello"]);
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test]
async fn a_receive_that_waits_gets_a_message_when_it_is_sent() {
    let (_folder, queues) = start().await;
    let start = Instant::now();
    let send = async {
        sleep(Duration::from_millis(50)).await;
        queues.send("work", vec![message("hello")], time(0)).await.expect("sent");
    };
    let (received, ()) = tokio::join!(receive(&queues, 20), send);
    assert_eq!(received, ["hello"]);
    // Without the signal, it would look again after 5 s.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_message_without_a_signal_is_found_in_seconds() {
    let (_folder, queues) = start().await;
    let store = queues.store.clone();
    let insert = move || {
        let send = |store: &Connection| table::send(store, &work(), &[message("hello")], at(0));
        pollster::block_on(store.write(move |store| send(store).map(drop)))
    };
    let send = async {
        sleep(Duration::from_millis(50)).await;
        // The paused clock stands still while a thread blocks.
        tokio::task::spawn_blocking(insert).await.expect("no panic").expect("sent");
    };
    let start = Instant::now();
    let (received, ()) = tokio::join!(receive(&queues, 20), send);
    assert_eq!(received, ["hello"]);
    assert!(start.elapsed().as_secs() <= 5, "{:?}", start.elapsed());
}
