//! CloudWatch's metrics. A process has none there: each answer is empty.

use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::protocol::{Protocol, Refusal, cbor};
use crate::json_call::{self, JSON_1_0};

/// The service in the header of a call in AWS JSON, as the AWS CLI makes it.
pub(super) const SERVICE: &str = "GraniteServiceVersion20100801";

/// What the paths of operations begin with in Smithy RPC v2, as the SDK for Rust calls them.
const PREFIX: &str = "/service/GraniteServiceVersion20100801/operation/";

/// A result without metrics, in both protocols.
struct Empty {
    json: &'static str,
    cbor: &'static [u8],
}

/// In CBOR: a map with one pair, a text of 17 bytes, an array of 0 elements.
const NO_DATA: Empty =
    Empty { json: r#"{"MetricDataResults":[]}"#, cbor: b"\xa1\x71MetricDataResults\x80" };

/// In CBOR, with a text of 7 bytes.
const NO_METRICS: Empty = Empty { json: r#"{"Metrics":[]}"#, cbor: b"\xa1\x67Metrics\x80" };

/// Responds to a request of the SDK.
pub(super) fn respond(request: &Request<Bytes>, protocol: Protocol) -> Response<Bytes> {
    let path = request.uri().path();
    let operation = match protocol {
        Protocol::Cbor => path.strip_prefix(PREFIX).unwrap_or(path),
        _ => json_call::operation(request, SERVICE),
    };
    let Empty { json, cbor: bytes } = match operation {
        "GetMetricData" => NO_DATA,
        "ListMetrics" => NO_METRICS,
        _ => return protocol.refuse(&Refusal::UnknownOperation(operation.to_owned())),
    };
    match protocol {
        Protocol::Cbor => cbor(StatusCode::OK, bytes),
        _ => json_call::with_body(StatusCode::OK, json.to_owned(), JSON_1_0),
    }
}
