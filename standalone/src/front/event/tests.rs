use std::{net::Ipv4Addr, time::Instant};

use hyper::Request;
use serde_json::{Value, json};

use super::*;
use crate::front::{Rate, Rates, router::Router};

fn event(request: Request<&str>, path: &str) -> Value {
    let rate = Rate { per_second: 1, burst: 1 };
    let router = Router::new(&Rates { default: rate, accept: rate, orders: rate }, Instant::now());
    let (head, body) = request.into_parts();
    let received = Received {
        head: &head,
        path,
        body: body.as_bytes(),
        route: router.route(head.method.as_str(), path),
        peers: Peers { client: Ipv4Addr::new(198, 51, 100, 7).into(), port: 9_000 },
        id: "gateway-1",
        time: "2026-11-20T23:20:00.5Z".parse().expect("a time"),
    };
    serde_json::to_value(received.event()).expect("an event is JSON")
}

#[test]
fn the_event_has_the_members_of_payload_format_2_0() {
    let request = Request::post("/products/n%20o/restock?a=1&b=%2B+&a=2")
        .header("Host", "api.example.com:9000")
        .header("User-Agent", "curl/8.5.0")
        .header("Content-Type", "application/json; charset=utf-8")
        .header("Content-Length", "8")
        .header("Connection", "keep-alive")
        .header("Cookie", "c=1; d=2")
        .header("Cookie", "e=3")
        .header("X-Forwarded-For", "203.0.113.9")
        .header("X-Forwarded-Proto", "https")
        .header("X-Twice", "one")
        .header("X-Twice", "two, three")
        .body(r#"{"q": 1}"#)
        .expect("a request");
    let expected = json!({
        "version": "2.0",
        "routeKey": "POST /products/{id}/restock",
        "rawPath": "/products/n o/restock",
        "rawQueryString": "a=1&b=%2B+&a=2",
        "cookies": ["c=1", "d=2", "e=3"],
        "headers": {
            "content-length": "8",
            "content-type": "application/json; charset=utf-8",
            "host": "api.example.com:9000",
            "user-agent": "curl/8.5.0",
            "x-forwarded-for": "203.0.113.9, 198.51.100.7",
            "x-forwarded-port": "9000",
            "x-forwarded-proto": "http",
            "x-twice": "one,two, three",
        },
        "queryStringParameters": {"a": "1,2", "b": "+ "},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "once",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/products/n o/restock",
                "protocol": "HTTP/1.1",
                "sourceIp": "198.51.100.7",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "gateway-1",
            "routeKey": "POST /products/{id}/restock",
            "stage": "$default",
            "time": "20/Nov/2026:23:20:00 +0000",
            "timeEpoch": 1_795_216_800_500_u64,
        },
        "pathParameters": {"id": "n o"},
        "body": r#"{"q": 1}"#,
        "isBase64Encoded": false,
    });
    assert_eq!(event(request, "/products/n o/restock"), expected);
}

#[test]
fn what_a_request_lacks_is_left_out() {
    let request = Request::get("/nothing").body("").expect("a request");
    let event = event(request, "/nothing");
    for absent in ["cookies", "queryStringParameters", "pathParameters", "body"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["routeKey"], "$default");
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["headers"]["content-length"], "0");
    assert_eq!(event["requestContext"]["domainName"], "localhost");
}

#[test]
fn only_text_is_passed_on_as_text() {
    for (content_type, is_text) in [
        ("text/csv", true),
        ("Application/JSON ; charset=utf-8", true),
        ("application/javascript", true),
        ("application/xml", true),
        ("application/problem+json", false),
        ("application/x-www-form-urlencoded", false),
        ("application/octet-stream", false),
        ("", false),
    ] {
        let request = Request::post("/test").header("content-type", content_type).body("a=1");
        let event = event(request.expect("a request"), "/test");
        assert_eq!(event["isBase64Encoded"], !is_text, "{content_type}");
        assert_eq!(event["body"], if is_text { "a=1" } else { "YT0x" }, "{content_type}");
    }
}

#[test]
fn a_domain_is_a_host_without_its_port() {
    for (host, domain_name) in [
        ("127.0.0.1:9000", "127.0.0.1"),
        ("[::1]:9000", "[::1]"),
        ("[::1]", "[::1]"),
        ("localhost", "localhost"),
    ] {
        assert_eq!(domain(host), domain_name);
    }
}
