//! The SDK's client, on queues in the process.

use std::sync::Arc;

use aws_sdk_sqs::{
    Client,
    error::ProvideErrorMetadata,
    operation::send_message_batch::SendMessageBatchOutput,
    primitives::Blob,
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
        MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName,
        SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
    },
};
use parking_lot::Mutex;

use super::{service::start, *};
use crate::testing::{Folder, InProcess, sdk_config};

const WORK: &str = "http://127.0.0.1:9001/000000000000/work";
const DEAD: &str = "http://127.0.0.1:9001/000000000000/dead";

/// A client with queues of its own.
struct Service {
    client: Client,
    now: Arc<Mutex<Timestamp>>,
    _folder: Folder,
}

impl Service {
    async fn start() -> Self {
        let (folder, queues) = start().await;
        let (queues, now) = (Arc::new(queues), Arc::new(Mutex::new(time(0))));
        let clock = Arc::clone(&now);
        let service = InProcess::new(move |request| {
            let (queues, now) = (Arc::clone(&queues), *clock.lock());
            async move { queues.respond(request, now).await }
        });
        Self { client: Client::new(&sdk_config(service)), now, _folder: folder }
    }

    fn set_time(&self, now: Timestamp) {
        *self.now.lock() = now;
    }

    async fn send(&self, body: &str) -> String {
        let sent = self.client.send_message().queue_url(WORK).message_body(body).send().await;
        sent.expect("sent").message_id.expect("an id")
    }

    async fn send_batch(&self, entries: Vec<(&str, &str, Option<i32>)>) -> SendMessageBatchOutput {
        let entries = entries.into_iter().map(|(id, body, delay_s)| {
            let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body);
            entry.set_delay_seconds(delay_s).build().expect("an entry")
        });
        let entries = Some(entries.collect());
        let batch = self.client.send_message_batch().queue_url(WORK).set_entries(entries);
        batch.send().await.expect("sent")
    }

    async fn receive(&self, queue: &str) -> Vec<aws_sdk_sqs::types::Message> {
        let receive = self.client.receive_message().queue_url(queue).max_number_of_messages(10);
        let receive = receive
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        receive.send().await.expect("received").messages.unwrap_or_default()
    }
}

#[tokio::test]
async fn a_message_is_sent_received_and_deleted() {
    use MessageSystemAttributeName::{
        ApproximateFirstReceiveTimestamp, ApproximateReceiveCount, SentTimestamp,
    };
    let service = Service::start().await;
    let id = service.send("hello").await;
    service.set_time(time(2));
    let messages = service.receive(WORK).await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message.message_id(), Some(id.as_str()));
    assert_eq!(message.body(), Some("hello"));
    assert_eq!(message.md5_of_body(), Some("5d41402abc4b2a76b9719d911017c592"));
    let attributes = message.attributes().expect("attributes");
    assert_eq!(attributes.len(), 3);
    assert_eq!(attributes[&ApproximateReceiveCount], "1");
    assert_eq!(attributes[&SentTimestamp], at(0).to_string());
    assert_eq!(attributes[&ApproximateFirstReceiveTimestamp], at(2).to_string());

    let handle = message.receipt_handle().expect("a handle");
    let delete = service.client.delete_message().queue_url(WORK).receipt_handle(handle);
    delete.clone().send().await.expect("deleted");
    delete.send().await.expect("stays deleted");
    service.set_time(time(1_000));
    assert_eq!(service.receive(WORK).await, []);
}

#[tokio::test]
async fn a_receive_returns_only_the_attributes_that_it_asks_for() {
    let service = Service::start().await;
    service.send("hello").await;
    let receive = service.client.receive_message().queue_url(WORK).send().await;
    let message = receive.expect("received").messages.expect("messages").remove(0);
    assert_eq!((message.attributes(), message.message_attributes()), (None, None));
}

#[tokio::test]
async fn message_attributes_are_delivered() {
    let service = Service::start().await;
    let text = MessageAttributeValue::builder().data_type("String").string_value("é");
    let bytes = MessageAttributeValue::builder().data_type("Binary.x");
    let bytes = bytes.binary_value(Blob::new([0, 1, 255]));
    let (text, bytes) = (text.build().expect("a value"), bytes.build().expect("a value"));
    let send = service.client.send_message().queue_url(WORK).message_body("hello");
    let send = send
        .message_attributes("app.text", text.clone())
        .message_attributes("bytes", bytes.clone());
    let digest = send.send().await.expect("sent").md5_of_message_attributes;
    let message = service.receive(WORK).await.remove(0);
    let attributes = message.message_attributes().expect("attributes");
    assert_eq!((&attributes["app.text"], &attributes["bytes"]), (&text, &bytes));
    assert_eq!(message.md5_of_message_attributes, digest);

    service.set_time(time(30));
    let receive = service.client.receive_message().queue_url(WORK);
    let receive = receive.message_attribute_names("app.*").send().await;
    let message = receive.expect("received").messages.expect("messages").remove(0);
    let attributes = message.message_attributes().expect("attributes");
    assert_eq!(attributes.keys().collect::<Vec<_>>(), ["app.text"]);
}

