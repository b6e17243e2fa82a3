//! The floor: every page of the same shards of the ledger, read as the workers read it, and nothing done with it.

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

/// What workers ask of an entry.
const ATTRIBUTES: &str = "sk, merchant_id, kind, gross_cents, fee_cents, net_cents";

/// Reads these days, so many shards at a time; answers how many entries there are.
pub async fn read(client: &Client, days: Days, at_once: usize) -> usize {
    let shards =
        days.each().flat_map(|day| (0..LEDGER_SHARDS).map(move |shard| ledger_shard(day, shard)));
    let reading = stream::iter(shards).map(|shard| tokio::spawn(read_shard(client.clone(), shard)));
    reading
        .buffer_unordered(at_once)
        .fold(0, async |sum, read| sum + read.expect("it is read"))
        .await
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
