//! Client of the stack's HTTP API. It retries requests with the same idempotency key until they get
//! a final answer.

use std::{
    cell::Cell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use backon::{ExponentialBuilder, Retryable};
use reqwest::{Client, Method, StatusCode, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use uuid::{NoContext, Timestamp, Uuid};

/// Attempts per request. Lambda and the gateway throttle with 429 or 503, which is retried.
const MAX_ATTEMPTS: usize = 40;

/// The API of a stack.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    client: Client,
    token: Option<String>,
    sent: Arc<AtomicU64>,
}

/// A final answer: success, or an error that a retry does not change.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: StatusCode,
    /// Body; a JSON string with the text if it is not JSON.
    pub body: Value,
    /// An earlier attempt may have been executed as well, because its answer was lost or did not
    /// rule that out.
    pub retried: bool,
    headers: HeaderMap,
}

/// No final answer after all attempts.
#[derive(Debug)]
pub enum Failure {
    /// The connection failed, or the answer could not be read.
    Unreachable(reqwest::Error),
    /// Every attempt was throttled or failed in the stack.
    Unavailable(StatusCode, Value),
}

impl Answer {
    /// Returns a header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Failure {
    /// Returns whether the request may have been executed. A throttled one (429) was not.
    fn may_be_executed(&self) -> bool {
        !matches!(self, Self::Unavailable(StatusCode::TOO_MANY_REQUESTS, _))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "no answer: {error}"),
            Self::Unavailable(status, body) => {
                let code = body["error"]["code"].as_str().unwrap_or_default();
                write!(f, "{} {code} after {MAX_ATTEMPTS} attempts", status.as_u16())
            }
        }
    }
}

impl std::error::Error for Failure {}

impl Api {
    /// Returns a client of the stack at this URL, which sends the token.
    pub fn new(base: &str, token: Option<String>) -> Result<Self, reqwest::Error> {
        let client =
            Client::builder().timeout(Duration::from_mins(1)).redirect(Policy::none()).build()?;
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            client,
            token,
            sent: Arc::default(),
        })
    }

    /// Sends `GET path`.
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, &self.url(path), None).await
    }

    /// Sends `GET` to a link from an answer.
    pub async fn follow(&self, link: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, link, None).await
    }

    /// Sends `POST path`, whose retries have no further effect.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, &self.url(path), Some(body)).await
    }

    /// Sends `PUT path`, which is idempotent.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::PUT, &self.url(path), Some(body)).await
    }

    /// Sends `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, &self.url(path), None).await
    }

    /// Returns the number of requests sent so far, retries included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let key = Uuid::new_v7(Timestamp::now(NoContext)).to_string();
        let backoff = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(MAX_ATTEMPTS - 1)
            .with_jitter();
        let retried = Cell::new(false);
        let answer = (|| self.attempt(method.clone(), url, body, &key))
            .retry(backoff)
            .notify(|failure, _| retried.set(retried.get() || failure.may_be_executed()))
            .await?;
        Ok(Answer { retried: retried.get(), ..answer })
    }

    async fn attempt(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
        key: &str,
    ) -> Result<Answer, Failure> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.header("idempotency-key", key).json(body);
        }
        // A link may lead to another host, which must not get the token.
        if let Some(token) = self.token.as_ref().filter(|_| url.starts_with(&self.base)) {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(Failure::Unreachable)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.map_err(Failure::Unreachable)?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Unavailable(status, body));
        }
        Ok(Answer { status, body, retried: false, headers })
    }
}