#[tokio::test]
async fn a_batch_reports_each_entry() {
    let service = Service::start().await;
    let entries = vec![
        ("a", "first", None),
        ("b", "bad \u{1}", None),
        ("c", "late", Some(10)),
        ("d", "too late", Some(901)),
    ];
    let sent = service.send_batch(entries).await;
    let successful: Vec<_> =
        sent.successful().iter().map(SendMessageBatchResultEntry::id).collect();
    assert_eq!(successful, ["a", "c"]);
    let failed: Vec<_> = sent
        .failed()
        .iter()
        .map(|entry| (entry.id(), entry.code(), entry.sender_fault()))
        .collect();
    assert_eq!(
        failed,
        [("b", "InvalidMessageContents", true), ("d", "InvalidParameterValue", true)]
    );
    assert_eq!(
        service.receive(WORK).await[0].message_id(),
        Some(sent.successful()[0].message_id())
    );
    service.set_time(time(10));
    assert_eq!(service.receive(WORK).await[0].body(), Some("late"));
}

#[tokio::test]
async fn a_batch_of_wrong_entries_is_refused_as_a_whole() {
    let service = Service::start().await;
    let send = async |entries: &[(String, String)]| {
        let entries = entries.iter().map(|(id, body)| {
            let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(body);
            entry.build().expect("an entry")
        });
        let entries = Some(entries.collect());
        let batch = service.client.send_message_batch().queue_url(WORK).set_entries(entries);
        batch.send().await.expect_err("refused").into_service_error()
    };
    let entry = |id: &str| (id.to_owned(), "hello".to_owned());
    assert!(send(&[]).await.is_empty_batch_request());
    let eleven: Vec<_> = (0..11).map(|n| entry(&n.to_string())).collect();
    assert!(send(&eleven).await.is_too_many_entries_in_batch_request());
    assert!(send(&[entry("a"), entry("a")]).await.is_batch_entry_ids_not_distinct());
    assert!(send(&[entry("a b")]).await.is_invalid_batch_entry_id());
    assert!(send(&[entry("")]).await.is_invalid_batch_entry_id());
    let half = "x".repeat(1 << 19);
    let large = [("a".to_owned(), half.clone()), ("b".to_owned(), half + "x")];
    assert!(send(&large).await.is_batch_request_too_long());
    assert_eq!(service.receive(WORK).await, []);
}

#[tokio::test]
async fn batches_delete_and_hide_messages() {
    let service = Service::start().await;
    service.send_batch(vec![("a", "a", None), ("b", "b", None), ("c", "c", None)]).await;
    let handles: Vec<_> = service
        .receive(WORK)
        .await
        .into_iter()
        .map(|message| message.receipt_handle.expect("a handle"))
        .collect();
    let delete = |id: &str, handle: &str| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle);
        entry.build().expect("an entry")
    };
    let batch = service.client.delete_message_batch().queue_url(WORK);
    let batch = batch.entries(delete("a", &handles[0])).entries(delete("x", "nonsense"));
    let deleted = batch.send().await.expect("deleted");
    assert_eq!((deleted.successful().len(), deleted.successful()[0].id()), (1, "a"));
    assert_eq!(deleted.failed()[0].code(), "ReceiptHandleIsInvalid");

    let hide = |id: &str, handle: &str, timeout_s| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id);
        let entry = entry.receipt_handle(handle).visibility_timeout(timeout_s);
        entry.build().expect("an entry")
    };
    let batch = service.client.change_message_visibility_batch().queue_url(WORK);
    let batch = batch
        .entries(hide("a", &handles[0], 60))
        .entries(hide("b", &handles[1], 60))
        .entries(hide("c", &handles[2], 43_201));
    let hidden = batch.send().await.expect("hidden");
    assert_eq!((hidden.successful().len(), hidden.successful()[0].id()), (1, "b"));
    let mut failed: Vec<_> =
        hidden.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    failed.sort_unstable();
    assert_eq!(
        failed,
        [("a", "AWS.SimpleQueueService.MessageNotInflight"), ("c", "InvalidParameterValue")]
    );
    service.set_time(time(30));
    assert_eq!(service.receive(WORK).await[0].body(), Some("c"));
}

