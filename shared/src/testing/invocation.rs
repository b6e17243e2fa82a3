//! Requests as API Gateway hands them over (HTTP API, payload 2.0), and the answers; messages as workers get them.

use std::fs;

use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use super::{Instance, TOKEN, root};
use crate::{
    App,
    http::{ApiError, Reply, handle},
    routes,
    sqs::Delivery,
};

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Call {
    event: Value,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: lambda_http::http::HeaderMap,
    /// Its body.
    pub body: Value,
}

impl Call {
    /// A request without a body and with the deployment's token. `path` may have a query string.
    #[must_use]
    pub fn new(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"host": "localhost", "authorization": format!("Bearer {TOKEN}")},
            "pathParameters": parameters(method, path),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "api",
                "domainName": "localhost",
                "domainPrefix": "api",
                "requestId": "gateway-1",
                "routeKey": "$default",
                "stage": "$default",
                "time": "20/Nov/2026:23:20:00 +0000",
                "timeEpoch": 1_795_216_800_000_u64,
                "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"},
            },
            "isBase64Encoded": false,
        });
        Self { event }
    }

    /// The sample event of a function, `events/<function>.json`, with the deployment's token.
    #[must_use]
    pub fn sample(function: &str) -> Self {
        let event = serde_json::from_str(&sample_event(function)).expect("a sample is JSON");
        Self { event }.header("authorization", &format!("Bearer {TOKEN}"))
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl std::fmt::Display) -> Self {
        self.event["body"] = body.to_string().into();
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    /// Without a token.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        let headers = self.event["headers"].as_object_mut().expect("an event has headers");
        headers.remove("authorization");
        self
    }

    /// As a handler gets it.
    #[must_use]
    pub fn request(&self) -> Request {
        request(&self.event.to_string())
    }

    /// What the handler answers behind the rules of the route that serves this request.
    pub async fn to<H, F>(self, instance: &Instance, handler: H) -> Answer
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        self.response(instance, handler).await.into()
    }

    /// The same, as Lambda gets it.
    pub async fn response<H, F>(&self, instance: &Instance, handler: H) -> Response<Body>
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let http = &self.event["requestContext"]["http"];
        let part = |name: &str| http[name].as_str().unwrap_or_default();
        let endpoint = routes::serving(part("method"), part("path"));
        handle(endpoint, &instance.app, self.request(), handler).await
    }
}

impl From<Response<Body>> for Answer {
    fn from(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Self { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

impl Answer {
    /// The code of a failure, or `""`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// The field at fault, or `""`.
    #[must_use]
    pub fn field(&self) -> &str {
        self.body["field"].as_str().unwrap_or_default()
    }
}

/// The sample event of a function, `events/<function>.json`, as its handler gets it.
#[must_use]
pub fn sample(function: &str) -> Request {
    request(&sample_event(function))
}

/// The message of the sample event of a function that a queue feeds.
#[must_use]
pub fn sample_message(function: &str) -> Delivery {
    let event: Value = serde_json::from_str(&sample_event(function)).expect("JSON");
    delivery(event["Records"][0]["body"].as_str().expect("a message"))
}

/// A message as a worker gets it for the first time.
#[must_use]
pub fn delivery(body: &str) -> Delivery {
    Delivery { body: body.to_owned(), receipt: "receipt".to_owned(), attempt: 1 }
}

fn sample_event(function: &str) -> String {
    let path = root().join(format!("events/{function}.json"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn request(event: &str) -> Request {
    lambda_http::request::from_str(event).expect("an event of an HTTP API")
}

/// The variable parts of the path, as the gateway finds them.
fn parameters(method: &str, path: &str) -> Value {
    let route = routes::routes().find(|(route, _)| route.method == method && route.matches(path));
    let parts = route.into_iter().flat_map(|(route, _)| route.path.split('/').zip(path.split('/')));
    let named = parts.filter_map(|(own, given)| {
        let name = own.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), Value::from(given)))
    });
    Value::Object(named.collect())
}
