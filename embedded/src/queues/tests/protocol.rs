//! The JSON protocol, where the SDK's client does not show it.

use serde_json::{Value, json};

use super::{service::start, *};
use crate::queues::{Queues, protocol::LongPoll};

const WORK: &str = "http://localhost/000000000000/work";

/// Makes a call that succeeds.
async fn call(queues: &Queues, operation: &str, request: Value) -> Value {
    let response = queues.answer(operation, request.to_string().as_bytes(), time(0)).await;
    assert_eq!((response.status, response.query_error), (200, None), "{}", response.body);
    response.body
}

/// Makes a call that fails, and returns its code and its message.
async fn fail(queues: &Queues, operation: &str, request: Value) -> (String, String) {
    let response = queues.answer(operation, request.to_string().as_bytes(), time(0)).await;
    assert_eq!(response.status, 400, "{}", response.body);
    let message = response.body["message"].as_str().expect("a message");
    (response.query_error.expect("a code"), message.to_owned())
}

#[tokio::test]
async fn an_error_has_its_name_in_the_body_and_its_code_in_the_header() {
    let (_folder, queues) = start().await;
    let request = json!({"QueueUrl": "http://localhost/000000000000/no"}).to_string();
    let response = queues.answer("PurgeQueue", request.as_bytes(), time(0)).await;
    assert_eq!(response.status, 400);
    let code = response.query_error.expect("a code");
    assert_eq!(code, "AWS.SimpleQueueService.NonExistentQueue;Sender");
    let expected = json!({
        "__type": "com.amazonaws.sqs#QueueDoesNotExist",
        "message": "the queue `no` does not exist",
    });
    assert_eq!(response.body, expected);
}

#[tokio::test]
async fn unsupported_operations_and_parameters_are_named() {
    let (_folder, queues) = start().await;
    let (code, message) = fail(&queues, "CreateQueue", json!({"QueueName": "new"})).await;
    assert_eq!(code, "AWS.SimpleQueueService.UnsupportedOperation;Sender");
    assert_eq!(message, "the operation CreateQueue is not supported");

    let fifo = json!({"QueueUrl": WORK, "MessageBody": "hello", "MessageGroupId": "g"});
    let (code, message) = fail(&queues, "SendMessage", fifo).await;
    assert_eq!(code, "InvalidParameterValue;Sender");
    assert!(message.contains("unknown field `MessageGroupId`"), "{message}");

    let entry = json!({"Id": "0", "MessageBody": "hello", "MessageDeduplicationId": "d"});
    let fifo = json!({"QueueUrl": WORK, "Entries": [entry]});
    let (_, message) = fail(&queues, "SendMessageBatch", fifo).await;
    assert!(message.contains("unknown field `MessageDeduplicationId`"), "{message}");

    let request = json!({"QueueUrl": WORK, "MessageSystemAttributeNames": ["SenderId"]});
    let (_, message) = fail(&queues, "ReceiveMessage", request).await;
    assert_eq!(message, "MessageSystemAttributeNames: `SenderId` is not supported");

    let request = json!({"QueueUrl": WORK, "AttributeNames": ["KmsMasterKeyId"]});
    let (code, message) = fail(&queues, "GetQueueAttributes", request).await;
    assert_eq!(code, "InvalidAttributeName;Sender");
    assert_eq!(message, "the attribute `KmsMasterKeyId` is not supported");

    let (_, message) = fail(&queues, "DeleteMessage", json!({"QueueUrl": WORK})).await;
    assert!(message.contains("missing field `ReceiptHandle`"), "{message}");
}

#[tokio::test]
async fn numbers_out_of_range_are_refused() {
    let (_folder, queues) = start().await;
    for (operation, parameter, value) in [
        ("SendMessage", "DelaySeconds", -1),
        ("SendMessage", "DelaySeconds", 901),
        ("ReceiveMessage", "MaxNumberOfMessages", 0),
        ("ReceiveMessage", "MaxNumberOfMessages", 11),
        ("ReceiveMessage", "VisibilityTimeout", -1),
        ("ReceiveMessage", "VisibilityTimeout", 43_201),
        ("ReceiveMessage", "WaitTimeSeconds", 21),
        ("ChangeMessageVisibility", "VisibilityTimeout", 43_201),
    ] {
        let mut request = json!({"QueueUrl": WORK, parameter: value});
        match operation {
            "SendMessage" => request["MessageBody"] = "hello".into(),
            "ChangeMessageVisibility" => request["ReceiptHandle"] = "work.1.1".into(),
            _ => {}
        }
        let (code, message) = fail(&queues, operation, request).await;
        assert_eq!(code, "InvalidParameterValue;Sender");
        assert!(message.starts_with(&format!("{parameter}: must be between ")), "{message}");
    }
}