#[tokio::test]
async fn the_client_understands_errors() {
    let service = Service::start().await;
    let client = &service.client;
    let missing = "http://127.0.0.1:9001/000000000000/no";
    let sent = client.send_message().queue_url(missing).message_body("hello").send().await;
    assert!(sent.expect_err("missing").into_service_error().is_queue_does_not_exist());
    let deleted = client.delete_message().queue_url(WORK).receipt_handle("nonsense").send().await;
    assert!(deleted.expect_err("invalid").into_service_error().is_receipt_handle_is_invalid());
    let sent = client.send_message().queue_url(WORK).message_body("\0").send().await;
    assert!(sent.expect_err("invalid").into_service_error().is_invalid_message_contents());
    let created = client.create_queue().queue_name("new").send().await;
    assert!(created.expect_err("declared only").into_service_error().is_unsupported_operation());
    let change = client.change_message_visibility().queue_url(WORK).visibility_timeout(1);
    let changed = change.receipt_handle("work.1.1").send().await;
    assert!(changed.expect_err("no message").into_service_error().is_message_not_inflight());
    let sent = client.send_message().queue_url(WORK).message_body("").send().await;
    let error = sent.expect_err("empty").into_service_error();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
    assert_eq!(error.message(), Some("MessageBody: must not be empty"));
}

#[tokio::test]
async fn a_queue_has_a_url_and_attributes() {
    use QueueAttributeName::{
        All, ApproximateNumberOfMessages, ApproximateNumberOfMessagesDelayed,
        ApproximateNumberOfMessagesNotVisible, RedrivePolicy, VisibilityTimeout,
    };
    let service = Service::start().await;
    let url = service.client.get_queue_url().queue_name("work").send().await.expect("a URL");
    assert_eq!(url.queue_url(), Some(WORK));
    let listed = service.client.list_queues().send().await.expect("listed");
    assert_eq!(listed.queue_urls(), [DEAD, WORK]);
    let listed = service.client.list_queues().queue_name_prefix("wo").send().await;
    assert_eq!(listed.expect("listed").queue_urls(), [WORK]);

    service.send_batch(vec![("a", "a", None), ("b", "b", None), ("c", "c", Some(1))]).await;
    let receive = service.client.receive_message().queue_url(WORK).send().await;
    assert_eq!(receive.expect("received").messages().len(), 1);
    let get = |name| service.client.get_queue_attributes().queue_url(WORK).attribute_names(name);
    let all = get(All).send().await.expect("attributes").attributes.expect("attributes");
    for counted in [
        ApproximateNumberOfMessages,
        ApproximateNumberOfMessagesDelayed,
        ApproximateNumberOfMessagesNotVisible,
    ] {
        assert_eq!(all[&counted], "1", "{counted}");
    }
    let policy: serde_json::Value = serde_json::from_str(&all[&RedrivePolicy]).expect("JSON");
    let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
    assert_eq!(policy, serde_json::json!({"deadLetterTargetArn": arn, "maxReceiveCount": 3}));
    let one = get(VisibilityTimeout).send().await.expect("attributes").attributes;
    assert_eq!(one.expect("attributes"), [(VisibilityTimeout, "30".to_owned())].into());
}

#[tokio::test]
async fn dead_letters_return_by_a_message_move_task() {
    let service = Service::start().await;
    service.send("hello").await;
    for seconds in [0, 30, 60, 90] {
        service.set_time(time(seconds));
        service.receive(WORK).await;
    }
    let start = |arn: &str| {
        let start = service.client.start_message_move_task();
        start.source_arn(format!("arn:aws:sqs:us-east-1:000000000000:{arn}"))
    };
    let task = start("dead").send().await.expect("started");
    assert!(task.task_handle().is_some());
    assert_eq!(service.receive(WORK).await[0].body(), Some("hello"));
    let error = start("no").send().await.expect_err("missing").into_service_error();
    assert!(error.is_resource_not_found_exception());
    let error = start("work").send().await.expect_err("no dead letters").into_service_error();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_purge_leaves_no_message() {
    let service = Service::start().await;
    service.send("hello").await;
    service.client.purge_queue().queue_url(WORK).send().await.expect("purged");
    assert_eq!(service.receive(WORK).await, []);
}
