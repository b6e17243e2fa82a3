//! Responses of the services, in the formats that the SDK reads.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// DynamoDB's error for too many calls; the SDK's clients of SQS, Kinesis and Secrets Manager treat
/// it as throttling, too.
pub(super) fn throttled() -> HttpResponse {
    let error = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
    in_json(400, &json!({"__type": error, "message": "injected"}))
}

/// The cancellation of a transaction because of a conflict at the last of its items.
pub(super) fn conflicted(transaction: &Value) -> HttpResponse {
    let items = transaction["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|item| json!({"Code": if item + 1 == items { "TransactionConflict" } else { "None" }}))
        .collect();
    in_json(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled (injected)",
            "CancellationReasons": reasons,
        }),
    )
}

pub(super) fn in_json(status: u16, body: &Value) -> HttpResponse {
    with(status, "application/x-amz-json-1.0", body.to_string())
}

pub(super) fn in_xml(status: u16, body: &str) -> HttpResponse {
    with(status, "application/xml", format!(r#"<?xml version="1.0" encoding="UTF-8"?>{body}"#))
}

pub(super) fn with(status: u16, content: &'static str, body: impl Into<SdkBody>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), body.into());
    response.headers_mut().insert("content-type", content);
    response
}
