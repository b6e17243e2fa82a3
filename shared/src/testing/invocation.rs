//! Requests as API Gateway passes them to handlers (HTTP API, payload format 2.0), and their
//! responses; messages as workers receive them.

use std::{fs, time::Duration};

use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use super::{Instance, TOKEN, root};
use crate::{
    App,
    http::{ApiError, Reply, handle},
    invocation::Invocation,
    routes,
    sqs::Delivery,
    time::Timestamp,
};

/// A request to a handler, built step by step.
#[derive(Debug, Clone)]
pub struct Call {
    event: Value,
    received_at: Option<Timestamp>,
}

/// A response with its body parsed as JSON.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: lambda_http::http::HeaderMap,
    /// The body; `null` if it is not JSON.
    pub body: Value,
}

impl Call {
    /// Creates a request with the deployment's token and without a body. `path` may have a query.
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
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test",
                },
            },
            "isBase64Encoded": false,
        });
        Self { event, received_at: None }
    }

    /// Creates the request of a function's sample event, `events/<function>.json`. It has the
    /// token [`TOKEN`] where the function requires one.
    #[must_use]
    pub fn sample(function: &str) -> Self {
        let event = serde_json::from_str(&sample_event(function)).expect("a sample is JSON");
        Self { event, received_at: None }
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl std::fmt::Display) -> Self {
        self.event["body"] = body.to_string().into();
        self
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.event["headers"][name] = value.into();
        self
    }

    /// Sets when the gateway received the request. Without it, that is the instance's time.
    #[must_use]
    pub fn received_at(self, time: Timestamp) -> Self {
        Self { received_at: Some(time), ..self }
    }

    /// Removes the token.
    #[must_use]
    pub fn anonymous(mut self) -> Self {
        let headers = self.event["headers"].as_object_mut().expect("an event has headers");
        headers.remove("authorization");
        self
    }

    /// Returns the request as a handler receives it.
    #[must_use]
    pub fn request(&self) -> Request {
        request(&self.event.to_string())
    }

    /// Sends the request to a handler under the rules of its route (access, query, body, format of
    /// errors) and returns the parsed response.
    pub async fn to<H, F>(self, instance: &Instance, handler: H) -> Answer
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        self.response(instance, handler).await.into()
    }

    /// Same as [`to`](Self::to), but returns the response as Lambda receives it.
    pub async fn response<H, F>(&self, instance: &Instance, handler: H) -> Response<Body>
    where
        H: Fn(App, Request) -> F,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let http = &self.event["requestContext"]["http"];
        let part = |name: &str| http[name].as_str().unwrap_or_default();
        let endpoint = routes::serving(part("method"), part("path"));
        let received_at = self.received_at.unwrap_or_else(|| instance.app.now());
        let mut event = self.event.clone();
        event["requestContext"]["timeEpoch"] = received_at.as_millis().into();
        let invocation = Invocation::starting(Duration::from_mins(5));
        handle(endpoint, &instance.app, invocation, request(&event.to_string()), handler).await
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
    /// Returns the error code, or `""`.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    /// Returns the invalid field, or `""`.
    #[must_use]
    pub fn field(&self) -> &str {
        self.body["field"].as_str().unwrap_or_default()
    }
}

/// Returns the sample event of a function, `events/<function>.json`, as its handler receives it.
#[must_use]
pub fn sample(function: &str) -> Request {
    request(&sample_event(function))
}

/// Returns the message in the sample event of a function that a queue triggers.
#[must_use]
pub fn sample_message(function: &str) -> Delivery {
    let event: Value = serde_json::from_str(&sample_event(function)).expect("JSON");
    delivery(event["Records"][0]["body"].as_str().expect("a message"))
}

/// Returns a message as a worker receives it at the first attempt.
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

/// Returns the path parameters as the gateway extracts them.
fn parameters(method: &str, path: &str) -> Value {
    let route = routes::routes().find(|(route, _)| route.method == method && route.matches(path));
    let parts = route.into_iter().flat_map(|(route, _)| route.path.split('/').zip(path.split('/')));
    let parameters = parts.filter_map(|(pattern, value)| {
        let name = pattern.strip_prefix('{')?.strip_suffix('}')?;
        Some((name.to_owned(), Value::from(value)))
    });
    Value::Object(parameters.collect())
}
