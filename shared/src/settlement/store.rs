//! [`Store`]: settlements as items of the table. `batch_store.rs` adds batches, `lease.rs` leases.

use aws_sdk_dynamodb::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    days::Days,
    job::{Job, JobId, StallWatch},
    totals::{Row, Totals},
    transition::{Change, Transition, TransitionOutcome},
};
use crate::{
    aws::ServiceError,
    dynamo::{
        Commit, Item, Update, commit, first, from_item, get,
        keys::{self, Key},
        newest, put_if, text, to_attribute, to_item, write,
    },
    time::{Day, Timestamp},
};

/// Number of settlements of a list that are read concurrently.
const CONCURRENT_READS: usize = 16;

/// The range still belongs to the settlement that was read before.
const SAME_JOB: &str = "job = :before";

/// No settlement with a later cutoff has settled the day.
const NOT_NEWER: &str = "attribute_not_exists(pk) OR cutoff <= :cutoff";

/// The table of settlements.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) client: Client,
    pub(super) table: String,
}

/// Item of a merchant's settled day.
#[derive(Debug, Serialize)]
struct SettledDay {
    #[serde(flatten)]
    totals: Totals,
    cutoff: Timestamp,
    job: JobId,
}

/// Item that names the latest settlement of a range of days.
#[derive(Debug, Deserialize)]
struct RangeRecord {
    job: JobId,
}

/// Entry of the index of live settlements.
#[derive(Deserialize)]
struct LiveEntry {
    id: JobId,
}

impl Store {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    // ---- requests ----

    /// Returns the latest settlement of exactly these days: one read unit.
    pub async fn latest_of(&self, days: Days) -> Result<Option<JobId>, ServiceError> {
        let range: Option<RangeRecord> = self.get(keys::range(days.from, days.to)).await?;
        Ok(range.map(|range| range.job))
    }

    /// Puts a new settlement and makes it the latest of its days, if that is still `before`.
    pub async fn create(&self, job: &Job, before: Option<JobId>) -> Result<Commit, ServiceError> {
        let recent = keys::recent_job(job.created_at, &job.id.to_string());
        let mut item = to_item(keys::job(&job.id.to_string()), job)?;
        item.insert("recent_pk".into(), text(recent.pk));
        item.insert("recent_sk".into(), text(recent.sk));
        item.insert("live_pk".into(), text(keys::LIVE));
        let mut range = keys::range(job.days.from, job.days.to).attributes();
        range.insert("job".into(), text(job.id));
        let range = match before {
            None => write::put_new(&self.table, range)?,
            Some(before) => {
                let values = Item::from([(":before".to_owned(), text(before))]);
                write::put_if(&self.table, range, SAME_JOB, values)?
            }
        };
        commit(&self.client, write::put_new(&self.table, item)?, [range]).await
    }

    // ---- one settlement ----

    /// Reads a settlement, consistently: one read unit.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, ServiceError> {
        self.get(keys::job(&id.to_string())).await
    }

    /// Applies a transition if its condition holds.
    pub async fn transition(
        &self,
        id: JobId,
        transition: &Transition,
        now: Timestamp,
    ) -> Result<TransitionOutcome, ServiceError> {
        let Change { mut set, remove, same } = transition.change()?;
        set.extend([("state", to_attribute(&transition.to())?), ("updated_at", text(now))]);
        let update =
            set.into_iter().fold(self.update(id), |update, (name, value)| update.set(name, value));
        let mut update = remove.into_iter().fold(update, Update::remove);
        let mut from = Vec::new();
        for (index, state) in transition.from().iter().enumerate() {
            let placeholder = format!("from{index}");
            from.push(format!(":{placeholder}"));
            update = update.value(&placeholder, to_attribute(state)?);
        }
        let mut conditions = vec![format!("#state IN ({})", from.join(", "))];
        if let Some((name, value)) = same {
            conditions.push("#same = :same".to_owned());
            update = update.name("same", name).value("same", value);
        }
        let update = update.condition(conditions.join(" AND "));
        Ok(match update.send(&self.client).await? {
            Ok(job) => TransitionOutcome::Applied(from_item(job)?),
            Err(Some(job)) => TransitionOutcome::Rejected(from_item(job)?),
            Err(None) => TransitionOutcome::NotFound,
        })
    }

    /// Records an observation of a settlement, if its state is unchanged.
    pub async fn put_watch(&self, job: &Job, watch: &StallWatch) -> Result<(), ServiceError> {
        let update = self
            .update(job.id)
            .set("watch", to_attribute(watch)?)
            .condition("#state = :state")
            .name("state", "state")
            .value("state", to_attribute(&job.state)?);
        update.send(&self.client).await.map(drop)
    }

    // ---- lists ----

    /// Returns the newest settlements, or the newest before a sort key of the list. The index is
    /// eventually consistent.
    pub async fn newest_jobs(
        &self,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job>, ServiceError> {
        let jobs = newest(&self.client, &self.table, keys::JOBS, before, limit).await?;
        jobs.into_iter().map(from_item).collect()
    }

    /// Returns the settlements that had not ended when the index was written.
    pub async fn live_ids(&self) -> Result<Vec<JobId>, ServiceError> {
        let query = self.client.query().table_name(&self.table).index_name(keys::LIVE_INDEX);
        let query = query
            .key_condition_expression("live_pk = :pk")
            .expression_attribute_values(":pk", text(keys::LIVE));
        let entries = first(query, usize::MAX).await?;
        entries
            .into_iter()
            .map(|entry| from_item::<LiveEntry>(entry).map(|entry| entry.id))
            .collect()
    }

    /// Returns a settlement, unless it has ended.
    pub async fn live_job(&self, id: JobId) -> Result<Option<Job>, ServiceError> {
        Ok(self.job(id).await?.filter(|job| !job.state.has_ended()))
    }

    /// Returns every settlement that has not ended.
    pub async fn live_jobs(&self) -> Result<Vec<Job>, ServiceError> {
        let jobs = stream::iter(self.live_ids().await?).map(|id| self.live_job(id));
        let jobs: Vec<Option<Job>> = jobs.buffered(CONCURRENT_READS).try_collect().await?;
        Ok(jobs.into_iter().flatten().collect())
    }

    // ---- settled days ----

    /// Writes a merchant's settled day: one write unit. A day that a settlement with a later cutoff
    /// has settled is left unchanged.
    pub async fn put_settled_day(
        &self,
        job: &Job,
        day: Day,
        row: &Row,
    ) -> Result<(), ServiceError> {
        let settled = SettledDay { totals: row.totals, cutoff: job.cutoff, job: job.id };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(keys::settled_day(&row.merchant, day), &settled)?))
            .condition_expression(NOT_NEWER)
            .expression_attribute_values(":cutoff", text(job.cutoff));
        put_if(put).await.map(drop)
    }

    // ---- building blocks ----

    pub(super) fn update(&self, id: JobId) -> Update {
        Update::new(&self.table, keys::job(&id.to_string()))
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<T>, ServiceError> {
        get(&self.client, &self.table, key).await
    }
}
