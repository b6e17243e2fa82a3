//! Cross-origin resource sharing: which pages may call the API from a browser.

use std::time::Duration;

use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Bytes,
    header::{
        ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS,
        ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderName, HeaderValue, ORIGIN,
        VARY,
    },
};

/// Every header that CORS gives to a response.
const RESPONSE_HEADERS: [HeaderName; 6] = [
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
];

/// The CORS configuration of the API.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Origins such as `https://shop.example`, `https://*` for all of a scheme, `*` for all.
    pub allow_origins: Vec<String>,
    /// The methods that a page may use.
    pub allow_methods: Vec<String>,
    /// The request headers that a page may set.
    pub allow_headers: Vec<String>,
    /// The response headers that a page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: Duration,
}

/// Whether a browser asks with this request what its page may do.
pub(super) fn is_preflight<B>(request: &Request<B>) -> bool {
    let has = |name| request.headers().contains_key(name);
    request.method() == Method::OPTIONS && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
}

impl Cors {
    /// Returns what a page of an allowed origin may do.
    pub(super) fn preflight(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        set(headers, ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods.join(","));
        set(headers, ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers.join(","));
        set(headers, ACCESS_CONTROL_MAX_AGE, &self.max_age.as_secs().to_string());
        response
    }

    /// Names the headers of a response that its page may read. Those that a function set for CORS
    /// are removed: the configuration alone decides.
    pub(super) fn expose(&self, headers: &mut HeaderMap) {
        remove_all(headers);
        set(headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(","));
    }

    /// Allows the response to the origin of its request; without an allowed one, all CORS headers
    /// are removed.
    pub(super) fn allow(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let allows_all = self.allow_origins.iter().any(|allowed| allowed == "*");
        if !allows_all {
            headers.append(VARY, HeaderValue::from_static("origin"));
        }
        match origin {
            Some(_) if allows_all => set(headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            Some(origin) if self.lists(origin) => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
            _ => remove_all(headers),
        }
    }

    fn lists(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        self.allow_origins.iter().any(|allowed| match allowed.strip_suffix("://*") {
            Some(scheme) => origin.split_once("://").is_some_and(|(given, _)| given == scheme),
            None => allowed == origin,
        })
    }
}

/// Sets a header. A value that no header can hold, and an empty one, is left out.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Some(value) = HeaderValue::from_str(value).ok().filter(|value| !value.is_empty()) {
        headers.insert(name, value);
    }
}

fn remove_all(headers: &mut HeaderMap) {
    for name in RESPONSE_HEADERS {
        headers.remove(name);
    }
}
