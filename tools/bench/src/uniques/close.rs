//! Duration of closing a minute of 600 000 ids, which is 10 000 ids per second.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, PutRequest, WriteRequest},
};
use futures_util::{StreamExt, stream};
use once::{
    dynamo::{keys, number},
    testing::{Cloud, UNIQUES_TABLE},
    time::Minute,
};

const IDS: i64 = 600_000;

/// Items per call, and concurrent calls.
const BATCH: usize = 25;
const IN_FLIGHT: usize = 16;

/// Prints the duration, and that of a bare count of the same shards.
pub async fn run() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let now = instance.app.now();
    instance.app.uniques().warm(now).await.expect("a store");
    let minute = Minute::of(now);
    write_ids(cloud.client(), minute).await;

    let start = Instant::now();
    bare_count(cloud.client(), minute).await;
    let bare = start.elapsed();
    let start = Instant::now();
    let summary = instance
        .app
        .minute_closer()
        .tick(minute.end().plus(once::uniques::GRACE))
        .await
        .expect("a tick");
    let ours = start.elapsed();
    assert_eq!(summary.published, 2, "the minute and the one before");
    let counts = instance
        .app
        .uniques()
        .counts(minute, minute, once::uniques::DEFAULT_LIMIT)
        .await
        .expect("a page");
    assert_eq!(counts.rows[0].unique_ids, IDS.unsigned_abs());
    println!("\nuniques: closing a minute of {IDS} ids in 256 shards, embedded store");
    println!("minute-close {:>8.2} s", ours.as_secs_f64());
    println!("bare count   {:>8.2} s", bare.as_secs_f64());
    println!(
        "ratio        {:>8.2}",
        ours.as_secs_f64() / bare.as_secs_f64().max(Duration::from_millis(1).as_secs_f64())
    );
}

/// The floor: one query per shard, with the same concurrency, and the sum.
async fn bare_count(client: &Client, minute: Minute) {
    let count = |shard| async move {
        let query = client.query().table_name(UNIQUES_TABLE).consistent_read(true);
        let query = query
            .select(aws_sdk_dynamodb::types::Select::Count)
            .key_condition_expression("pk = :pk");
        let query =
            query.expression_attribute_values(":pk", AttributeValue::S(keys::ids(minute, shard)));
        query.send().await.expect("a page").count()
    };
    let total: i32 = stream::iter(0..256_u64)
        .map(count)
        .buffer_unordered(64)
        .fold(0, async |sum, count| sum + count)
        .await;
    assert_eq!(i64::from(total), IDS);
}

/// Writes the ids of a minute.
async fn write_ids(client: &Client, minute: Minute) {
    let ids: Vec<i64> = (0..IDS).collect();
    let batches: Vec<Vec<i64>> = ids.chunks(BATCH).map(<[i64]>::to_vec).collect();
    let write = |batch: Vec<i64>| async move {
        let put = |id: i64| {
            let mut item = keys::id(minute, 256, id).attributes();
            item.insert("token".to_owned(), AttributeValue::B(Blob::new([7; 16])));
            item.insert("ttl".to_owned(), number(minute.end().as_seconds()));
            let put = PutRequest::builder().set_item(Some(item)).build().expect("complete");
            WriteRequest::builder().put_request(put).build()
        };
        let puts: Vec<_> = batch.into_iter().map(put).collect();
        client
            .batch_write_item()
            .request_items(UNIQUES_TABLE, puts)
            .send()
            .await
            .expect("the store writes");
    };
    stream::iter(batches).map(write).buffer_unordered(IN_FLIGHT).for_each(async |()| ()).await;
}
