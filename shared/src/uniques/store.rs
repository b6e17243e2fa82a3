//! Ids and counts as items.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    primitives::Blob,
    types::{AttributeValue, Select},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Settings, UniqueId,
    accept::{AcceptOutcome, AcceptRequest},
    shard_config::ShardConfig,
};
use crate::{
    aws::ServiceError,
    dynamo::{
        Item, Update, first, get, keyed,
        keys::{self, Key},
        number, put_new, read, text, written,
    },
    time::{Minute, Timestamp},
    webhook::WebhookUrl,
};

/// Shards of a minute that are counted at the same time.
const SHARDS_AT_ONCE: usize = 64;

/// Whoever accepted it is to be told the count.
const HAS_CALLBACK: &str = "attribute_exists(#url)";

/// The item is still as it was read.
const UNCHANGED: &str = "spreads = :before";

/// The table, and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    retention: Duration,
}

/// How many ids a minute has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardCounts {
    pub ids: u64,
    /// Shards with ids that have a callback.
    pub with_callbacks: Vec<u32>,
}

/// A minute's published count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its sort key.
    #[serde(rename = "sk")]
    pub minute: Minute,
    pub unique_ids: u64,
    /// When.
    pub at: Timestamp,
    /// It was counted after its records had begun to expire: there may have been more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// What a second count found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Its sort key.
    #[serde(rename = "sk")]
    pub minute: Minute,
    pub published: u64,
    pub counted: u64,
    /// When.
    pub at: Timestamp,
}

/// An accepted id with its callback.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct WithCallback {
    #[serde(rename = "sk")]
    pub id: UniqueId,
    pub url: WebhookUrl,
}

