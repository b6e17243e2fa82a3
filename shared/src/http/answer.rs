//! Answers, as they are sent.

use lambda_http::{
    Body, Response,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
};
use serde::Serialize;

use crate::{
    company::{Asked, How},
    digest::sha256,
    operations::{Report, Status},
    settlement::{Content, Download},
    time::{Minute, Timestamp},
};

/// The minute in which an id was looked for.
pub(super) const MINUTE: &str = "x-minute";

/// How figures came about.
const ONCE: &str = "x-once";

/// What a document may do: have a style of its own.
const SELF_CONTAINED: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A status, headers and a body: JSON, a word, or a file.
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

    /// 202, and where it can be seen how far the work is.
    #[must_use]
    pub fn accepted(location: &str, body: &impl Serialize) -> Self {
        Self::new(StatusCode::ACCEPTED, "application/json", body).header(header::LOCATION, location)
    }

    /// A file: 200 with all of it, 302 with a link to it, or 304 for who has it.
    #[must_use]
    pub fn file(file: Download) -> Self {
        let tag = format!("\"{}\"", file.sha256);
        let reply = match file.content {
            Content::Known => Self::bare(StatusCode::NOT_MODIFIED, Vec::new()),
            Content::Link(url) => Self::bare(StatusCode::FOUND, Vec::new()).header(header::LOCATION, &url),
            Content::Text(text) => Self::bare(StatusCode::OK, text.into_bytes())
                .header(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")
                .header(header::CONTENT_DISPOSITION, &file.disposition),
        };
        // Whoever keeps it asks each time whether it is still the same.
        reply.header(header::ETAG, &tag).header(header::CACHE_CONTROL, "private, no-cache")
    }

    /// A text that is a part of this build: 200 with all of it, or 304 for who has it, by its SHA-256. A browser that shows it loads
    /// nothing else and runs nothing.
    #[must_use]
    pub fn document(media_type: &'static str, text: &'static str, known: impl Fn(&str) -> bool) -> Self {
        Self::unless_known(media_type, text, known)
            .header(header::CACHE_CONTROL, "max-age=300")
            .header(header::CONTENT_SECURITY_POLICY, SELF_CONTAINED)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// Figures as they were computed, and for how long they hold at this moment: 200 with the bytes that all callers get, or 304 for
    /// who has them, by their SHA-256.
    #[must_use]
    pub fn figures(asked: &Asked, now: Timestamp, known: impl Fn(&str) -> bool) -> Self {
        let Asked { answer, how } = asked;
        // This machine's clock may be behind that of the worker.
        let now = now.max(answer.computed_at);
        let age = now.since(answer.computed_at).as_secs();
        // From their computation on, as caches count it: what is left is this less the age (RFC 9111).
        let lifetime = answer.expires_at.since(answer.computed_at).as_secs();
        let how = match how {
            How::Computed => "computed",
            How::Joined => "joined",
            How::Cached => "cached",
        };
        Self::unless_known("application/json", &answer.body, known)
            .header(header::AGE, &age.to_string())
            // They are the same for everybody, so caches on the way may keep them, too.
            .header(header::CACHE_CONTROL, &format!("max-age={lifetime}"))
            .header(HeaderName::from_static(ONCE), how)
    }

    /// 200 with a text, or 304 for who knows its SHA-256.
    fn unless_known(media_type: &'static str, text: &str, known: impl Fn(&str) -> bool) -> Self {
        let hash = sha256(text.as_bytes());
        let reply = if known(&hash) {
            Self::bare(StatusCode::NOT_MODIFIED, Vec::new())
        } else {
            Self::bare(StatusCode::OK, text.into()).header(header::CONTENT_TYPE, media_type)
        };
        reply.header(header::ETAG, &format!("\"{hash}\""))
    }

    /// How the deployment is: 200 as long as it works, else 503. Nobody keeps it.
    #[must_use]
    pub fn health(report: &Report) -> Self {
        let status = match report.status {
            Status::Healthy | Status::Degraded => StatusCode::OK,
            Status::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, "application/json", report).header(header::CACHE_CONTROL, "no-store")
    }

    /// 200, in Prometheus's text format. Nobody keeps it.
    #[must_use]
    pub fn exposition(text: String) -> Self {
        Self::bare(StatusCode::OK, text.into_bytes())
            .header(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")
            .header(header::CACHE_CONTROL, "no-store")
    }

    /// 204
    #[must_use]
    pub fn nothing() -> Self {
        Self::bare(StatusCode::NO_CONTENT, Vec::new())
    }

    /// At this version, which `If-Match` names when it is changed.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.header(header::ETAG, &format!("\"{version}\""))
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
        Self::bare(status, text.into()).header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
    }

    fn bare(status: StatusCode, body: Vec<u8>) -> Self {
        Self { status, headers: HeaderMap::new(), body }
    }

    pub(super) fn new(status: StatusCode, media_type: &'static str, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("answers have text keys and finite numbers");
        Self::bare(status, body).header(header::CONTENT_TYPE, media_type)
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
        let text = String::from_utf8(self.body).expect("JSON, words and files are UTF-8");
        let mut response = Response::new(Body::Text(text));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
