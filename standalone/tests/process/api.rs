//! A client of the API that sends a request once.

use std::{fmt, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request,
    body::Bytes,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const ORDER_TOKEN: HeaderName = HeaderName::from_static("order-token");

/// How long a process may take to answer: longer than any time-out of its own.
const MAX_WAIT: Duration = Duration::from_mins(1);

/// The API of a process.
#[derive(Clone)]
pub struct Api {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    token: Option<String>,
}

/// A request, which can be sent again.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    path: String,
    key: Option<String>,
    order_token: Option<String>,
    body: Option<Value>,
}

/// A response that arrived as a whole.
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), key: None, order_token: None, body: None }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::POST, path) }
    }

    /// A `POST` without a body.
    pub fn trigger(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self { body: Some(body), ..Self::new(Method::PUT, path) }
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Adds an idempotency key.
    pub fn key(self, key: impl Into<String>) -> Self {
        Self { key: Some(key.into()), ..self }
    }

    /// Adds the token of the order.
    pub fn order_token(self, token: impl Into<String>) -> Self {
        Self { order_token: Some(token.into()), ..self }
    }
}

impl Api {
    /// A client that sends this bearer token, if any.
    pub fn new(url: &str, token: Option<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client =
            Client::builder(TokioExecutor::new()).retry_canceled_requests(false).build(connector);
        Self { client, url: url.to_owned(), token }
    }

    /// Sends a request. `None`: the process died before all of the answer was here.
    pub async fn send(&self, call: &Call) -> Option<Answer> {
        let answer = timeout(MAX_WAIT, self.exchange(call)).await;
        answer.unwrap_or_else(|_| panic!("{call:?} is not answered")).ok()
    }

    /// Sends a request to a process that lives.
    pub async fn answer(&self, call: &Call) -> Answer {
        self.send(call).await.unwrap_or_else(|| panic!("{call:?} has lost its connection"))
    }

    /// Returns the body of a successful `GET`.
    pub async fn get(&self, path: impl Into<String>) -> Value {
        let call = Call::get(path);
        self.answer(&call).await.expect(200, &call)
    }

    /// Returns all members of a list, over its pages.
    pub async fn list(&self, path: &str, member: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(format!("{path}?limit=100{cursor}")).await;
            all.extend(page[member].as_array().expect("a list").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Box<dyn std::error::Error>> {
        let mut request =
            Request::builder().method(&call.method).uri(format!("{}{}", self.url, call.path));
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = &call.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(token) = &call.order_token {
            request = request.header(ORDER_TOKEN, token);
        }
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = call.body.as_ref().map_or_else(Bytes::new, |body| body.to_string().into());
        let request = request.body(Full::new(body)).expect("a request");
        let (head, body) = self.client.request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}

impl Answer {
    /// Returns the body, which must have come with this status.
    #[track_caller]
    pub fn expect(&self, status: u16, call: &Call) -> Value {
        assert_eq!(self.status, status, "{call:?}: {self}");
        self.json()
    }

    /// Returns the body; null if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns a header, or nothing if the response does not have it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}
