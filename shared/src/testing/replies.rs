//! What the services answer, as the SDK reads it.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// Too many calls, as DynamoDB says it; the SDK's clients of the queue, the stream and the parameters take it for the same.
pub(super) fn throttled() -> HttpResponse {
    in_json(
        400,
        &json!({"__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "message": "as planned"}),
    )
}

/// A transaction that was cancelled because another one holds the last of its items.
pub(super) fn conflicted(transaction: &Value) -> HttpResponse {
    let items = transaction["TransactItems"].as_array().map_or(0, Vec::len);
    let reasons: Vec<Value> = (0..items)
        .map(|item| json!({"Code": if item + 1 == items { "TransactionConflict" } else { "None" }}))
        .collect();
    in_json(
        400,
        &json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "Message": "Transaction cancelled, as planned",
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
