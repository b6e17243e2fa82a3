//! The floor: reads every page of the same shards of the ledger, with the same queries as the
//! workers, and does nothing with it.

use aws_sdk_dynamodb::Client;
use futures_util::{StreamExt, stream};
use once::{
    dynamo::{
        keys::{LEDGER_SHARDS, ledger_shard},
        text,
    },
    settlement::Days,
    testing::LEDGER_TABLE,
};

/// Attributes of an entry that the workers read.
const ATTRIBUTES: &str = "sk, merchant_id, kind, gross_cents, fee_cents, net_cents";

/// Reads these days, at most `at_once` shards at a time. Returns the number of entries.
pub async fn read(client: &Client, days: Days, at_once: usize) -> usize {
    let shards =
        days.each().flat_map(|day| (0..LEDGER_SHARDS).map(move |shard| ledger_shard(day, shard)));
    let reading = stream::iter(shards).map(|shard| tokio::spawn(read_shard(client.clone(), shard)));
    reading.buffer_unordered(at_once).fold(0, async |sum, read| sum + read.expect("no panic")).await
}

async fn read_shard(client: Client, shard: String) -> usize {
    let query = client.query().table_name(LEDGER_TABLE).projection_expression(ATTRIBUTES);
    let query =
        query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", text(shard));
    let mut pages = query.consistent_read(false).into_paginator().send();
    let mut entries = 0;
    while let Some(page) = pages.next().await {
        entries += page.expect("the store reads").items().len();
    }
    entries
}
