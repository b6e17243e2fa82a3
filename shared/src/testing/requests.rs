//! Requests of the SDK's clients: their service and operation, and the units that they consume.

use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use serde_json::Value;

use super::bucket;

/// The service that a call is addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Dynamo,
    S3,
    CloudWatch,
    /// The queues, the stream or the secrets.
    Other,
}

/// Returns the service and the operation of a request: the target `DynamoDB_20120810.PutItem` is
/// `PutItem` of DynamoDB. RPC v2 requests go to CloudWatch, requests without a target to S3.
pub(super) fn target(request: &HttpRequest) -> (Service, String) {
    if request.headers().contains_key("smithy-protocol") {
        let (_, operation) = request.uri().rsplit_once('/').unwrap_or_default();
        return (Service::CloudWatch, operation.to_owned());
    }
    let Some(target) = request.headers().get("x-amz-target") else {
        return (Service::S3, bucket::operation(request).to_owned());
    };
    let (service, operation) = target.rsplit_once('.').unwrap_or_default();
    (
        if service.starts_with("DynamoDB") { Service::Dynamo } else { Service::Other },
        operation.to_owned(),
    )
}

/// Returns the JSON body of a request; `null` if it has another one.
pub(super) fn payload(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default()
}

/// Changes a request so that its response contains the consumed units. The embedded store does not
/// verify signatures.
pub(super) fn requesting_units(mut request: HttpRequest) -> HttpRequest {
    let mut body = payload(&request);
    body["ReturnConsumedCapacity"] = "INDEXES".into();
    let body = body.to_string();
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body);
    request
}

/// Reads the body of a response and returns both with the consumed units.
pub(super) async fn consumed_units(
    mut response: HttpResponse,
) -> Result<(HttpResponse, f64), ConnectorError> {
    let body = response.take_body().collect().await.map_err(ConnectorError::io)?.to_bytes();
    let content: Value = serde_json::from_slice(&body).unwrap_or_default();
    let units = match &content["ConsumedCapacity"] {
        Value::Array(tables) => {
            tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum()
        }
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    *response.body_mut() = SdkBody::from(body);
    Ok((response, units))
}
