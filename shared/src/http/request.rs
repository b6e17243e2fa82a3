//! Requests, read strictly: whatever is missing, unknown, malformed or out of bounds is a 400 that names its field.

use lambda_http::{Request, RequestExt, http::HeaderName, request::RequestContext};
use serde::de::DeserializeOwned;
use serde_path_to_error::Track;
use uuid::{Uuid, fmt::Hyphenated};

use super::ApiError;
use crate::{
    company::CompanyId, idempotency::IdempotencyKey, limits::UnfitText, orders::ProductId, schedule::TaskId,
    settlement::JobId, tagged::Misfit,
};

/// The JSON object in the body.
pub fn body<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    let bytes: &[u8] = request.body();
    // An array would pass for an object with its fields in order.
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(ApiError::invalid("body", "a JSON object is required")),
        Some(b'{') => {}
        Some(_) => return Err(ApiError::invalid("body", "must be a JSON object")),
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_data() {
            unfit(&path, "body", &inner)
        } else {
            ApiError::invalid("body", format!("is not JSON: {inner}"))
        }
    })?;
    json.end().map_err(|_| ApiError::invalid("body", "must be one JSON object and nothing else"))?;
    Ok(value)
}

/// The parameters in the query string.
pub fn query<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    let text = request.uri().query().unwrap_or_default();
    let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    let mut track = Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(pairs, &mut track))
        .map_err(|error| unfit(&track.path().to_string(), "query", &error))
}

/// The product's number in the path.
pub fn product_id(request: &Request) -> Result<u32, ApiError> {
    let id: ProductId = id(request)?.parse().map_err(|_| ApiError::invalid("id", "must be a product's number"))?;
    Ok(id.get())
}

/// The order's id in the path, with its hyphens.
pub fn order_id(request: &Request) -> Result<Uuid, ApiError> {
    let hyphenated = id(request)?.parse::<Hyphenated>();
    hyphenated.map(Uuid::from).map_err(|_| ApiError::invalid("id", "must be an order's UUID"))
}

/// The company's id in the path.
pub fn company_id(request: &Request) -> Result<CompanyId, ApiError> {
    id(request)?.try_into().map_err(|unfit: UnfitText| ApiError::invalid("id", unfit))
}

/// The job's id in the path.
pub fn job_id(request: &Request) -> Result<JobId, ApiError> {
    id(request)?.parse().map_err(|unfit| ApiError::invalid("id", unfit))
}

/// The scheduled job's id in the path.
pub fn task_id(request: &Request) -> Result<TaskId, ApiError> {
    id(request)?.parse().map_err(|unfit| ApiError::invalid("id", unfit))
}

/// The version that the caller has seen, as `If-Match` names it; without the header, or with `*`, any.
pub fn if_match(request: &Request) -> Result<Option<u64>, ApiError> {
    let Some(header) = request.headers().get("if-match") else { return Ok(None) };
    if header == "*" {
        return Ok(None);
    }
    let tag = header.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let version = tag.and_then(|tag| tag.parse().ok().filter(|version: &u64| version.to_string() == tag));
    version.map(Some).ok_or_else(|| ApiError::invalid("If-Match", "must be one ETag that a job has, or *"))
}

/// The job whose file the path names, `<job id>.csv`.
pub fn job_of_file(request: &Request) -> Result<JobId, ApiError> {
    let file = parameter(request, "file")?;
    let id = file.strip_suffix(".csv").and_then(|id| id.parse().ok());
    id.ok_or_else(|| ApiError::invalid("file", "must be a job's id and .csv"))
}

/// Whether the caller says in `If-None-Match` that it has what this hash names.
#[must_use]
pub fn knows(request: &Request, hash: &str) -> bool {
    let tags = header(request, "if-none-match").unwrap_or_default().split(',').map(str::trim);
    tags.map(|tag| tag.trim_start_matches("W/").trim_matches('"')).any(|tag| tag == hash || tag == "*")
}

fn id(request: &Request) -> Result<String, ApiError> {
    parameter(request, "id")
}

fn parameter(request: &Request, name: &str) -> Result<String, ApiError> {
    let parameters = request.path_parameters();
    parameters.first(name).map(str::to_owned).ok_or_else(|| ApiError::invalid(name, "is missing"))
}

/// The id of the API through which the request came.
#[must_use]
pub fn api_id(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.apiid.clone(),
        _ => None,
    }
}

/// A header, if it is there and ASCII.
#[must_use]
pub fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// The header `Idempotency-Key`, if there is one.
pub fn idempotency_key(request: &Request) -> Result<Option<IdempotencyKey>, ApiError> {
    const NAME: HeaderName = HeaderName::from_static("idempotency-key");
    let mut values = request.headers().get_all(NAME).iter();
    let key = values.next().map(|value| value.as_bytes().try_into()).transpose();
    let key = key.map_err(|error| ApiError::invalid("Idempotency-Key", error))?;
    match values.next() {
        None => Ok(key),
        Some(_) => Err(ApiError::invalid("Idempotency-Key", "was given twice")),
    }
}

/// Names the field at fault, with its path from the body or the query.
fn unfit(path: &str, whole: &str, error: &impl std::fmt::Display) -> ApiError {
    let message = error.to_string();
    // serde_json adds where it stood: of use to people who edit files, not here.
    let problem = message.split(" at line ").next().unwrap_or(&message);
    let misfit = Misfit::of(path, problem);
    ApiError::invalid(if misfit.field().is_empty() { whole } else { misfit.field() }, misfit.problem())
}
