//! The request that a function receives.

use lambda_http::{Body, Request, RequestExt, request::RequestContext};
use once::routes;

use crate::service::{Service, recorder, settings};

/// Sends a request and returns what the function received.
async fn received(request: &str) -> (&'static str, Request) {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    let answer = service.call(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    records.try_recv().expect("a request")
}

#[tokio::test]
async fn a_function_receives_method_path_query_headers_and_body() {
    let (function, request) = received(
        "POST /orders/caf%C3%A9%20%2B/cancel?a=1&a=%20&b=+ HTTP/1.1\r\n\
         HOST: api.example.com:9000\r\nX-Twice: one\r\nx-twice: tw\u{f6}\r\n\
         Cookie: c=1; d=2\r\nUser-Agent: test\r\nX-Forwarded-Proto: :\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\n{\"q\"\r\n4\r\n: 1}\r\n0\r\n\r\n",
    )
    .await;
    assert_eq!(function, "order-cancel");
    assert_eq!(request.method(), "POST");
    let url = "http://api.example.com:9000/orders/caf%C3%A9%20+/cancel?a=1&a=%20&b=+";
    assert_eq!(request.uri(), url);
    assert_eq!(request.raw_http_path(), "/orders/café +/cancel");
    assert_eq!(request.path_parameters().first("id"), Some("café +"));
    assert_eq!(request.query_string_parameters().all("a"), Some(vec!["1", " "]));
    assert_eq!(request.body(), &Body::from(r#"{"q": 1}"#));
    for (name, value) in [
        ("x-twice", "one,tw\u{f6}"),
        ("cookie", "c=1; d=2"),
        ("content-length", "8"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
    ] {
        assert_eq!(request.headers()[name], value, "{name}");
    }
    assert!(!request.headers().contains_key("transfer-encoding"));
}

#[tokio::test]
async fn a_function_receives_the_context_of_the_gateway() {
    let before = jiff::Timestamp::now().as_millisecond();
    let (_, request) =
        received("GET /orders/7 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: test\r\n\r\n")
            .await;
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        panic!("not an event of an HTTP API")
    };
    assert_eq!(context.route_key.as_deref(), Some("GET /orders/{id}"));
    assert_eq!(context.stage.as_deref(), Some("$default"));
    assert_eq!(context.domain_name.as_deref(), Some("api.example.com"));
    assert_eq!(context.http.source_ip.as_deref(), Some("127.0.0.1"));
    assert_eq!(context.http.user_agent.as_deref(), Some("test"));
    assert_eq!(context.http.protocol.as_deref(), Some("HTTP/1.1"));
    assert!((before..=before + 60_000).contains(&context.time_epoch));
}

#[tokio::test]
async fn a_body_that_is_no_text_arrives_as_bytes() {
    for (content_type, body, received_as) in [
        ("text/plain", "a", Body::from("a")),
        ("text/plain", "\u{e9}", Body::from("\u{e9}")),
        ("application/octet-stream", "a", Body::from(vec![b'a'])),
        ("application/json", "", Body::Empty),
    ] {
        let length = body.len();
        let (_, request) = received(&format!(
            "POST /test HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        ))
        .await;
        assert_eq!(request.body(), &received_as, "{content_type} {body:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_arrive_unchanged_whatever_their_type() {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    let head = "POST /test HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n";
    client.send(format!("{head}Content-Length: 2\r\n\r\n")).await;
    client.send([0xff, 0x00]).await;
    assert_eq!(client.answer().await.status, 200);
    let (_, request) = records.recv().await.expect("a request");
    assert_eq!(request.body(), &Body::from(vec![0xff, 0x00]));
}

#[tokio::test]
async fn every_route_reaches_its_function_and_everything_else_the_default() {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    let default = &routes::FALLBACK;
    let known = routes::routes().map(|(route, row)| (route.method, route.path, row));
    let unknown = [
        ("GET", "/", default),
        ("HEAD", "/orders", default),
        ("OPTIONS", "/orders", default),
        ("PATCH", "/orders", default),
        ("GET", "/orders/", default),
        ("GET", "/orders/a%2Fb", default),
        ("GET", "/nothing", default),
    ];
    for (method, path, row) in known.chain(unknown) {
        let target = path.replace(['{', '}'], "");
        client.send(format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        assert_eq!(client.head().await.status, 200, "{method} {path}");
        let (function, request) = records.recv().await.expect("a request");
        assert_eq!(function, row.function, "{method} {path}");
        assert_eq!(request.method(), method);
    }
}

#[tokio::test]
async fn an_encoded_question_mark_is_part_of_the_path() {
    let (_, request) =
        received("GET /orders/7%3Fforce=true?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert_eq!(request.path_parameters().first("id"), Some("7?force=true"));
    assert_eq!(request.uri().query(), Some("a=1"));
}

#[tokio::test]
async fn a_request_that_makes_no_event_is_refused_and_harms_no_other() {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    for bad in [
        "GET /health HTTP/1.1\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: [\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a:99999\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET /health HTTP/1.1\r\nHost:\r\n\r\n",
        "GET /orders/%FF HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        let answer = service.call(bad).await;
        assert_eq!(answer.status, 400, "{bad:?}");
        answer.assert_gateway(400, "Bad Request");
    }
    assert!(records.try_recv().is_err());
    assert_eq!(service.get("/health").await.status, 200);
    assert_eq!(service.call("GET /health HTTP/1.0\r\n\r\n").await.status, 200);
}
