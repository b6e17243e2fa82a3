//! The outcome of one attempt to deliver a webhook.

use std::{
    fmt, io,
    time::{Duration, SystemTime},
};

use hyper::{HeaderMap, StatusCode, header};

use super::{BlockedAddress, resolve::ResolveError};
use crate::time::Timestamp;

/// The longest `Retry-After` that is honored: longer than planned outages of receivers, and short
/// enough for a queue, which hides a message for at most 12 hours.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(6);

/// The outcome of one attempt.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver accepted the webhook: it answered 2xx.
    Delivered,
    /// A later attempt may succeed. The receiver may have the webhook already: a response can be
    /// lost.
    Retryable {
        /// What went wrong.
        cause: DeliveryError,
        /// The receiver's `Retry-After`, at most [`MAX_RETRY_AFTER`].
        retry_after: Option<Duration>,
    },
    /// There must be no further attempt.
    Permanent {
        /// Why.
        reason: PermanentFailure,
    },
}

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The attempt exceeded its timeout.
    #[error("timed out")]
    TimedOut,
    /// The host name could not be resolved.
    #[error("the host name could not be resolved: {0}")]
    NameResolution(#[source] io::Error),
    /// The connection could not be established.
    #[error("could not connect: {0}")]
    Connect(#[source] io::Error),
    /// The receiver's certificate is not trusted, or there is no common cipher.
    #[error("TLS handshake failed: {0}")]
    Tls(#[source] io::Error),
    /// The connection broke, or the response was not HTTP.
    #[error("no response: {0}")]
    NoResponse(#[source] hyper::Error),
    /// The receiver answered with a status other than 2xx, such as a redirect: it is not followed.
    #[error("answered {}", .0.as_u16())]
    Status(StatusCode),
}

/// Why there must be no further attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PermanentFailure {
    /// The guard blocks the address.
    #[error(transparent)]
    Blocked(#[from] BlockedAddress),
    /// The receiver answered 410: it wants no more messages.
    #[error("answered 410: the receiver is gone")]
    Gone,
}

impl Outcome {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        match status {
            _ if status.is_success() => Self::Delivered,
            StatusCode::GONE => Self::Permanent { reason: PermanentFailure::Gone },
            _ => Self::Retryable {
                cause: DeliveryError::Status(status),
                retry_after: retry_after(headers, now),
            },
        }
    }
}

impl From<DeliveryError> for Outcome {
    fn from(cause: DeliveryError) -> Self {
        Self::Retryable { cause, retry_after: None }
    }
}

impl From<ResolveError> for Outcome {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::Blocked(reason) => Self::Permanent { reason: reason.into() },
            ResolveError::NotFound(cause) => DeliveryError::NameResolution(cause).into(),
        }
    }
}

/// One line for a log, without the URL and without text from the receiver.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => f.write_str("delivered"),
            Self::Retryable { cause, retry_after: None } => write!(f, "retryable: {cause}"),
            Self::Retryable { cause, retry_after: Some(time) } => {
                write!(f, "retryable: {cause}, retry after {time:?}")
            }
            Self::Permanent { reason } => write!(f, "permanent: {reason}"),
        }
    }
}

/// Reads `Retry-After` in either form, seconds or a date (RFC 9110, 10.2.3). Any other value is
/// ignored.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let time = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that overflow are capped too.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now.as_millis().try_into().ok()?);
        // A date in the past needs no wait.
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(time.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, retry_after: Option<&'static str>) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static(text));
        }
        // Sun, 06 Nov 1994 08:49:37 GMT
        let now = Timestamp::from_millis(784_111_777_000);
        Outcome::of(StatusCode::from_u16(status).expect("a status"), &headers, now)
    }

    #[test]
    fn every_2xx_is_delivered_410_is_permanent_and_the_rest_is_retryable() {
        for status in [200, 201, 202, 204, 299] {
            assert!(matches!(of(status, None), Outcome::Delivered), "{status}");
        }
        assert!(matches!(
            of(410, Some("1")),
            Outcome::Permanent { reason: PermanentFailure::Gone }
        ));
        for status in [
            101, 300, 301, 302, 307, 308, 400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504,
            599,
        ] {
            let outcome = of(status, None);
            assert!(
                matches!(
                    outcome,
                    Outcome::Retryable { cause: DeliveryError::Status(_), retry_after: None }
                ),
                "{outcome}"
            );
        }
    }

    #[test]
    fn retry_after_is_honored_in_seconds_and_as_a_date() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", Some(120)),
            ("Sun Nov  6 08:51:37 1994", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("Sat, 06 Nov 2094 08:00:00 GMT", Some(21_600)),
            ("86400", Some(21_600)),
            ("99999999999999999999999999", Some(21_600)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
            ("1, 2", None),
            ("1994-11-06T08:51:37Z", None),
        ] {
            let outcome = of(503, Some(text));
            let Outcome::Retryable { retry_after, .. } = outcome else {
                panic!("{text}: {outcome}")
            };
            assert_eq!(retry_after.map(|time| time.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn an_outcome_is_one_line_of_a_log() {
        assert_eq!(of(204, None).to_string(), "delivered");
        assert_eq!(of(503, Some("7")).to_string(), "retryable: answered 503, retry after 7s");
        assert_eq!(of(410, None).to_string(), "permanent: answered 410: the receiver is gone");
        assert_eq!(Outcome::from(DeliveryError::TimedOut).to_string(), "retryable: timed out");
    }
}
