//! Answers, as they are sent.

use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;

use crate::time::Minute;

/// The minute in which an id was looked for.
pub(super) const MINUTE: &str = "x-minute";

/// A status, headers and a body: JSON, or text for the endpoints that answer in one word.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// 200
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::new(StatusCode::OK, "application/json", body)
    }

    /// 200, in one word.
    #[must_use]
    pub fn word(word: &'static str) -> Self {
        Self::text(StatusCode::OK, word)
    }

    /// 201, and where the new thing is found.
    #[must_use]
    pub fn created(location: &str, body: &impl Serialize) -> Self {
        Self::new(StatusCode::CREATED, "application/json", body).header(header::LOCATION, location)
    }

    /// An earlier request with the same idempotency key did this.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        if replayed { self.header(HeaderName::from_static("idempotent-replayed"), "true") } else { self }
    }

    /// Which minute the answer is about.
    #[must_use]
    pub fn minute(self, minute: Minute) -> Self {
        self.header(HeaderName::from_static(MINUTE), &minute.to_string())
    }

    pub(super) fn text(status: StatusCode, text: &'static str) -> Self {
        let media_type = HeaderValue::from_static("text/plain; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media_type)]);
        Self { status, headers, body: text.into() }
    }

    pub(super) fn new(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers have text keys and finite numbers");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        Self { status, headers, body }
    }

    /// With one more header; a value that no header can hold is left out.
    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn into_response(self) -> Response<Body> {
        // As text it is passed on as it is, not in base64.
        let text = String::from_utf8(self.body).expect("JSON and words are UTF-8");
        let mut response = Response::new(Body::Text(text));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
