//! The stack's HTTP API, as a careful client calls it: what got no answer is asked again with the same idempotency key.

use std::{
    cell::Cell,
    env, fmt,
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

/// Tries of one request. Lambda and the gateway turn away what comes too fast (429, 503): that is asked again.
const TRIES: usize = 40;

/// A stack.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    client: Client,
    token: Option<String>,
    sent: Arc<AtomicU64>,
}

/// An answer that is final: done, or refused for a reason.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body; what is not JSON is a text.
    pub body: Value,
    /// An earlier try may have been carried out, too: its answer was lost or said nothing of it.
    pub repeated: bool,
    headers: HeaderMap,
}

/// No final answer, after all tries.
#[derive(Debug)]
pub enum Failure {
    /// The connection failed or the answer could not be read.
    Unreachable(reqwest::Error),
    /// The stack asked to try later, each time.
    Unavailable(StatusCode, Value),
}

impl Answer {
    /// A header of it, if it is a text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Failure {
    /// The request may have been carried out all the same. One that was turned away as too many was not.
    fn may_be_done(&self) -> bool {
        !matches!(self, Self::Unavailable(StatusCode::TOO_MANY_REQUESTS, _))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "no answer: {error}"),
            Self::Unavailable(status, body) => {
                let code = body["error"]["code"].as_str().unwrap_or_default();
                write!(f, "{} {code} after {TRIES} tries", status.as_u16())
            }
        }
    }
}

impl std::error::Error for Failure {}

impl Api {
    /// The stack at this URL, with the token in the variable `ONCE_TOKEN`, if it asks for one.
    pub fn new(base: &str) -> Result<Self, reqwest::Error> {
        let client =
            Client::builder().timeout(Duration::from_mins(1)).redirect(Policy::none()).build()?;
        let token = env::var("ONCE_TOKEN").ok();
        Ok(Self {
            base: base.trim_end_matches('/').to_owned(),
            client,
            token,
            sent: Arc::default(),
        })
    }

    /// `GET path`
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, &self.at(path), None).await
    }

    /// `GET` of a link that an answer gave.
    pub async fn follow(&self, link: &str) -> Result<Answer, Failure> {
        self.send(Method::GET, link, None).await
    }

    /// `POST path`, once however often it must be sent.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::POST, &self.at(path), Some(body)).await
    }

    /// `PUT path`: to send it again changes nothing.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.send(Method::PUT, &self.at(path), Some(body)).await
    }

    /// `DELETE path`
    pub async fn delete(&self, path: &str) -> Result<Answer, Failure> {
        self.send(Method::DELETE, &self.at(path), None).await
    }

    /// Requests sent so far, those sent again included.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let key = Uuid::new_v7(Timestamp::now(NoContext)).to_string();
        let pauses = ExponentialBuilder::new()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(1))
            .with_max_times(TRIES - 1)
            .with_jitter();
        let repeated = Cell::new(false);
        let answer = (|| self.try_once(method.clone(), url, body, &key))
            .retry(pauses)
            .notify(|failure, _| repeated.set(repeated.get() || failure.may_be_done()))
            .await?;
        Ok(Answer { repeated: repeated.get(), ..answer })
    }

    async fn try_once(
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
        // Nobody but the stack gets it: a link may lead elsewhere.
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
        Ok(Answer { status, body, repeated: false, headers })
    }
}
