//! Scheduled jobs in the store.

use aws_sdk_dynamodb::{Client, operation::delete_item::DeleteItemError};
use serde::{Deserialize, de::DeserializeOwned};
use tracing::error;
use uuid::Uuid;

use super::{id::ScheduledJobId, job::ScheduledJob, when::Schedule};
use crate::{
    aws::ServiceError,
    dynamo::{
        Item, Json, Update, from_item, get, keys, newest, number, put_new, text, to_attribute,
        to_item,
    },
    time::Timestamp,
};

/// The job is still at the version that was read.
const SAME_VERSION: &str = "version = :before";

/// The job was neither advanced nor given another generation since it was read.
const STILL_DUE: &str = "generation = :generation AND next_run_at = :due";

/// The jobs in the table `Schedules`.
#[derive(Debug)]
pub struct JobStore {
    client: Client,
    table: String,
}

/// A due job, as the index `due` projects it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DueJob {
    pub id: ScheduledJobId,
    pub schedule: Option<Json<Schedule>>,
    pub generation: Uuid,
    pub next_run_at: Timestamp,
}

/// A row of the list of jobs.
#[derive(Debug)]
pub struct JobRow {
    pub place: String,
    /// `None` if this release cannot read the job.
    pub job: Option<ScheduledJob>,
}

impl DueJob {
    /// The projection of a job; `None` if it has no next occurrence.
    pub fn of(job: &ScheduledJob) -> Option<Self> {
        let ScheduledJob { id, schedule, generation, next_run_at, .. } = job;
        Some(Self {
            id: *id,
            schedule: schedule.clone(),
            generation: *generation,
            next_run_at: (*next_run_at)?,
        })
    }
}

impl JobStore {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads a job consistently: one read unit per 4 KB.
    pub async fn job(&self, id: ScheduledJobId) -> Result<Option<ScheduledJob>, ServiceError> {
        get(&self.client, &self.table, keys::scheduled_job(&id.to_string())).await
    }

    /// Puts a new job. If one has its id already, returns that one and writes nothing.
    pub async fn create(&self, job: &ScheduledJob) -> Result<Option<ScheduledJob>, ServiceError> {
        put_new(&self.client, &self.table, item(job)?).await?.map(from_item).transpose()
    }

    /// Writes the attributes in which `before` and `after` differ, if the job is still at the
    /// version of `before`: one write unit per kilobyte. Returns `false` if it is at another
    /// version, or does not exist.
    pub async fn change(
        &self,
        before: &ScheduledJob,
        after: &ScheduledJob,
    ) -> Result<bool, ServiceError> {
        let (old, mut new) = (item(before)?, item(after)?);
        let removed: Vec<String> =
            old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        new.retain(|name, value| old.get(name) != Some(value));
        let update = self
            .update(before.id)
            .condition(SAME_VERSION)
            .value("before", to_attribute(&before.version)?);
        let update = removed.iter().fold(update, |update, name| update.remove(name));
        let update = new.into_iter().fold(update, |update, (name, value)| update.set(&name, value));
        Ok(match update.send(&self.client).await? {
            Ok(_) => true,
            // An earlier attempt of this call may have been recorded, and a tick may have advanced
            // the job since.
            Err(Some(existing)) => {
                ScheduledJob { next_run_at: after.next_run_at, ..from_item(existing)? } == *after
            }
            Err(None) => false,
        })
    }

