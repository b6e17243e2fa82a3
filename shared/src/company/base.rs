//! Reads a company's base, the sums of its days, from the ledger.

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    CompanyId, Settings,
    sums::{Base, DaySums},
};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{keys, text},
    ledger::{self, InvalidEntry, TooLarge},
    time::Day,
};

/// Number of shards that are read concurrently.
const CONCURRENT_SHARDS: usize = 32;

/// The ledger's table, and a client with long timeouts.
#[derive(Debug)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Why a base could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// An entry does not have the format that the ledger's own code writes.
    #[error(transparent)]
    InvalidEntry(#[from] InvalidEntry),
    /// A sum overflows.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl Ledger {
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self { client: aws.with_long_timeouts().dynamo(), table: settings.ledger_table.clone() }
    }

    /// Sums the company's days. It costs eventually consistent reads of all entries, and half a
    /// read unit for each shard of each day.
    pub async fn base(
        &self,
        company: &CompanyId,
        days: impl Iterator<Item = Day> + Clone,
    ) -> Result<Base, BaseError> {
        let shards =
            days.clone().flat_map(|day| (0..keys::LEDGER_SHARDS).map(move |shard| (day, shard)));
        let reads: Vec<_> =
            shards.map(|(day, shard)| self.shard_sums(company, day, shard)).collect();
        let mut sums = stream::iter(reads).buffer_unordered(CONCURRENT_SHARDS);
        let mut base = Base { days: days.map(|day| (day, DaySums::default())).collect() };
        while let Some((day, shard)) = sums.try_next().await? {
            let total = base.days.entry(day).or_default();
            *total = total.plus(&shard)?;
        }
        Ok(base)
    }

    async fn shard_sums(
        &self,
        company: &CompanyId,
        day: Day,
        shard: u64,
    ) -> Result<(Day, DaySums), BaseError> {
        let mut entries = self.shard_query(company, day, shard).into_paginator().items().send();
        let mut sums = DaySums::default();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(ServiceError::from)?;
            sums = sums.with_payment(ledger::read_payment(&entry)?)?;
        }
        Ok((day, sums))
    }

    fn shard_query(&self, company: &CompanyId, day: Day, shard: u64) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :company)")
            .expression_attribute_values(":pk", text(keys::ledger_shard(day, shard)))
            .expression_attribute_values(
                ":company",
                text(keys::ledger_merchant(&company.to_string())),
            )
            .projection_expression(ledger::PAYMENT_ATTRIBUTES)
    }
}
