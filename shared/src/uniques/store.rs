//! Ids and counts as items of the table.

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
        Item, Update, first, from_item, get,
        keys::{self, Key},
        number, put_new, text, to_attribute, to_item,
    },
    time::{Minute, Timestamp},
    webhook::WebhookUrl,
};

/// Number of shards of a minute that are counted concurrently.
const CONCURRENT_SHARDS: usize = 64;

/// The record names a URL that the count is sent to.
const HAS_CALLBACK: &str = "attribute_exists(#url)";

/// The epochs are still those that were read.
const EPOCHS_UNCHANGED: &str = "epochs = :before";

/// The table, and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    retention: Duration,
}

/// The ids of a minute, counted over all of its shards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardCounts {
    /// Number of ids.
    pub ids: u64,
    /// Shards that hold ids with a callback.
    pub with_callbacks: Vec<u32>,
}

/// The published count of a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedCount {
    /// Its sort key.
    #[serde(rename = "sk")]
    pub minute: Minute,
    pub unique_ids: u64,
    /// Time of publication.
    pub at: Timestamp,
    /// It was counted after its records had begun to expire, so ids may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
}

/// The result of a second count that differs from the published one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Its sort key.
    #[serde(rename = "sk")]
    pub minute: Minute,
    pub published: u64,
    pub counted: u64,
    /// Time of the second count.
    pub at: Timestamp,
}

/// An accepted id and its callback URL.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdWithCallback {
    #[serde(rename = "sk")]
    pub id: UniqueId,
    pub url: WebhookUrl,
}

impl Store {
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self { client, table: settings.table.clone(), retention: settings.retention }
    }

    // ---- ids ----

    /// Records an id in a minute, unless the minute has it: one write unit in either case, since
    /// the item is below a kilobyte.
    pub async fn record(
        &self,
        minute: Minute,
        shards: u32,
        request: &AcceptRequest,
    ) -> Result<AcceptOutcome, ServiceError> {
        let mut item = keys::id(minute, shards, request.id.get()).attributes();
        item.insert("ttl".into(), number(self.expiry(minute).as_seconds()));
        if let Some(url) = &request.callback {
            item.insert("url".into(), text(url.as_str()));
        }
        Ok(if self.put_once(item, request.token).await? {
            AcceptOutcome::New
        } else {
            AcceptOutcome::Duplicate
        })
    }

    /// Returns the time from which the records of a minute expire.
    pub fn expiry(&self, minute: Minute) -> Timestamp {
        minute.end().plus(self.retention)
    }

    /// Counts the ids of a minute with consistent reads. It costs as much as reading them, at least
    /// one read unit per shard.
    pub async fn count_ids(
        &self,
        minute: Minute,
        shards: u32,
    ) -> Result<ShardCounts, ServiceError> {
        let counts = stream::iter(0..shards).map(|shard| self.count_shard(minute, shard));
        let add = |mut sum: ShardCounts, (shard, ids, callbacks): (u32, u64, u64)| async move {
            sum.ids += ids;
            sum.with_callbacks.extend((callbacks > 0).then_some(shard));
            Ok(sum)
        };
        counts.buffer_unordered(CONCURRENT_SHARDS).try_fold(ShardCounts::default(), add).await
    }

    /// Returns the shard, the number of its ids, and the number of those with a callback. The query
    /// scans all ids; its filter matches those with a callback.
    async fn count_shard(
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

    /// Returns the ids of a shard that have a callback, after the key `after`: one page of the
    /// store, and the key to continue after.
    pub async fn callbacks(
        &self,
        minute: Minute,
        shard: u32,
        after: Option<HashMap<String, AttributeValue>>,
    ) -> Result<(Vec<IdWithCallback>, Option<HashMap<String, AttributeValue>>), ServiceError> {
        let query = self.with_callback(minute, shard).projection_expression("sk, #url");
        let page = query.set_exclusive_start_key(after).send().await?;
        let ids =
            page.items.unwrap_or_default().into_iter().map(from_item).collect::<Result<_, _>>()?;
        Ok((ids, page.last_evaluated_key))
    }

    fn with_callback(&self, minute: Minute, shard: u32) -> QueryFluentBuilder {
        self.query(keys::ids(minute, shard.into()))
            .key_condition_expression("pk = :pk")
            .filter_expression(HAS_CALLBACK)
            .expression_attribute_names("#url", "url")
    }

    // ---- published minutes ----

    /// Publishes a minute, unless it is published. Returns whether this call published it.
    pub async fn publish(&self, count: &PublishedCount, token: Uuid) -> Result<bool, ServiceError> {
        self.put_once(to_item(keys::minute(count.minute), count)?, token).await
    }

    /// Returns the newest published minute: one read unit.
    pub async fn last_published(&self) -> Result<Option<PublishedCount>, ServiceError> {
        let query = self.query(keys::MINUTES).key_condition_expression("pk = :pk");
        first(query.scan_index_forward(false), 1).await?.pop().map(from_item).transpose()
    }

    /// Returns the published count of a minute: one read unit.
    pub async fn published(&self, minute: Minute) -> Result<Option<PublishedCount>, ServiceError> {
        self.get(keys::minute(minute)).await
    }

    /// Records the correction of a minute, unless it has one. Returns whether this call recorded
    /// it.
    pub async fn correct(
        &self,
        correction: &Correction,
        token: Uuid,
    ) -> Result<bool, ServiceError> {
        self.put_once(to_item(keys::correction(correction.minute), correction)?, token).await
    }

    /// Returns at most `limit` items of a partition, from one minute to another, both included,
    /// oldest first.
    pub async fn list_between<T: DeserializeOwned>(
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
        first(query, limit).await?.into_iter().map(from_item).collect()
    }

    // ---- shard configuration ----

    /// Returns the shard configuration: one read unit.
    pub async fn shard_config(&self) -> Result<Option<ShardConfig>, ServiceError> {
        self.get(keys::shard_config()).await
    }

    /// Stores the first shard configuration, unless there is one. Returns the stored one.
    pub async fn create_shard_config(
        &self,
        config: ShardConfig,
    ) -> Result<ShardConfig, ServiceError> {
        match put_new(&self.client, &self.table, to_item(keys::shard_config(), &config)?).await? {
            None => Ok(config),
            Some(existing) => from_item(existing),
        }
    }

    /// Replaces the epochs of `before` with those of `after`. Returns whether they were unchanged
    /// until then.
    pub async fn replace_epochs(
        &self,
        before: &ShardConfig,
        after: &ShardConfig,
    ) -> Result<bool, ServiceError> {
        let update = Update::new(&self.table, keys::shard_config())
            .set("epochs", to_attribute(after.epochs())?)
            .condition(EPOCHS_UNCHANGED)
            .value("before", to_attribute(before.epochs())?);
        Ok(update.send(&self.client).await?.is_ok())
    }

    /// Records that all minutes up to this one were counted a second time. A slower audit may set
    /// it back; then some minutes are counted once more.
    pub async fn set_audited(&self, minute: Minute) -> Result<(), ServiceError> {
        let update = Update::new(&self.table, keys::shard_config()).set("audited", text(minute));
        update.send(&self.client).await.map(drop)
    }

    // ---- parts ----

    /// Puts an item unless its key exists, and returns whether this call put it. A call whose reply
    /// was lost recognizes its own item by the token.
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
