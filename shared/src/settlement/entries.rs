//! The ledger as a settlement reads it: counted by the plan, read by the batches.

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::Select};

use super::{Settings, batches::Place};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{Item, keys, text},
    ledger,
    time::{Day, Timestamp},
};

/// It was recorded in time.
const IN_TIME: &str = "recorded_at <= :cutoff";

/// A shard of a day of the ledger, as far as it was recorded up to the cutoff.
#[derive(Debug, Clone, Copy)]
pub struct Shard {
    pub day: Day,
    pub number: u64,
    pub cutoff: Timestamp,
}

/// A part of a shard that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Entries recorded in time.
    pub in_time: u64,
    /// All entries that were looked at.
    pub looked_at: u64,
    /// The sort key of the last one; `None`: the shard has no more.
    pub last: Option<String>,
}

/// The table of the ledger, and a client that takes its time: a page of a megabyte does, on a small function.
#[derive(Debug, Clone)]
pub struct Ledger {
    client: Client,
    table: String,
}

impl Ledger {
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self { client: aws.with_long_timeouts().dynamo(), table: settings.ledger_table.clone() }
    }

    /// Counts the entries after a place, at most so many, and at most a megabyte of them: consistently, one read unit for 4 KB.
    pub async fn count(
        &self,
        shard: Shard,
        after: Option<&str>,
        limit: u64,
    ) -> Result<Counted, ServiceError> {
        let query = self.entries(shard, after).select(Select::Count).consistent_read(true);
        let page = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).send().await?;
        Ok(Counted {
            in_time: page.count().unsigned_abs().into(),
            looked_at: page.scanned_count().unsigned_abs().into(),
            last: page.last_evaluated_key().and_then(sort_key).map(str::to_owned),
        })
    }

    /// Reads the entries after a place, through another, at most a megabyte of them, and tells where the page ended.
    pub async fn read(
        &self,
        shard: Shard,
        after: Option<&str>,
        through: Option<&str>,
        consistent: bool,
    ) -> Result<(Vec<Item>, Option<String>), ServiceError> {
        let query = self
            .entries(shard, after)
            .projection_expression(ledger::PAYMENT_ATTRIBUTES)
            .consistent_read(consistent);
        let query = match through {
            None => query,
            Some(through) => query
                .key_condition_expression("pk = :pk AND sk <= :through")
                .expression_attribute_values(":through", text(through)),
        };
        let page = query.send().await?;
        let last = page.last_evaluated_key().and_then(sort_key).map(str::to_owned);
        Ok((page.items.unwrap_or_default(), last))
    }

    fn entries(&self, shard: Shard, after: Option<&str>) -> QueryFluentBuilder {
        let pk = keys::ledger_shard(shard.day, shard.number);
        let begin =
            after.map(|sk| Place::from([("pk".into(), text(pk.clone())), ("sk".into(), text(sk))]));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .set_exclusive_start_key(begin);
        if shard.day.last() <= shard.cutoff {
            return query;
        }
        query.filter_expression(IN_TIME).expression_attribute_values(":cutoff", text(shard.cutoff))
    }
}

fn sort_key(item: &Item) -> Option<&str> {
    item.get("sk")?.as_s().ok().map(String::as_str)
}
