//! Batches as items: one is `TODO` until its sums are known, then `DONE`, by one transaction. There is no counter: what is done is what
//! is `DONE`.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::query::{QueryOutput, builders::QueryFluentBuilder},
    types::{AttributeValue, Select},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{job::JobId, message::BatchId, store::Store, totals::Totals};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, keyed, keys, number, read, text, write},
    ledger::TooLarge,
    time::{Day, Timestamp},
};

/// How long batches are kept, for those who look at a job later.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// It is still to be summed.
const THERE: &str = "attribute_exists(pk)";

/// The plan of a job, which all of its batches belong to.
#[derive(Debug, Clone, Copy)]
pub struct PlanRef {
    pub job: JobId,
    pub id: Uuid,
}

/// Which part of a shard of the ledger a batch is: after one sort key, through another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingBatch {
    /// `None`: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// `None`: to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Transactions, as the plan has counted them.
    pub count: u64,
}

/// A summed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedBatch {
    #[serde(flatten)]
    pub totals: Totals,
    /// When.
    pub at: Timestamp,
}

/// What all summed batches of a plan come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub transactions: u64,
    pub batches: u64,
    pub totals: Result<Totals, TooLarge>,
    /// When the last one was.
    pub last: Option<Timestamp>,
}

impl Progress {
    const NOTHING: Self =
        Self { transactions: 0, batches: 0, totals: Ok(Totals::NOTHING), last: None };

    fn and(self, done: &FinishedBatch) -> Self {
        Self {
            transactions: self.transactions + done.totals.count,
            batches: self.batches + 1,
            totals: self.totals.and_then(|totals| totals.plus(done.totals)),
            last: self.last.max(Some(done.at)),
        }
    }
}

impl Store {
    /// Writes a batch that is to be summed: one write unit.
    pub async fn put_todo(
        &self,
        plan: PlanRef,
        batch: BatchId,
        todo: &PendingBatch,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let mut item = keyed(keys::todo(&plan.job.to_string(), plan.id, &batch.to_string()), todo)?;
        item.insert("ttl".into(), expiry(now));
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }

    /// The batch, if it is still to be summed: one read unit.
    pub async fn todo(
        &self,
        plan: PlanRef,
        batch: BatchId,
    ) -> Result<Option<PendingBatch>, ServiceError> {
        let key = keys::todo(&plan.job.to_string(), plan.id, &batch.to_string());
        self.get(key).await
    }

    /// Moves a batch to those that are done, once, however many sum it.
    pub async fn done(
        &self,
        plan: PlanRef,
        batch: BatchId,
        totals: Totals,
        now: Timestamp,
    ) -> Result<Commit, ServiceError> {
        let (job, batch) = (plan.job.to_string(), batch.to_string());
        let mut item =
            keyed(keys::done(&job, plan.id, &batch), &FinishedBatch { totals, at: now })?;
        item.insert("ttl".into(), expiry(now));
        let put = write::put_new(&self.table, item)?;
        let pending = keys::todo(&job, plan.id, &batch);
        commit(&self.client, put, [write::delete_if(&self.table, pending, THERE)?]).await
    }

    /// A batch is left to be summed: one read unit.
    pub async fn is_any_left(&self, plan: PlanRef) -> Result<bool, ServiceError> {
        let query = self.batches(plan, keys::todos(plan.id)).select(Select::Count).limit(1);
        Ok(query.send().await?.count() > 0)
    }

    /// How many batches are left to be summed: what reading them costs.
    pub async fn left(&self, plan: PlanRef) -> Result<u64, ServiceError> {
        let query = self.batches(plan, keys::todos(plan.id)).select(Select::Count);
        let mut pages = query.into_paginator().send();
        let mut left = 0;
        while let Some(page) = pages.next().await {
            left += u64::from(page?.count().unsigned_abs());
        }
        Ok(left)
    }

    /// Batches that are left to be summed, a page of them, and where it ended.
    pub async fn todos(
        &self,
        plan: PlanRef,
        after: Option<Place>,
    ) -> Result<(Vec<BatchId>, Option<Place>), ServiceError> {
        let prefix = keys::todos(plan.id);
        let query = self
            .batches(plan, prefix.clone())
            .projection_expression("sk")
            .set_exclusive_start_key(after);
        let page = query.send().await?;
        Ok((named(&page, &prefix)?, page.last_evaluated_key))
    }

    /// The summed batches of a day, in the order of the ledger.
    pub async fn done_on(&self, plan: PlanRef, day: Day) -> Result<Vec<BatchId>, ServiceError> {
        let prefix = keys::dones(plan.id);
        let query = self.batches(plan, format!("{prefix}{day}#")).projection_expression("sk");
        let mut pages = query.into_paginator().send();
        let mut batches = Vec::new();
        while let Some(page) = pages.next().await {
            batches.extend(named(&page?, &prefix)?);
        }
        Ok(batches)
    }

    /// What is summed so far: what reading all summed batches costs, some 150 bytes each.
    pub async fn summed(&self, plan: PlanRef) -> Result<Progress, ServiceError> {
        let mut pages = self.batches(plan, keys::dones(plan.id)).into_paginator().items().send();
        let mut summed = Progress::NOTHING;
        while let Some(item) = pages.next().await {
            summed = summed.and(&read(item?)?);
        }
        Ok(summed)
    }

    fn batches(&self, plan: PlanRef, prefix: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(keys::job_partition(&plan.job.to_string())))
            .expression_attribute_values(":prefix", text(prefix))
    }
}

/// Where a page of the store ended.
pub type Place = crate::dynamo::Item;

fn expiry(now: Timestamp) -> AttributeValue {
    number(now.plus(KEPT).as_seconds())
}

/// What the sort keys of a page say behind their prefix.
fn named(page: &QueryOutput, prefix: &str) -> Result<Vec<BatchId>, ServiceError> {
    let keys =
        page.items().iter().filter_map(|item| item.get("sk")?.as_s().ok()?.strip_prefix(prefix));
    keys.map(|batch| batch.parse().map_err(ServiceError::permanent)).collect()
}
