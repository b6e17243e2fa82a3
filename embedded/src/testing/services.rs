//! All services in a folder, and a call to each of them.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;

use super::Folder;
use crate::{
    Services,
    dynamo::{Durability, Store},
    files::Credentials,
    queues::Queue,
    template::{Bucket, Secret, Stack, Table},
};

/// The access key of the credentials that sign links.
pub(crate) const ACCESS_KEY: &str = "AKIAEXAMPLE000000000";

/// The URL of the queue.
pub(crate) const QUEUE_URL: &str = "http://127.0.0.1:9001/000000000000/work";

/// Opens services with a table `Items`, a queue `work`, a bucket `files`, a secret `webhook` and a
/// stream `events`.
pub(crate) async fn services(folder: &Folder) -> Services {
    let store = Store::open(folder.join("store.db"), Durability::Normal).expect("a store");
    let credentials = Credentials {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: "secret".to_owned(),
    };
    let url = "http://127.0.0.1:9001";
    Services::open(store, folder, &stack(), credentials, url).await.expect("services")
}

fn stack() -> Stack {
    let items = json!({
        "TableName": "Items",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
    });
    let ttl_attribute = Some("ttl".to_owned());
    Stack {
        tables: vec![Table { id: "Items".to_owned(), create_request: items, ttl_attribute }],
        queues: vec![Queue::new("work")],
        buckets: vec![Bucket { id: "files".to_owned(), expirations: Vec::new() }],
        streams: vec!["events".to_owned()],
        secrets: vec![Secret { id: "webhook".to_owned(), length: 44 }],
        ..Stack::default()
    }
}

/// Returns a client of the bucket.
pub(crate) fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

/// Calls each service, with its own client.
pub(crate) async fn call_each(config: &SdkConfig) {
    call_dynamodb(config).await;
    call_sqs(config).await;
    call_s3(config).await;
    call_kinesis(config).await;
    call_cloudwatch(config).await;

    let secrets = aws_sdk_secretsmanager::Client::new(config);
    let secret = secrets.get_secret_value().secret_id("webhook").send().await.expect("a secret");
    assert_eq!(secret.secret_string().map(str::len), Some(44));

    let caller = aws_sdk_sts::Client::new(config).get_caller_identity().send().await;
    let caller = caller.expect("an identity");
    assert_eq!(caller.account(), Some("000000000000"));
    assert_eq!(caller.arn(), Some("arn:aws:iam::000000000000:root"));
}

async fn call_dynamodb(config: &SdkConfig) {
    let client = aws_sdk_dynamodb::Client::new(config);
    let key = || AttributeValue::S("a".to_owned());
    client.put_item().table_name("Items").item("pk", key()).send().await.expect("a put");
    let get = client.get_item().table_name("Items").key("pk", key()).send().await;
    assert_eq!(get.expect("a get").item.expect("an item")["pk"], key());
}

async fn call_sqs(config: &SdkConfig) {
    let client = aws_sdk_sqs::Client::new(config);
    let send = client.send_message().queue_url(QUEUE_URL).message_body("hello");
    send.send().await.expect("sent");
    let receive = client.receive_message().queue_url(QUEUE_URL).wait_time_seconds(20);
    let messages = receive.send().await.expect("received").messages.expect("messages");
    assert_eq!(messages[0].body(), Some("hello"));
}

async fn call_s3(config: &SdkConfig) {
    let client = s3(config);
    let put =
        client.put_object().bucket("files").key("a/b +").body(ByteStream::from_static(b"a,b"));
    put.send().await.expect("written");
    let object = client.get_object().bucket("files").key("a/b +").send().await.expect("an object");
    assert_eq!(object.body.collect().await.expect("content").into_bytes(), "a,b");
    let head = client.head_object().bucket("files").key("a/b +").send().await.expect("a head");
    assert_eq!(head.content_length(), Some(3));
}

async fn call_kinesis(config: &SdkConfig) {
    let client = aws_sdk_kinesis::Client::new(config);
    let put = client.put_record().stream_name("events").partition_key("key");
    let record = put.data(b"data".as_slice().into()).send().await.expect("a record");
    assert_eq!(record.sequence_number(), "1");
}

async fn call_cloudwatch(config: &SdkConfig) {
    let client = aws_sdk_cloudwatch::Client::new(config);
    let metrics = client.list_metrics().namespace("AWS/Lambda").send().await.expect("metrics");
    assert_eq!(metrics.metrics.map(|metrics| metrics.len()), Some(0));
    let day = |day: i64| aws_sdk_cloudwatch::primitives::DateTime::from_secs(day * 86_400);
    let data = client.get_metric_data().start_time(day(1)).end_time(day(2)).send().await;
    let data = data.expect("data");
    assert_eq!(data.metric_data_results.map(|results| results.len()), Some(0));
    assert_eq!(data.next_token, None);
}
