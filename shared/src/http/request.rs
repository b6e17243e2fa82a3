//! Strict reading of requests: a missing, unknown, malformed or out-of-range field is a 400 that
//! names it.

use std::{fmt::Display, str::FromStr};

use lambda_http::{Request, RequestExt, http::HeaderName, request::RequestContext};
use serde::de::DeserializeOwned;
use serde_path_to_error::Track;

use super::ApiError;
use crate::{
    access::Caller,
    idempotency::IdempotencyKey,
    json::{self, FieldError, FromJson},
    time::Timestamp,
};

/// Reads the JSON object in the body.
pub fn body<T: FromJson>(request: &Request) -> Result<T, ApiError> {
    let value = json::document(request.body()).and_then(T::from_json);
    value.map_err(|error| invalid(&error, "body"))
}

/// Reads the query string.
pub fn query<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    let text = request.uri().query().unwrap_or_default();
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    let mut track = Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(pairs, &mut track)).map_err(|error| {
        let error = FieldError::of_query(&track.path().to_string(), &error.to_string());
        invalid(&error, "query")
    })
}

/// Reads a variable segment of the path, such as `{id}`.
pub fn path_parameter<T: FromStr<Err: Display>>(
    request: &Request,
    name: &str,
) -> Result<T, ApiError> {
    let parameters = request.path_parameters();
    let value = parameters.first(name).ok_or_else(|| ApiError::invalid(name, "is missing"))?;
    value.parse().map_err(|error| ApiError::invalid(name, error))
}

/// Returns when the gateway received the request; `None` if its event says 0, as the sample that
/// can be sent at any time does.
#[must_use]
pub fn received_at(request: &Request) -> Option<Timestamp> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV2(context) => {
            Some(context.time_epoch).filter(|millis| *millis > 0).map(Timestamp::from_millis)
        }
        _ => None,
    }
}

/// Reads the version that `If-Match` requires; `None` without the header or with `*`.
pub fn if_match(request: &Request) -> Result<Option<u64>, ApiError> {
    let Some(header) = request.headers().get("if-match") else { return Ok(None) };
    if header == "*" {
        return Ok(None);
    }
    let tag = header.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let version =
        tag.and_then(|tag| tag.parse().ok().filter(|version: &u64| version.to_string() == tag));
    version.map(Some).ok_or_else(|| ApiError::invalid("If-Match", "must be one ETag, or *"))
}

/// Returns whether `If-None-Match` lists this hash, or is `*`.
#[must_use]
pub fn if_none_match(request: &Request, hash: &str) -> bool {
    let tags = header(request, "if-none-match").unwrap_or_default().split(',').map(str::trim);
    tags.map(|tag| tag.trim_start_matches("W/").trim_matches('"'))
        .any(|tag| tag == hash || tag == "*")
}

/// Returns the id of the API through which the request came.
#[must_use]
pub fn api_id(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.apiid.clone(),
        _ => None,
    }
}

/// Returns a header, if it is present and ASCII.
#[must_use]
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// Returns who sent a request, as the access of its endpoint found.
#[must_use]
pub fn caller(request: &Request) -> Caller {
    request.extensions().get().copied().unwrap_or(Caller::Anonymous)
}

/// Reads the header `Idempotency-Key` as a key of the caller, if it is present.
pub fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>, ApiError> {
    const NAME: HeaderName = HeaderName::from_static("idempotency-key");
    let mut values = request.headers().get_all(NAME).iter();
    let key = values.next().map(|value| value.as_bytes().try_into()).transpose();
    let key = key.map_err(|error| ApiError::invalid("Idempotency-Key", error))?;
    match values.next() {
        None => Ok(key.map(|key: IdempotencyKey| key.of(caller(request)))),
        Some(_) => Err(ApiError::invalid("Idempotency-Key", "must be given once")),
    }
}

/// Names the invalid field, which is empty for the whole.
fn invalid(error: &FieldError, whole: &str) -> ApiError {
    ApiError::invalid(if error.field().is_empty() { whole } else { error.field() }, error.problem())
}
