//! A company's days of the ledger.

use aws_sdk_dynamodb::{Client, operation::query::builders::QueryFluentBuilder};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    CompanyId, Settings,
    figures::{Base, DaySums},
};
use crate::{
    aws::{Aws, ServiceError},
    dynamo::{keys, text},
    ledger::{self, InvalidEntry, TooLarge},
    time::Day,
};

/// Shards that are read at the same time.
const SHARDS_AT_ONCE: usize = 32;

/// The table of the ledger, and a client that takes its time.
#[derive(Debug)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// An entry of the ledger that nobody here wrote.
    #[error(transparent)]
    Unreadable(#[from] InvalidEntry),
    /// More cents than can be counted.
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

    /// Sums the company's days: what reading its entries costs, at half the price, and half a unit for each shard of each day.
    pub async fn base(
        &self,
        company: &CompanyId,
        days: impl Iterator<Item = Day> + Clone,
    ) -> Result<Base, BaseError> {
        let shards =
            days.clone().flat_map(|day| (0..keys::LEDGER_SHARDS).map(move |shard| (day, shard)));
        let reads: Vec<_> = shards.map(|(day, shard)| self.sum(company, day, shard)).collect();
        let mut sums = stream::iter(reads).buffer_unordered(SHARDS_AT_ONCE);
        let mut base = Base { days: days.map(|day| (day, DaySums::default())).collect() };
        while let Some((day, sum)) = sums.try_next().await? {
            let total = base.days.entry(day).or_default();
            *total = total.plus(&sum)?;
        }
        Ok(base)
    }

    async fn sum(
        &self,
        company: &CompanyId,
        day: Day,
        shard: u64,
    ) -> Result<(Day, DaySums), BaseError> {
        let mut entries = self.entries(company, day, shard).into_paginator().items().send();
        let mut sums = DaySums::default();
        while let Some(entry) = entries.next().await {
            let entry = entry.map_err(ServiceError::from)?;
            sums = sums.and(ledger::read_payment(&entry)?)?;
        }
        Ok((day, sums))
    }

    fn entries(&self, company: &CompanyId, day: Day, shard: u64) -> QueryFluentBuilder {
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