    /// Deletes a job at this version. Returns `false` if it is at another one, or does not exist.
    pub async fn delete(&self, id: ScheduledJobId, version: u64) -> Result<bool, ServiceError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::scheduled_job(&id.to_string()).attributes()))
            .condition_expression(SAME_VERSION)
            .expression_attribute_values(":before", to_attribute(&version)?);
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Reads at most `limit` jobs from the list, newest first, starting after the place `before`.
    pub async fn newest(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<JobRow>, ServiceError> {
        let items = newest(&self.client, &self.table, keys::SCHEDULED_JOBS, before, limit).await?;
        let place =
            |item: &Item| item.get("recent_sk").and_then(|place| place.as_s().ok()).cloned();
        let row = |item| JobRow { place: place(&item).unwrap_or_default(), job: readable(item) };
        Ok(items.into_iter().map(row).collect())
    }

    /// Reads a page of the jobs of a shard that are due before a moment, longest due first, and the
    /// start of the next page.
    pub async fn due(
        &self,
        shard: u64,
        before: Timestamp,
        page_size: i32,
        start: Option<Item>,
    ) -> Result<(Vec<DueJob>, Option<Item>), ServiceError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::DUE_INDEX)
            .key_condition_expression("due_pk = :pk AND due_sk < :before")
            .expression_attribute_values(":pk", text(keys::due_scheduled_jobs(shard)))
            .expression_attribute_values(":before", text(before))
            .limit(page_size)
            .set_exclusive_start_key(start);
        let page = query.send().await?;
        let due = page.items.unwrap_or_default().into_iter().filter_map(readable);
        Ok((due.collect(), page.last_evaluated_key))
    }

    /// Advances a job to its next occurrence, or removes it from the index. Does nothing if it was
    /// advanced or has another generation since it was read, and returns `false`.
    pub async fn advance(
        &self,
        due: &DueJob,
        next: Option<Timestamp>,
    ) -> Result<bool, ServiceError> {
        let update = self
            .update(due.id)
            .condition(STILL_DUE)
            .value("generation", text(due.generation))
            .value("due", text(due.next_run_at));
        let update = match next {
            Some(next) => update.set("next_run_at", text(next)).set("due_sk", text(next)),
            None => update.remove("next_run_at").remove("due_pk").remove("due_sk"),
        };
        Ok(update.send(&self.client).await?.is_ok())
    }

    /// Records the idempotency key of a requested run until `expires_at`. If it was recorded
    /// before, returns when its run was first requested and writes nothing.
    pub async fn record_run_key(
        &self,
        id: ScheduledJobId,
        key: Uuid,
        due_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let mut item = keys::run_key(&id.to_string(), key).attributes();
        item.insert("due_at".into(), text(due_at));
        item.insert("ttl".into(), number(expires_at.as_seconds()));
        let existing: Option<RunKeyRecord> =
            put_new(&self.client, &self.table, item).await?.map(from_item).transpose()?;
        Ok(existing.map(|key| key.due_at))
    }

    fn update(&self, id: ScheduledJobId) -> Update {
        Update::new(&self.table, keys::scheduled_job(&id.to_string()))
    }
}

/// Reads a job from its item, or reports and skips it, so that a job that this release cannot read
/// does not delay the others.
fn readable<T: DeserializeOwned>(item: Item) -> Option<T> {
    from_item(item)
        .inspect_err(|cause| {
            error!(%cause, "A scheduled job cannot be read");
            metrics::counter!("UnreadableScheduledJobs").increment(1);
        })
        .ok()
}

/// Returns the item of a job, with its places in the list of jobs and in the index `due`.
pub fn item(job: &ScheduledJob) -> Result<Item, ServiceError> {
    let id = job.id.to_string();
    let mut item = to_item(keys::scheduled_job(&id), job)?;
    let recent = keys::recent_scheduled_job(job.created_at, &id);
    item.extend([
        ("recent_pk".to_owned(), text(recent.pk)),
        ("recent_sk".to_owned(), text(recent.sk)),
    ]);
    if let Some(next_run_at) = job.next_run_at {
        let due = keys::due_scheduled_job(&id, next_run_at);
        item.extend([("due_pk".to_owned(), text(due.pk)), ("due_sk".to_owned(), text(due.sk))]);
    }
    Ok(item)
}

/// The idempotency key of a requested run.
#[derive(Deserialize)]
struct RunKeyRecord {
    due_at: Timestamp,
}
