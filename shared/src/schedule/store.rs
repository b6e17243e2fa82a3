//! Jobs as items.

use aws_sdk_dynamodb::{Client, operation::delete_item::DeleteItemError};
use serde::{Deserialize, de::DeserializeOwned};
use tracing::error;
use uuid::Uuid;

use super::{ScheduledJobId, job::ScheduledJob, when::Schedule};
use crate::{
    aws::ServiceError,
    dynamo::{
        Item, Json, Update, get, keyed, keys, newest, number, put_new, read, text, written,
    },
    time::Timestamp,
};

/// It is as it was when we looked.
const SAME: &str = "version = :before";

/// Nobody has moved it on, or given it another schedule, since we looked.
const STILL_DUE: &str = "generation = :generation AND next_run_at = :due";

/// The table, and the client that reaches it.
#[derive(Debug)]
pub struct Store {
    client: Client,
    table: String,
}

/// A job that is due, as the index has it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Due {
    pub id: ScheduledJobId,
    pub schedule: Option<Json<Schedule>>,
    pub generation: Uuid,
    pub next_run_at: Timestamp,
}

/// A job in the list of all, and its place there.
#[derive(Debug)]
pub struct Listed {
    pub place: String,
    /// None: this release cannot read it.
    pub job: Option<ScheduledJob>,
}

impl Due {
    /// A job that has an occurrence to come.
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

impl Store {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The job as it is now: one read unit for 4 KB.
    pub async fn job(&self, id: ScheduledJobId) -> Result<Option<ScheduledJob>, ServiceError> {
        get(&self.client, &self.table, keys::scheduled_job(&id.to_string())).await
    }

    /// Puts a new job. Answers what has its id already, and then nothing is written.
    pub async fn create(&self, job: &ScheduledJob) -> Result<Option<ScheduledJob>, ServiceError> {
        put_new(&self.client, &self.table, item(job)?).await?.map(read).transpose()
    }

    /// Writes what a caller has changed and nothing else, if the job is still at the version before: one write unit for a kilobyte.
    /// `false`: it is at another version, or gone.
    pub async fn change(
        &self,
        before: &ScheduledJob,
        after: &ScheduledJob,
    ) -> Result<bool, ServiceError> {
        let (old, mut new) = (item(before)?, item(after)?);
        let gone: Vec<String> =
            old.keys().filter(|name| !new.contains_key(*name)).cloned().collect();
        new.retain(|name, value| old.get(name) != Some(value));
        let update = self
            .update(before.id)
            .condition(SAME)
            .value("before", written(&before.version)?);
        let update = gone.iter().fold(update, |update, name| update.remove(name));
        let update =
            new.into_iter().fold(update, |update, (name, value)| update.set(&name, value));
        Ok(match update.send(&self.client).await? {
            Ok(_) => true,
            // It may be we: an earlier try was recorded, and a tick has moved it on since.
            Err(Some(stands)) => {
                ScheduledJob { next_run_at: after.next_run_at, ..read(stands)? } == *after
            }
            Err(None) => false,
        })
    }

    /// Deletes a job at a version. `false`: it is at another one, or not there.
    pub async fn delete(&self, id: ScheduledJobId, version: u64) -> Result<bool, ServiceError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(keys::scheduled_job(&id.to_string()).attributes()))
            .condition_expression(SAME)
            .expression_attribute_values(":before", written(&version)?);
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// The newest jobs, or the newest before a place of the list, as the index knows them.
    pub async fn newest(
        &self,
        before: Option<&str>,
        wanted: usize,
    ) -> Result<Vec<Listed>, ServiceError> {
        let items = newest(&self.client, &self.table, keys::SCHEDULED_JOBS, before, wanted).await?;
        let place =
            |item: &Item| item.get("recent_sk").and_then(|place| place.as_s().ok()).cloned();
        let listed = |item| Listed { place: place(&item).unwrap_or_default(), job: readable(item) };
        Ok(items.into_iter().map(listed).collect())
    }

    /// A page of the jobs of a shard that are due before a moment, the longest due first, and where the next page begins.
    pub async fn due(
        &self,
        shard: u64,
        before: Timestamp,
        page: i32,
        after: Option<Item>,
    ) -> Result<(Vec<Due>, Option<Item>), ServiceError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(keys::DUE_INDEX)
            .key_condition_expression("due_pk = :pk AND due_sk < :before")
            .expression_attribute_values(":pk", text(keys::due_scheduled_jobs(shard)))
            .expression_attribute_values(":before", text(before))
            .limit(page)
            .set_exclusive_start_key(after);
        let found = query.send().await?;
        let due = found.items.unwrap_or_default().into_iter().filter_map(readable);
        Ok((due.collect(), found.last_evaluated_key))
    }

    /// Moves a job on to its next occurrence, or out of the index. `false`: another has, or it has another schedule.
    pub async fn advance(&self, due: &Due, next: Option<Timestamp>) -> Result<bool, ServiceError> {
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

    /// Remembers which run an idempotency key has begun, until the table forgets it. Answers the one that it had begun before.
    pub async fn remember(
        &self,
        id: ScheduledJobId,
        key: Uuid,
        due_at: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Timestamp>, ServiceError> {
        let mut item = keys::run_key(&id.to_string(), key).attributes();
        item.insert("due_at".into(), text(due_at));
        item.insert("ttl".into(), number(until.as_seconds()));
        let before: Option<Begun> =
            put_new(&self.client, &self.table, item).await?.map(read).transpose()?;
        Ok(before.map(|begun| begun.due_at))
    }

    fn update(&self, id: ScheduledJobId) -> Update {
        Update::new(&self.table, keys::scheduled_job(&id.to_string()))
    }
}

/// One that this release cannot read keeps no other from its place.
fn readable<T: DeserializeOwned>(item: Item) -> Option<T> {
    read(item)
        .inspect_err(|cause| {
            error!(%cause, "A scheduled job cannot be read");
            metrics::counter!("UnreadableSchedules").increment(1);
        })
        .ok()
}

/// A job as its item, in the list of all and in the index of those that are due.
pub fn item(job: &ScheduledJob) -> Result<Item, ServiceError> {
    let id = job.id.to_string();
    let mut item = keyed(keys::scheduled_job(&id), job)?;
    let listed = keys::recent_scheduled_job(job.created_at, &id);
    item.extend([
        ("recent_pk".to_owned(), text(listed.pk)),
        ("recent_sk".to_owned(), text(listed.sk)),
    ]);
    if let Some(at) = job.next_run_at {
        let due = keys::due_scheduled_job(&id, at);
        item.extend([("due_pk".to_owned(), text(due.pk)), ("due_sk".to_owned(), text(due.sk))]);
    }
    Ok(item)
}

/// What an idempotency key has begun.
#[derive(Deserialize)]
struct Begun {
    due_at: Timestamp,
}
