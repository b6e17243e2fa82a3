//! The response as a client receives it.

use http_body_util::Full;
use hyper::{
    HeaderMap, Response,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue, SET_COOKIE},
};
use lambda_http::Body;
use tracing::error;

use super::{error::GatewayError, head::is_of_connection};

/// Converts a function's response, of at most `limit` bytes as Lambda counts them.
pub(super) fn from_lambda(
    response: Response<Body>,
    limit: usize,
) -> Result<Response<Full<Bytes>>, GatewayError> {
    let (mut parts, body) = response.into_parts();
    let size = encoded_len(&body);
    if size > limit {
        error!(size, limit, "Response of a function is too large");
        return Err(GatewayError::FunctionFailed);
    }
    parts.headers = client_headers(&parts.headers);
    let bytes = match body {
        Body::Text(text) => Bytes::from(text),
        Body::Binary(bytes) => Bytes::from(bytes),
        _ => Bytes::new(),
    };
    if !bytes.is_empty() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        parts.headers.entry(CONTENT_TYPE).or_insert(text);
    }
    Ok(Response::from_parts(parts, Full::new(bytes)))
}

/// Returns the headers that reach a client: of a doubled one the first alone, since `lambda_http`
/// passes no more on, but every cookie.
fn client_headers(headers: &HeaderMap) -> HeaderMap {
    let mut sent = HeaderMap::with_capacity(headers.len());
    for name in headers.keys().filter(|name| !is_of_connection(name)) {
        let most = if name == SET_COOKIE { usize::MAX } else { 1 };
        for value in headers.get_all(name).iter().take(most) {
            sent.append(name, value.clone());
        }
    }
    sent
}

/// The size of a body within the JSON of a function's response.
fn encoded_len(body: &Body) -> usize {
    match body {
        Body::Text(text) => text.bytes().map(escaped_len).sum(),
        Body::Binary(bytes) => bytes.len().div_ceil(3) * 4,
        _ => 0,
    }
}

/// The size of a byte within a JSON string.
fn escaped_len(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_as_large_as_in_json() {
        let texts =
            ["", "plain", "{\"a\":\"\\n\"}\r\n\t", "\u{1}\u{8}\u{c}\u{1f}\u{7f}", "grün ☕"];
        for text in texts {
            let json = serde_json::to_string(text).expect("JSON");
            assert_eq!(encoded_len(&Body::from(text)), json.len() - 2, "{text:?}");
        }
        for len in 0..7 {
            let body = Body::from(vec![7; len]);
            let json = serde_json::to_string(&body).expect("JSON");
            assert_eq!(encoded_len(&body), json.len() - 2, "{len}");
        }
    }
}
