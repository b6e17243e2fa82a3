//! What became of an attempt to deliver.

use std::{
    fmt, io,
    time::{Duration, SystemTime},
};

use hyper::{HeaderMap, StatusCode, header};

use super::{BlockedAddress, resolve::ResolveError};
use crate::time::Timestamp;

/// The longest `Retry-After` that is honoured: longer than any outage that a receiver plans, and short enough for a queue,
/// which hides a message for 12 hours at most.
pub const MAX_RETRY_AFTER: Duration = Duration::from_hours(6);

/// What became of an attempt to deliver.
#[derive(Debug)]
pub enum Outcome {
    /// The receiver has it: it answered 2xx.
    Delivered,
    /// It may succeed later. The receiver may have it all the same: an answer can be lost.
    Retryable {
        /// What went wrong.
        cause: DeliveryError,
        /// How long the receiver asked to be left alone, at most [`MAX_RETRY_AFTER`].
        retry_after: Option<Duration>,
    },
    /// It is not to be tried again.
    Permanent {
        /// Why.
        reason: PermanentFailure,
    },
}

/// What went wrong in one attempt.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The attempt as a whole took too long.
    #[error("timed out")]
    TimedOut,
    /// The name could not be looked up.
    #[error("the host's name could not be looked up: {0}")]
    NameResolution(#[source] io::Error),
    /// No connection stood.
    #[error("could not connect: {0}")]
    Connect(#[source] io::Error),
    /// The receiver's certificate is not to be trusted, or there was no agreement on a cipher.
    #[error("TLS failed: {0}")]
    Tls(#[source] io::Error),
    /// The connection broke, or what came was not HTTP.
    #[error("no answer: {0}")]
    NoResponse(#[source] hyper::Error),
    /// The receiver answered something other than 2xx. A redirect is such an answer: it is not followed.
    #[error("answered {}", .0.as_u16())]
    Status(StatusCode),
}

/// Why a delivery is not to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PermanentFailure {
    /// The guard forbids it.
    #[error(transparent)]
    Blocked(#[from] BlockedAddress),
    /// The receiver answered 410: it wants no more.
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

/// One line for a log; it names neither the URL nor anything that the receiver said.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delivered => f.write_str("delivered"),
            Self::Retryable { cause, retry_after: None } => write!(f, "later: {cause}"),
            Self::Retryable { cause, retry_after: Some(pause) } => {
                write!(f, "later: {cause}, not before {pause:?}")
            }
            Self::Permanent { reason } => write!(f, "refused: {reason}"),
        }
    }
}

/// The header in either of its forms, seconds or a date (RFC 9110, 10.2.3). What is neither is as if it were not there.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let pause = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than there are numbers for are too many all the same.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now.as_millis().try_into().ok()?);
        // A moment that has passed: there is no need to wait.
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(pause.min(MAX_RETRY_AFTER))
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
    fn every_2xx_is_delivered_410_is_final_and_the_rest_may_succeed_later() {
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
    fn retry_after_is_honoured_in_seconds_and_as_a_date() {
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
            assert_eq!(retry_after.map(|pause| pause.as_secs()), seconds, "{text:?}");
        }
    }

    #[test]
    fn an_outcome_reads_as_one_line() {
        assert_eq!(of(204, None).to_string(), "delivered");
        assert_eq!(of(503, Some("7")).to_string(), "later: answered 503, not before 7s");
        assert_eq!(of(410, None).to_string(), "refused: answered 410: the receiver is gone");
        assert_eq!(Outcome::from(DeliveryError::TimedOut).to_string(), "later: timed out");
    }
}
