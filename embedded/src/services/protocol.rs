//! The protocols of AWS, as far as they tell services apart and refuse calls.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{
    json_call::{self, Failure},
    xml::{self, element},
};

/// The header of Smithy RPC v2, and its value.
const SMITHY_PROTOCOL: HeaderName = HeaderName::from_static("smithy-protocol");
const RPC_V2_CBOR: HeaderValue = HeaderValue::from_static("rpc-v2-cbor");

/// The type of a form, which calls in the query protocol are.
const FORM: &str = "application/x-www-form-urlencoded";

/// What a request is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// AWS JSON: the header `x-amz-target`.
    Json,
    /// Smithy RPC v2 with bodies in CBOR.
    Cbor,
    /// AWS query: a form, answered in XML.
    Query,
    /// All else.
    S3,
}

/// Why a call reaches no service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// No service here has the operation.
    #[error("{0} is not implemented")]
    UnknownOperation(String),
    /// The caller has no access key or another one.
    #[error("the request must be signed with the access key of this endpoint")]
    UnknownAccessKey,
    /// The body exceeds the limit.
    #[error("the body exceeds the limit of {limit} bytes")]
    BodyTooLarge {
        /// The limit.
        limit: usize,
    },
}

impl Protocol {
    /// Tells the protocol of a request from its head.
    pub(crate) fn of<B>(request: &Request<B>) -> Self {
        let headers = request.headers();
        if headers.contains_key(json_call::TARGET) {
            Self::Json
        } else if headers.get(SMITHY_PROTOCOL) == Some(&RPC_V2_CBOR) {
            Self::Cbor
        } else if request.method() == Method::POST
            && request.uri().path() == "/"
            && is_form(headers)
        {
            Self::Query
        } else {
            Self::S3
        }
    }

    /// Makes the response to a call that is refused.
    pub(crate) fn refuse(self, refusal: &Refusal) -> Response<Bytes> {
        let (status, code) = refusal.code(self);
        let message = refusal.to_string();
        match self {
            Self::Json => json_call::response(Err(Failure::new(code, message).with_status(status))),
            Self::Cbor => cbor(status, cbor_error(code, &message)),
            Self::Query => xml::response(status, "ErrorResponse", |root| {
                let mut error = root.start_el("Error").finish();
                element(&mut error, "Type", "Sender");
                element(&mut error, "Code", code);
                element(&mut error, "Message", &message);
            }),
            Self::S3 => xml::response(status, "Error", |root| {
                element(root, "Code", code);
                element(root, "Message", &message);
            }),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content.is_some_and(|content| content.split(';').next() == Some(FORM))
}

impl Refusal {
    /// Returns the HTTP status and the protocol's name of the error.
    fn code(&self, protocol: Protocol) -> (StatusCode, &'static str) {
        let names = match self {
            Self::UnknownOperation(_) => {
                ["UnknownOperationException", "InvalidAction", "NotImplemented"]
            }
            Self::UnknownAccessKey => {
                ["UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"]
            }
            Self::BodyTooLarge { .. } => {
                ["RequestEntityTooLargeException", "RequestEntityTooLarge", "EntityTooLarge"]
            }
        };
        let status = match self {
            Self::UnknownOperation(_) => StatusCode::BAD_REQUEST,
            Self::UnknownAccessKey => StatusCode::FORBIDDEN,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        };
        let name = match protocol {
            Protocol::Json | Protocol::Cbor => names[0],
            Protocol::Query => names[1],
            Protocol::S3 => names[2],
        };
        (status, name)
    }
}

/// Makes a response of a body in CBOR.
pub(super) fn cbor(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
    headers.insert(SMITHY_PROTOCOL, RPC_V2_CBOR);
    response
}

/// Encodes `{"__type": code, "message": message}`.
fn cbor_error(code: &str, message: &str) -> Vec<u8> {
    let mut body = vec![0xa2];
    for text in ["__type", code, "message", message] {
        push_text(&mut body, text);
    }
    body
}

/// Appends a text: its type and the size of its length, its length, and its bytes.
fn push_text(body: &mut Vec<u8>, text: &str) {
    body.push(0x7b);
    body.extend((text.len() as u64).to_be_bytes());
    body.extend(text.as_bytes());
}
