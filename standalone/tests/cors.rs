//! What pages of other origins may do.

use lambda_http::{Body, Response};

use crate::{
    client::Answer,
    service::{Service, functions, names, recorder, settings},
};

fn cors_headers(answer: &Answer) -> Vec<(&str, &str)> {
    let headers = answer.headers.iter().map(|(name, value)| (&**name, &**value));
    let mut headers: Vec<_> =
        headers.filter(|(name, _)| name.starts_with("access-control-")).collect();
    headers.sort_unstable();
    headers
}

fn preflight(origin: &str) -> String {
    format!(
        "OPTIONS /orders HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: POST\r\n\r\n"
    )
}

fn request(origin: &str) -> String {
    format!("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: {origin}\r\n\r\n")
}

#[tokio::test]
async fn the_front_answers_a_preflight_itself() {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    let answer = service.call(&preflight("https://shop.example")).await;
    assert_eq!((answer.status, &*answer.body), (204, ""));
    let expected = [
        ("access-control-allow-headers", "authorization,if-match"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-origin", "*"),
        ("access-control-max-age", "600"),
    ];
    assert_eq!(cors_headers(&answer), expected);
    assert!(records.try_recv().is_err());
}

#[tokio::test]
async fn options_without_the_headers_of_a_preflight_reaches_a_function() {
    let (functions, mut records) = recorder();
    let service = Service::start(settings(), functions).await;
    let mut client = service.connect().await;
    for header in ["X-None: 1", "Origin: https://a", "Access-Control-Request-Method: GET"] {
        client.send(format!("OPTIONS /orders HTTP/1.1\r\nHost: a\r\n{header}\r\n\r\n")).await;
        assert_eq!(client.head().await.status, 200);
        assert_eq!(records.recv().await.expect("a request").0, "route-unknown");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_the_response() {
    let functions = functions(async |_, _| {
        let response = Response::builder()
            .header("Access-Control-Allow-Origin", "https://elsewhere.example")
            .header("Access-Control-Allow-Credentials", "true");
        Ok(response.body(Body::Empty).expect("a response"))
    });
    let service = Service::start(settings(), functions).await;
    let answer = service.call(&request("https://shop.example")).await;
    let expected = [
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "etag,x-request-id"),
    ];
    assert_eq!(cors_headers(&answer), expected, "of the settings alone");
    assert_eq!(cors_headers(&service.get("/health").await), [], "without an origin");
}

#[tokio::test]
async fn the_gateways_own_errors_can_be_read_too() {
    let mut settings = settings();
    settings.rates.default.burst = 0;
    let service = Service::start(settings, recorder().0).await;
    let answer = service.call(&request("https://shop.example")).await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn only_listed_origins_are_allowed_where_not_all_are() {
    let mut settings = settings();
    settings.cors.allow_origins = ["https://shop.example", "app://*"].map(String::from).to_vec();
    let service = Service::start(settings, names()).await;
    for allowed in ["https://shop.example", "app://anything"] {
        let answer = service.call(&request(allowed)).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(allowed));
        assert_eq!(answer.header("vary"), Some("origin"));
        let answer = service.call(&preflight(allowed)).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(allowed));
    }
    for refused in ["https://shop.example.evil", "http://shop.example", "null", "happ://x"] {
        let answer = service.call(&request(refused)).await;
        assert_eq!((answer.status, cors_headers(&answer)), (200, vec![]), "{refused}");
        assert_eq!(answer.header("vary"), Some("origin"));
        let answer = service.call(&preflight(refused)).await;
        assert_eq!((answer.status, cors_headers(&answer)), (204, vec![]), "{refused}");
    }
}
