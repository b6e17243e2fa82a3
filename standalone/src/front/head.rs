//! Which requests are refused before routing.

use hyper::{
    HeaderMap, Version,
    header::{
        CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, HeaderValue, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE,
    },
};
use lambda_http::http::request::Parts;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{Limits, error::GatewayError};

/// Headers that concern one connection and not the request or response on it.
const OF_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether a header concerns one connection, so that it is not passed on.
pub(super) fn is_of_connection(name: &HeaderName) -> bool {
    OF_CONNECTION.contains(name)
}

/// Refuses heads that are too large, and those without one valid host.
pub(super) fn check(head: &Parts, limits: &Limits) -> Result<(), GatewayError> {
    let uri = head.uri.path_and_query().map_or(0, |uri| uri.as_str().len());
    if uri > limits.uri {
        return Err(GatewayError::UriTooLong);
    }
    let request_line = head.method.as_str().len() + uri + "  HTTP/1.1\r\n".len();
    let headers = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
    if request_line + headers.sum::<usize>() > limits.head {
        return Err(GatewayError::HeadTooLarge);
    }
    if has_host(&head.headers, head.version) { Ok(()) } else { Err(GatewayError::BadRequest) }
}

/// HTTP/1.1 requires one host (RFC 9112, 3.2), and `lambda_http` panics if it makes no URL.
fn has_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => is_host(host),
        (None, _) => version == Version::HTTP_10,
        _ => false,
    }
}

fn is_host(value: &HeaderValue) -> bool {
    value.to_str().is_ok_and(|host| {
        !host.contains(['/', '\\', '?', '#', '@']) && Url::parse(&format!("http://{host}/")).is_ok()
    })
}

/// Returns the path as the gateway matches it: percent-decoded.
pub(super) fn path(head: &Parts) -> Result<String, GatewayError> {
    let decoded = percent_decode_str(head.uri.path()).decode_utf8();
    let decoded = decoded.map_err(|_| GatewayError::BadRequest)?;
    if decoded.starts_with('/') { Ok(decoded.into_owned()) } else { Err(GatewayError::BadRequest) }
}
