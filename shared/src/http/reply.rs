//! Replies to callers.

use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;

use crate::{digest::sha256, time::Minute};

/// The minute that a reply of uniques refers to.
pub(super) const MINUTE: &str = "x-minute";

/// A status, headers and a body of UTF-8 text.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    /// A reply with a status and a body of some media type.
    #[must_use]
    pub fn new(status: StatusCode, media_type: &'static str, body: impl Into<String>) -> Self {
        let body: String = body.into();
        Self::bare(status, body.into_bytes()).header(header::CONTENT_TYPE, media_type)
    }

    /// A reply with a status and a value as JSON.
    ///
    /// # Panics
    /// If the value has no form as JSON: a map with keys that are not strings, or a failing
    /// serializer.
    #[must_use]
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        Self::json_as(status, "application/json", body)
    }

    pub(super) fn json_as(
        status: StatusCode,
        media_type: &'static str,
        body: &impl Serialize,
    ) -> Self {
        let body = serde_json::to_vec(body).expect("replies have string keys and finite numbers");
        Self::bare(status, body).header(header::CONTENT_TYPE, media_type)
    }

    /// 200 with a value as JSON.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, body)
    }

    /// 200 with plain text.
    #[must_use]
    pub fn text(text: &'static str) -> Self {
        Self::plain(StatusCode::OK, text)
    }

    /// 201 with the new resource and its URL.
    #[must_use]
    pub fn created(location: &str, body: &impl Serialize) -> Self {
        Self::json(StatusCode::CREATED, body).header(header::LOCATION, location)
    }

    /// 202 with the URL that shows the progress of the work.
    #[must_use]
    pub fn accepted(location: &str, body: &impl Serialize) -> Self {
        Self::json(StatusCode::ACCEPTED, body).header(header::LOCATION, location)
    }

    /// 204
    #[must_use]
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// A reply without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self::bare(status, Vec::new())
    }

    /// 200 with a text and its SHA-256 as `ETag`, or 304 where `is_cached` says that the caller has
    /// this hash ([`super::if_none_match`]).
    #[must_use]
    pub fn cacheable(
        media_type: &'static str,
        text: &str,
        is_cached: impl Fn(&str) -> bool,
    ) -> Self {
        let hash = sha256(text.as_bytes());
        let reply = if is_cached(&hash) {
            Self::empty(StatusCode::NOT_MODIFIED)
        } else {
            Self::new(StatusCode::OK, media_type, text)
        };
        reply.header(header::ETAG, &format!("\"{hash}\""))
    }

    /// Adds the version of the resource as `ETag`; `If-Match` names it in later changes.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header(header::ETAG, &format!("\"{version}\""))
    }

    /// Adds `Idempotent-Replayed` if an earlier request with the same idempotency key did the work.
    #[must_use]
    pub fn replayed(self, replayed: bool) -> Self {
        let name = HeaderName::from_static("idempotent-replayed");
        if replayed { self.header(name, "true") } else { self }
    }

    /// Adds the minute that the reply refers to.
    #[must_use]
    pub fn minute(self, minute: Minute) -> Self {
        self.header(HeaderName::from_static(MINUTE), &minute.to_string())
    }

    /// Sets a header. A value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(super) fn plain(status: StatusCode, text: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    fn bare(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    pub(super) fn into_response(self) -> Response<Body> {
        // Lambda passes text on as it is; bytes it would encode in base64.
        let text = String::from_utf8(self.body).expect("JSON and text are UTF-8");
        let mut response = Response::new(Body::Text(text));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
