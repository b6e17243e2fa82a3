//! The response that a client receives.

use std::{future::pending, time::Duration};

use lambda_http::{Body, Response};
use standalone::front::{InvokeError, Limits, Timeouts};
use tokio::sync::mpsc;

use crate::service::{Service, functions, names, settings};

#[tokio::test]
async fn a_client_receives_status_headers_cookies_and_body() {
    let functions = functions(async |_, _| {
        let response = Response::builder()
            .status(201)
            .header("X-Minute", "2026-11-20T23:20:00Z")
            .header("Content-Type", "application/json")
            .header("Content-Length", "999")
            .header("Connection", "close")
            .header("X-Twice", "one")
            .header("X-Twice", "two")
            .header("Set-Cookie", "a=1")
            .header("Set-Cookie", "b=2");
        Ok(response.body(Body::from("{}")).expect("a response"))
    });
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    for _ in 0..2 {
        let answer = client.get("/orders").await;
        assert_eq!((answer.status, &*answer.body), (201, "{}"));
        assert_eq!(answer.header("x-minute"), Some("2026-11-20T23:20:00Z"));
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!(answer.header("x-twice"), Some("one"), "as lambda_http passes it on");
        assert_eq!(answer.all("set-cookie").collect::<Vec<_>>(), ["a=1", "b=2"]);
        assert!(answer.header("apigw-requestid").is_some());
    }
}

#[tokio::test]
async fn a_body_of_bytes_is_sent_as_it_is_and_one_without_a_type_is_text() {
    let functions = functions(async |_, request| {
        Ok(match request.uri().path() {
            "/health" => Response::new(Body::from(b"bytes".to_vec())),
            _ => Response::builder().status(204).body(Body::Empty).expect("a response"),
        })
    });
    let service = Service::start(settings(), functions).await;
    let answer = service.get("/health").await;
    assert_eq!((answer.status, &*answer.body), (200, "bytes"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let answer = service.get("/docs").await;
    assert_eq!((answer.status, answer.header("content-type")), (204, None));
}

#[tokio::test]
async fn head_has_the_length_of_a_body_but_none() {
    let service = Service::start(settings(), names()).await;
    let mut client = service.connect().await;
    client.send("HEAD /orders HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let answer = client.head().await;
    assert_eq!(answer.header("content-length"), Some("13"));
    assert_eq!(client.get("/health").await.body, "health", "the next answer follows the head");
}

#[tokio::test]
async fn a_function_that_fails_or_panics_answers_500_and_harms_no_other() {
    let functions = functions(async |function, request| match request.uri().path() {
        "/orders" => Err(InvokeError::Failed("no memory".into())),
        "/products" => Err(InvokeError::TimedOut(Duration::from_secs(6))),
        "/jobs" => panic!("expected by the test"),
        _ => Ok(Response::new(Body::from(function))),
    });
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    for path in ["/orders", "/products", "/jobs"] {
        client.get(path).await.assert_gateway(500, "Internal Server Error");
        assert_eq!(client.get("/health").await.body, "health");
    }
}

#[tokio::test]
async fn a_function_that_takes_too_long_answers_503() {
    let mut settings = settings();
    settings.timeouts.function = Duration::from_millis(20);
    let service = Service::start(settings, functions(async |_, _| pending().await)).await;
    service.get("/health").await.assert_gateway(503, "Service Unavailable");
    assert_eq!(Timeouts::default().function, Duration::from_secs(30));
}

#[tokio::test]
async fn a_function_runs_to_its_end_without_its_client() {
    let (started, mut starts) = mpsc::unbounded_channel();
    let (ended, mut ends) = mpsc::unbounded_channel();
    let functions = functions(move |function, request| {
        let (started, ended) = (started.clone(), ended.clone());
        async move {
            if request.uri().path() == "/orders" {
                let (go_on, gate) = tokio::sync::oneshot::channel();
                started.send(go_on).expect("the test listens");
                gate.await.expect("the test goes on");
                ended.send(function).expect("the test listens");
            }
            Ok(Response::new(Body::Empty))
        }
    });
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    client.send("POST /orders HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let go_on = starts.recv().await.expect("a start");
    drop(client);
    let mut other = service.connect().await;
    for _ in 0..20 {
        assert_eq!(other.get("/health").await.status, 200, "the server notices the disconnect");
    }
    go_on.send(()).expect("the function waits");
    assert_eq!(ends.recv().await, Some("order-create"));
}

#[tokio::test]
async fn a_response_above_the_limit_answers_500() {
    let functions = functions(async |_, request| {
        let size = request.uri().query().and_then(|size| size.parse().ok()).expect("a size");
        Ok(match request.uri().path() {
            "/health" => Response::new(Body::from("x".repeat(size))),
            "/docs" => Response::new(Body::from("\"".repeat(size))),
            _ => Response::new(Body::from(vec![0; size])),
        })
    });
    let mut settings = settings();
    settings.limits.response = 400;
    let service = Service::start(settings, functions).await;
    for (path, most) in [("/health", 400), ("/docs", 200), ("/metrics", 300)] {
        let answer = service.get(&format!("{path}?{most}")).await;
        assert_eq!((answer.status, answer.body.len()), (200, most), "{path}");
        let answer = service.get(&format!("{path}?{}", most + 1)).await;
        answer.assert_gateway(500, "Internal Server Error");
    }
    assert_eq!(Limits::default().response, 6_291_456);
}
