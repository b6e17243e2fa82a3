//! Batches as items: `TODO` until a batch is summed, then `DONE`, by one transaction. There is no
//! counter: progress is the sum of the `DONE` items.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::{AttributeValue, Select},
};
use serde::{Deserialize, Serialize};

use super::{
    job::PlanRef,
    message::BatchId,
    progress::{FinishedBatch, Progress},
    store::Store,
    totals::Totals,
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, Item, commit, from_item, keys, number, text, to_item, write},
    time::{Day, Timestamp},
};

/// How long the items of batches are kept, for later inspection of a settlement.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// The batch is still pending.
const EXISTS: &str = "attribute_exists(pk)";

/// Part of a shard of the ledger that a batch covers, by sort keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingBatch {
    /// Exclusive start; `None`: the beginning of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Inclusive end; `None`: the end of the shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Transactions that the plan counted.
    pub count: u64,
}

impl Store {
    /// Writes a pending batch: one write unit.
    pub async fn put_pending(
        &self,
        plan: PlanRef,
        batch: BatchId,
        pending: &PendingBatch,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let key = keys::todo(&plan.job.to_string(), plan.id, &batch.to_string());
        let mut item = to_item(key, pending)?;
        item.insert("ttl".into(), expiry(now));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Returns a batch if it is pending: one read unit.
    pub async fn pending(
        &self,
        plan: PlanRef,
        batch: BatchId,
    ) -> Result<Option<PendingBatch>, ServiceError> {
        let key = keys::todo(&plan.job.to_string(), plan.id, &batch.to_string());
        self.get(key).await
    }

    /// Moves a batch from `TODO` to `DONE`, once, even if several workers summed it.
    pub async fn finish_batch(
        &self,
        plan: PlanRef,
        batch: BatchId,
        totals: Totals,
        now: Timestamp,
    ) -> Result<Commit, ServiceError> {
        let (job, batch) = (plan.job.to_string(), batch.to_string());
        let finished = FinishedBatch { totals, at: now };
        let mut item = to_item(keys::done(&job, plan.id, &batch), &finished)?;
        item.insert("ttl".into(), expiry(now));
        let put = write::put_new(&self.table, item)?;
        let pending = keys::todo(&job, plan.id, &batch);
        commit(&self.client, put, [write::delete_if(&self.table, pending, EXISTS)?]).await
    }

    /// Returns whether a batch is pending: one read unit.
    pub async fn has_pending(&self, plan: PlanRef) -> Result<bool, ServiceError> {
        let query = self.query_batches(plan, keys::todos(plan.id)).select(Select::Count).limit(1);
        Ok(query.send().await?.count() > 0)
    }

    /// Counts the pending batches, at the cost of reading them.
    pub async fn count_pending(&self, plan: PlanRef) -> Result<u64, ServiceError> {
        let query = self.query_batches(plan, keys::todos(plan.id)).select(Select::Count);
        let mut pages = query.into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            count += u64::from(page?.count().unsigned_abs());
        }
        Ok(count)
    }

    /// Returns a page of the pending batches, and the key that the next page starts after.
    pub async fn pending_page(
        &self,
        plan: PlanRef,
        after: Option<Item>,
    ) -> Result<(Vec<BatchId>, Option<Item>), ServiceError> {
        let prefix = keys::todos(plan.id);
        let query = self
            .query_batches(plan, prefix.clone())
            .projection_expression("sk")
            .set_exclusive_start_key(after);
        let page = query.send().await?;
        Ok((batch_ids(&page, &prefix)?, page.last_evaluated_key))
    }

    /// Returns the finished batches of a day, in the order of the ledger.
    pub async fn finished_on(&self, plan: PlanRef, day: Day) -> Result<Vec<BatchId>, ServiceError> {
        let prefix = keys::dones(plan.id);
        let query = self.query_batches(plan, format!("{prefix}{day}#")).projection_expression("sk");
        let mut pages = query.into_paginator().send();
        let mut batches = Vec::new();
        while let Some(page) = pages.next().await {
            batches.extend(batch_ids(&page?, &prefix)?);
        }
        Ok(batches)
    }

    /// Sums the finished batches, at the cost of reading them: some 150 bytes each.
    pub async fn progress(&self, plan: PlanRef) -> Result<Progress, ServiceError> {
        let query = self.query_batches(plan, keys::dones(plan.id));
        let mut items = query.into_paginator().items().send();
        let mut progress = Progress::ZERO;
        while let Some(item) = items.next().await {
            progress = progress.plus(&from_item(item?)?);
        }
        Ok(progress)
    }

    fn query_batches(&self, plan: PlanRef, prefix: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(keys::job_partition(&plan.job.to_string())))
            .expression_attribute_values(":prefix", text(prefix))
    }
}

fn expiry(now: Timestamp) -> AttributeValue {
    number(now.plus(RETENTION).as_seconds())
}

/// Parses the sort keys of a page, without their prefix.
fn batch_ids(page: &QueryOutput, prefix: &str) -> Result<Vec<BatchId>, ServiceError> {
    let keys =
        page.items().iter().filter_map(|item| item.get("sk")?.as_s().ok()?.strip_prefix(prefix));
    keys.map(|batch| batch.parse().map_err(ServiceError::permanent)).collect()
}
