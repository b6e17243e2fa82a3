//! Calls in AWS JSON: the operation is a header, parameters and result are JSON.

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The header that names the service and the operation.
pub(crate) const TARGET: &str = "x-amz-target";

/// The types of a body, by the version of AWS JSON that a service has.
pub(crate) const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

/// Why a call failed, as the SDK reads it.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Failure {
    /// The caller is at fault: this kind of exception.
    pub(crate) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, kind, message: message.into() }
    }

    /// The service is at fault: the caller may try again.
    pub(crate) fn internal(kind: &'static str, cause: &dyn std::error::Error) -> Self {
        tracing::error!(%cause, "A call failed");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind, message: cause.to_string() }
    }

    /// The operation is not implemented.
    pub(crate) fn unknown_operation(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("{operation} is not implemented"))
    }

    /// Sets another status than 400.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }
}

/// Returns the operation of a request with the header `x-amz-target: <service>.<operation>`; the
/// whole header if it names another service.
pub(crate) fn operation<'a>(request: &'a Request<Bytes>, service: &str) -> &'a str {
    let target = target(request);
    let operation = target.strip_prefix(service).and_then(|rest| rest.strip_prefix('.'));
    operation.unwrap_or(target)
}

/// Returns the service and the operation that a request names.
pub(crate) fn target(request: &Request<Bytes>) -> &str {
    let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok());
    target.unwrap_or("a request without x-amz-target")
}

/// Reads the parameters of a call. Those that `T` does not have are refused by name if it denies
/// unknown fields.
pub(crate) fn parameters<T: DeserializeOwned>(
    request: &Request<Bytes>,
    invalid: &'static str,
) -> Result<T, Failure> {
    serde_json::from_slice(request.body())
        .map_err(|error| Failure::new(invalid, format!("not valid or not implemented: {error}")))
}

/// Makes the result of a call a response.
pub(crate) fn response(result: Result<Value, Failure>) -> Response<Bytes> {
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(Failure { status, kind, message }) => {
            (status, json!({"__type": kind, "message": message}))
        }
    };
    with_body(status, body.to_string(), JSON_1_1)
}

/// Makes a response of a body of JSON.
pub(crate) fn with_body(
    status: StatusCode,
    body: String,
    media_type: &'static str,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
