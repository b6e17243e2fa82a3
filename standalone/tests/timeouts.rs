//! Clients that make a connection wait. Time-outs that must pass are short, all others minutes.

use std::time::Duration;

use lambda_http::{Body, Response};
use standalone::front::Timeouts;
use tokio::time::Instant;

use crate::service::{Service, functions, names, settings};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut settings = settings();
    settings.timeouts.idle = SHORT;
    let service = Service::start(settings, names()).await;
    assert_eq!(service.connect().await.rest().await, "", "before its first request");
    let mut client = service.connect().await;
    assert_eq!(client.get("/health").await.status, 200);
    let answered = Instant::now();
    assert_eq!(client.rest().await, "", "after it");
    assert!(answered.elapsed() >= SHORT / 2);
    assert_eq!(Timeouts::default().idle, Duration::from_mins(1));
}

#[tokio::test]
async fn a_slow_head_is_cut_off_however_often_a_byte_comes() {
    let mut settings = settings();
    settings.timeouts.head = SHORT;
    let service = Service::start(settings, names()).await;
    let mut client = service.connect().await;
    assert_eq!(client.get("/health").await.status, 200);
    client.send("GET /health HTTP/1.1\r\nX-Slow: ").await;
    let mut drip = tokio::time::interval(SHORT / 8);
    let sent = loop {
        tokio::select! {
            sent = client.rest() => break sent,
            _ = drip.tick() => {}
        }
        client.send("x").await;
    };
    assert_eq!(sent, "");
    assert_eq!(Timeouts::default().head, Duration::from_secs(30));
}

#[tokio::test]
async fn a_slow_body_is_answered_408() {
    let mut settings = settings();
    settings.timeouts.body = SHORT;
    let service = Service::start(settings, names()).await;
    let mut client = service.connect().await;
    client.send("POST /test HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n123").await;
    client.answer().await.assert_gateway(408, "Request Timeout");
    assert_eq!(client.rest().await, "");
    assert_eq!(Timeouts::default().body, Duration::from_mins(1));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    let size = 16 * 1_024 * 1_024; // More than the buffers of both ends hold.
    let functions = functions(move |function, _| async move {
        let repeated = if function == "health" { size / function.len() } else { 1 };
        Ok(Response::new(Body::from(function.repeat(repeated))))
    });
    let mut settings = settings();
    settings.limits.response = size;
    settings.limits.connections = 1;
    settings.timeouts.write = SHORT;
    let service = Service::start(settings, functions).await;
    let mut deaf = service.connect().await;
    deaf.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let mut next = service.connect().await;
    assert_eq!(next.get("/orders").await.body, "order-list", "the connection was given up");
    assert!(deaf.rest().await.len() < size);
    assert_eq!(Timeouts::default().write, Duration::from_secs(30));
}

#[tokio::test]
async fn a_function_may_take_longer_than_a_client() {
    let functions = functions(async |function, _| {
        tokio::time::sleep(2 * SHORT).await;
        Ok(Response::new(Body::from(function)))
    });
    let mut settings = settings();
    let short =
        Timeouts { idle: SHORT, head: SHORT, body: SHORT, write: SHORT, ..settings.timeouts };
    settings.timeouts = short;
    let service = Service::start(settings, functions).await;
    let mut client = service.connect().await;
    for _ in 0..2 {
        assert_eq!(client.get("/health").await.body, "health");
    }
}