#[tokio::test]
async fn an_empty_receive_waits_if_its_caller_does() {
    let (_folder, queues) = start().await;
    let receive = async |wait_s: u32| {
        let request = json!({"QueueUrl": WORK, "WaitTimeSeconds": wait_s}).to_string();
        queues.answer("ReceiveMessage", request.as_bytes(), time(0)).await
    };
    assert_eq!(receive(0).await.long_poll, None);
    let response = receive(20).await;
    assert_eq!((response.status, response.body), (200, json!({})));
    assert_eq!(response.long_poll, Some(LongPoll { queue: "work".to_owned(), wait_s: 20 }));
    call(&queues, "SendMessage", json!({"QueueUrl": WORK, "MessageBody": "hello"})).await;
    let response = receive(20).await;
    assert_eq!(response.long_poll, None);
    assert_eq!(response.body["Messages"][0]["Body"], "hello");
}

#[tokio::test]
async fn a_receipt_handle_of_another_queue_is_invalid() {
    let (_folder, queues) = start().await;
    for handle in ["dead.1.1", "work.1", "work.1.1.1", "work.a.1", "", "AQEB"] {
        let request = json!({"QueueUrl": WORK, "ReceiptHandle": handle});
        let (code, _) = fail(&queues, "DeleteMessage", request).await;
        assert_eq!(code, "ReceiptHandleIsInvalid;Sender", "{handle}");
    }
}

#[tokio::test]
async fn digests_are_those_of_sqs() {
    let (_folder, queues) = start().await;
    let request = json!({
        "QueueUrl": WORK,
        "MessageBody": "hello",
        "MessageAttributes": {
            "timestamp": {"DataType": "Number", "StringValue": "1493147359900"},
            "bytes": {"DataType": "Binary.x", "BinaryValue": "AAH/"},
            "a.b": {"DataType": "String", "StringValue": "é"},
        },
    });
    let sent = call(&queues, "SendMessage", request).await;
    assert_eq!(sent["MD5OfMessageBody"], "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(sent["MD5OfMessageAttributes"], "9ed278b34496a88286e08c084562cc84");
}

#[tokio::test]
async fn invalid_message_attributes_are_refused() {
    let (_folder, queues) = start().await;
    for value in [
        json!({"DataType": "Text", "StringValue": "a"}),
        json!({"DataType": "String"}),
        json!({"DataType": "String", "StringValue": ""}),
        json!({"DataType": "Number", "BinaryValue": "YQ=="}),
        json!({"DataType": "Binary", "BinaryValue": "no base64"}),
        json!({"DataType": "Binary", "StringValue": "a", "BinaryValue": "YQ=="}),
    ] {
        let attributes = json!({"a": value});
        let request =
            json!({"QueueUrl": WORK, "MessageBody": "hello", "MessageAttributes": attributes});
        let (code, message) = fail(&queues, "SendMessage", request).await;
        assert_eq!(code, "InvalidParameterValue;Sender", "{message}");
    }
    let value = json!({"DataType": "String", "StringValue": "a"});
    for name in ["", "a b", "é"] {
        let attributes = json!({name: value});
        let request =
            json!({"QueueUrl": WORK, "MessageBody": "hello", "MessageAttributes": attributes});
        let (_, message) = fail(&queues, "SendMessage", request).await;
        assert!(message.starts_with("MessageAttributes: the name "), "{message}");
    }
    let eleven: serde_json::Map<_, _> = (0..11).map(|n| (format!("a{n}"), value.clone())).collect();
    let request = json!({"QueueUrl": WORK, "MessageBody": "hello", "MessageAttributes": eleven});
    let (_, message) = fail(&queues, "SendMessage", request).await;
    assert_eq!(message, "MessageAttributes: must have at most 10 attributes");
}

#[tokio::test]
async fn a_message_and_its_attributes_have_1_mib_together() {
    let (_folder, queues) = start().await;
    let body = "x".repeat((1 << 20) - 8);
    let send = |value: &str| {
        let attributes = json!({"a": {"DataType": "String", "StringValue": value}});
        json!({"QueueUrl": WORK, "MessageBody": body, "MessageAttributes": attributes})
    };
    call(&queues, "SendMessage", send("b")).await;
    let (code, _) = fail(&queues, "SendMessage", send("bb")).await;
    assert_eq!(code, "InvalidParameterValue;Sender");
}
