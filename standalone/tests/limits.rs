//! Sizes and the number of connections.

use standalone::front::Limits;

use crate::service::{Service, names, recorder, settings};

#[tokio::test]
async fn a_body_above_the_limit_is_refused_before_or_while_it_is_read() {
    let mut settings = settings();
    settings.limits.body = 10;
    let (functions, mut records) = recorder();
    let service = Service::start(settings, functions).await;
    let declared = |length| {
        format!("POST /test HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
    };
    let chunked = |body: &str| {
        let size = body.len();
        format!(
            "POST /test HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
             {size:x}\r\n{body}\r\n0\r\n\r\n"
        )
    };
    let large = service.call(&declared(11)).await;
    large.assert_gateway(413, "Request Entity Too Large");
    let large = service.call(&chunked("0123456789a")).await;
    large.assert_gateway(413, "Request Entity Too Large");
    assert!(records.try_recv().is_err());
    assert_eq!(service.call(&(declared(10) + "0123456789")).await.status, 200);
    assert_eq!(service.call(&chunked("0123456789")).await.status, 200);
    assert_eq!(Limits::default().body, 10_485_760);
}

#[tokio::test]
async fn a_large_body_is_not_asked_for() {
    let mut settings = settings();
    settings.limits.body = 10;
    let service = Service::start(settings, names()).await;
    let expecting = |length| {
        format!(
            "POST /test HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    service.call(&expecting(11)).await.assert_gateway(413, "Request Entity Too Large");
    let mut client = service.connect().await;
    client.send(expecting(10)).await;
    assert_eq!(client.head().await.status, 100);
    assert_eq!(client.call("0123456789").await.body, "callback-test");
}

#[tokio::test]
async fn a_uri_above_the_limit_is_refused() {
    let service = Service::start(settings(), names()).await;
    let target = |length: usize| format!("/health?{}", "x".repeat(length - "/health?".len()));
    assert_eq!(service.get(&target(8_192)).await.status, 200);
    service.get(&target(8_193)).await.assert_gateway(414, "URI Too Long");
    service.get(&target(12_000)).await.assert_gateway(414, "URI Too Long");
}

#[tokio::test]
async fn a_head_above_the_limit_is_refused() {
    let service = Service::start(settings(), names()).await;
    let with = |length: usize| {
        let start = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Filler: ";
        let filler = "x".repeat(length - start.len() - "\r\n".len());
        format!("{start}{filler}\r\n\r\n")
    };
    assert_eq!(service.call(&with(10_240)).await.status, 200);
    let large = service.call(&with(10_241)).await;
    large.assert_gateway(431, "Request Header Fields Too Large");
    let mut client = service.connect().await;
    client.send(with(30_000)).await;
    assert_eq!(client.head().await.status, 431, "not even read to its end");
}

#[tokio::test]
async fn a_connection_above_the_limit_waits_until_another_closes() {
    let mut settings = settings();
    settings.limits.connections = 1;
    let (functions, mut records) = recorder();
    let service = Service::start(settings, functions).await;
    let mut first = service.connect().await;
    assert_eq!(first.get("/health").await.status, 200);
    let mut second = service.connect().await;
    second.send("GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    for _ in 0..20 {
        assert_eq!(first.get("/health").await.status, 200);
    }
    while let Ok((function, _)) = records.try_recv() {
        assert_eq!(function, "health", "the second has to wait");
    }
    drop(first);
    assert_eq!(second.answer().await.status, 200);
    assert_eq!(records.recv().await.expect("a request").0, "openapi-get");
}