impl Store {
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self { client, table: settings.table.clone(), retention: settings.retention }
    }

    // ---- ids ----

    /// Records an id in a minute, unless it is there: one write unit, whatever the answer, for an item under a kilobyte.
    pub async fn record(
        &self,
        minute: Minute,
        shards: u32,
        arrival: &AcceptRequest,
    ) -> Result<AcceptOutcome, ServiceError> {
        let mut item = keys::id(minute, shards, arrival.id.get()).attributes();
        item.insert("ttl".into(), number(self.expiry(minute).as_seconds()));
        if let Some(url) = &arrival.callback {
            item.insert("url".into(), text(url.as_str()));
        }
        Ok(if self.put_once(item, arrival.token).await? {
            AcceptOutcome::New
        } else {
            AcceptOutcome::Duplicate
        })
    }

    /// When the records of a minute begin to expire.
    pub fn expiry(&self, minute: Minute) -> Timestamp {
        minute.end().plus(self.retention)
    }

    /// Counts the ids of a minute, consistently: what reading them costs, one read unit a shard at least.
    pub async fn tally(&self, minute: Minute, shards: u32) -> Result<ShardCounts, ServiceError> {
        let counts = stream::iter(0..shards).map(|shard| self.tally_shard(minute, shard));
        let add = |mut sum: ShardCounts, (shard, ids, callbacks): (u32, u64, u64)| async move {
            sum.ids += ids;
            sum.with_callbacks.extend((callbacks > 0).then_some(shard));
            Ok(sum)
        };
        counts.buffer_unordered(SHARDS_AT_ONCE).try_fold(ShardCounts::default(), add).await
    }

    /// The filter counts the ids with a callback; what it looked at are all ids.
    async fn tally_shard(
        &self,
        minute: Minute,
        shard: u32,
    ) -> Result<(u32, u64, u64), ServiceError> {
        let query = self.with_callback(minute, shard).select(Select::Count);
        let mut pages = query.into_paginator().send();
        let (mut ids, mut callbacks) = (0, 0);
        while let Some(page) = pages.next().await {
            let page = page?;
            ids += u64::from(page.scanned_count().unsigned_abs());
            callbacks += u64::from(page.count().unsigned_abs());
        }
        Ok((shard, ids, callbacks))
    }

    /// The ids of a shard that have a callback, after the one with this sort key: one page of the store, and where it ended.
    pub async fn callbacks(
        &self,
        minute: Minute,
        shard: u32,
        after: Option<HashMap<String, AttributeValue>>,
    ) -> Result<(Vec<WithCallback>, Option<HashMap<String, AttributeValue>>), ServiceError> {
        let query = self.with_callback(minute, shard).projection_expression("sk, #url");
        let page = query.set_exclusive_start_key(after).send().await?;
        let found =
            page.items.unwrap_or_default().into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((found, page.last_evaluated_key))
    }

    fn with_callback(&self, minute: Minute, shard: u32) -> QueryFluentBuilder {
        self.query(keys::ids(minute, shard.into()))
            .key_condition_expression("pk = :pk")
            .filter_expression(HAS_CALLBACK)
            .expression_attribute_names("#url", "url")
    }

    // ---- published minutes ----

    /// Publishes a minute, unless it is published; answers whether this call did it.
    pub async fn publish(&self, count: &Published, token: Uuid) -> Result<bool, ServiceError> {
        self.put_once(keyed(keys::minute(count.minute), count)?, token).await
    }

    /// The newest published minute: one read unit.
    pub async fn last_published(&self) -> Result<Option<Published>, ServiceError> {
        let query = self.query(keys::MINUTES).key_condition_expression("pk = :pk");
        first(query.scan_index_forward(false), 1).await?.pop().map(read).transpose()
    }

    /// The minute as it was published: one read unit.
    pub async fn published(&self, minute: Minute) -> Result<Option<Published>, ServiceError> {
        self.get(keys::minute(minute)).await
    }

    /// Records that a minute has another count than was published; answers whether this call did it.
    pub async fn correct(
        &self,
        correction: &Correction,
        token: Uuid,
    ) -> Result<bool, ServiceError> {
        self.put_once(keyed(keys::correction(correction.minute), correction)?, token).await
    }

    /// Items of one partition from one minute to another, both included, oldest first: at most so many.
    pub async fn between<T: DeserializeOwned>(
        &self,
        partition: &str,
        from: Minute,
        to: Minute,
        limit: usize,
    ) -> Result<Vec<T>, ServiceError> {
        let query = self
            .query(partition)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to));
        first(query, limit).await?.into_iter().map(read).collect()
    }

    // ---- how ids are counted ----

    /// Since when ids are counted, and how: one read unit.
    pub async fn counting(&self) -> Result<Option<ShardConfig>, ServiceError> {
        self.get(keys::counting()).await
    }

    /// Begins to count, unless another has begun; answers what holds now.
    pub async fn begin(&self, counting: ShardConfig) -> Result<ShardConfig, ServiceError> {
        match put_new(&self.client, &self.table, keyed(keys::counting(), &counting)?).await? {
            None => Ok(counting),
            Some(before) => read(before),
        }
    }

    /// Replaces the spreads of `before` by those of `after`; answers whether they were still those.
    pub async fn respread(
        &self,
        before: &ShardConfig,
        after: &ShardConfig,
    ) -> Result<bool, ServiceError> {
        let update = Update::new(&self.table, keys::counting())
            .set("spreads", written(after.spreads())?)
            .condition(UNCHANGED)
            .value("before", written(before.spreads())?);
        Ok(update.send(&self.client).await?.is_ok())
    }

    /// Remembers that all minutes up to this one were counted a second time. A slower audit may set it back: then some are
    /// counted once more.
    pub async fn audited(&self, minute: Minute) -> Result<(), ServiceError> {
        let update = Update::new(&self.table, keys::counting()).set("audited", text(minute));
        update.send(&self.client).await.map(drop)
    }

    // ---- parts ----

    /// Puts an item that only one call can put, and answers whether it was this one; a call whose reply was lost knows its own
    /// item by the token.
    async fn put_once(&self, mut item: Item, token: Uuid) -> Result<bool, ServiceError> {
        let token = AttributeValue::B(Blob::new(token.as_bytes()));
        item.insert("token".into(), token.clone());
        let before = put_new(&self.client, &self.table, item).await?;
        Ok(before.is_none_or(|before| before.get("token") == Some(&token)))
    }

    async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, ServiceError> {
        get(&self.client, &self.table, key).await
    }

    fn query(&self, partition: impl Into<String>) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        query.expression_attribute_values(":pk", text(partition))
    }
}
