//! [`LedgerReader`]: counts entries of the ledger for plans, and reads them for batches.

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder, types::Select};

use crate::{
    aws::{Aws, ServiceError},
    dynamo::{Item, keys, text},
    ledger,
    time::{Day, Timestamp},
};

/// The entry was recorded up to the cutoff.
const UP_TO_CUTOFF: &str = "recorded_at <= :cutoff";

/// Entries of a shard of a day of the ledger that were recorded up to the cutoff.
#[derive(Debug, Clone, Copy)]
pub struct Shard {
    pub day: Day,
    pub number: u64,
    pub cutoff: Timestamp,
}

/// Count of a part of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCount {
    /// Entries recorded up to the cutoff.
    pub matched: u64,
    /// All entries.
    pub scanned: u64,
    /// Sort key of the last entry; `None`: the shard has no more.
    pub last: Option<String>,
}

/// The table of the ledger, with a client of long timeouts: a page of a megabyte takes a while on a
/// small function.
#[derive(Debug, Clone)]
pub struct LedgerReader {
    client: Client,
    table: String,
}

impl LedgerReader {
    pub fn new(aws: &Aws, table: String) -> Self {
        Self { client: aws.with_long_timeouts().dynamo(), table }
    }

    /// Counts the entries after a sort key, at most `limit` and at most a megabyte of them, with a
    /// consistent read: one read unit for 4 KB.
    pub async fn count(
        &self,
        shard: Shard,
        after: Option<&str>,
        limit: u64,
    ) -> Result<PageCount, ServiceError> {
        let query = self.entries(shard, after).select(Select::Count).consistent_read(true);
        let page = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).send().await?;
        Ok(PageCount {
            matched: page.count().unsigned_abs().into(),
            scanned: page.scanned_count().unsigned_abs().into(),
            last: page.last_evaluated_key().and_then(sort_key).map(str::to_owned),
        })
    }

    /// Reads the entries after one sort key through another, at most a megabyte of them. Returns
    /// them with the sort key that the next page starts after.
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
        let start =
            after.map(|sk| Item::from([("pk".into(), text(pk.clone())), ("sk".into(), text(sk))]));
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(pk))
            .set_exclusive_start_key(start);
        // A filter is needed only if the cutoff is within the day.
        if shard.day.last() <= shard.cutoff {
            return query;
        }
        query
            .filter_expression(UP_TO_CUTOFF)
            .expression_attribute_values(":cutoff", text(shard.cutoff))
    }
}

fn sort_key(item: &Item) -> Option<&str> {
    item.get("sk")?.as_s().ok().map(String::as_str)
}
