//! Jobs as items.

use std::time::Duration;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    Settings,
    job::{Job, JobId, StallWatch, State},
    range::Days,
    totals::{Row, Totals},
    transition::{Change, Transition},
};
use crate::{
    aws::ServiceError,
    dynamo::{
        Commit, Item, Update, commit, first, get, keyed,
        keys::{self, Key},
        newest, number, put_if, read, text, write, written,
    },
    time::{Day, Timestamp},
};

/// How long somebody who plans or finishes is taken to be at work without a sign.
pub const LEASE: Duration = Duration::from_mins(1);

/// Jobs of a list that are read at the same time.
const JOBS_AT_ONCE: usize = 16;

/// The range is still settled by whom it was when we looked, or was never settled.
const SAME_JOB: &str = "job = :before";

/// Nobody is known to be at work on it, or it is we.
const FREE: &str =
    "(attribute_not_exists(lease_until) OR lease_until < :now OR lease_owner = :owner)";

/// The day was not settled, or with no later cutoff.
const NOT_NEWER: &str = "attribute_not_exists(pk) OR cutoff <= :cutoff";

/// The table, and the client that reaches it.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) client: Client,
    pub(super) table: String,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransitionOutcome {
    /// The job has taken it, and is this now.
    Applied(Job),
    /// The job is where the step does not start: this.
    Rejected(Job),
    /// There is no such job.
    NotFound,
}

/// What work somebody holds for a while, so that no other does the same at the same time. Nothing depends on it but the effort.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// The planning of this run.
    Plan { run: u32 },
    /// The finishing of this plan.
    Finish { plan: Uuid },
}

impl Work {
    fn condition(&self) -> (State, &'static str, AttributeValue) {
        match self {
            Self::Plan { run } => (State::Queued, "run", number(*run)),
            Self::Finish { plan } => (State::Finishing, "plan", text(plan.to_string())),
        }
    }
}

/// What a merchant's day was settled to.
#[derive(Debug, Serialize)]
struct SettledDay {
    #[serde(flatten)]
    totals: Totals,
    cutoff: Timestamp,
    job: JobId,
}

/// Which job settles a range of days.
#[derive(Debug, Deserialize)]
struct Settled {
    job: JobId,
}

impl Store {
    pub fn new(client: Client, settings: &Settings) -> Self {
        Self { client, table: settings.table.clone() }
    }

    // ---- asking for a job ----

    /// The job that settles these days, or did last: one read unit.
    pub async fn settled_by(&self, days: Days) -> Result<Option<JobId>, ServiceError> {
        let found: Option<Settled> = self.get(keys::range(days.from, days.to)).await?;
        Ok(found.map(|settled| settled.job))
    }

    /// Puts a new job, and makes it the one that settles its days, if that is still `before`.
    pub async fn create(&self, job: &Job, before: Option<JobId>) -> Result<Commit, ServiceError> {
        let listed = keys::recent_job(job.created_at, &job.id.to_string());
        let mut item = keyed(keys::job(&job.id.to_string()), job)?;
        item.insert("recent_pk".into(), text(listed.pk));
        item.insert("recent_sk".into(), text(listed.sk));
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

    // ---- one job ----

    /// The job as it is now: one read unit.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>, ServiceError> {
        self.get(keys::job(&id.to_string())).await
    }

    /// Makes a step, if the job is where it starts.
    pub async fn transition(
        &self,
        id: JobId,
        transition: &Transition,
        now: Timestamp,
    ) -> Result<TransitionOutcome, ServiceError> {
        let Change { mut set, remove, same } = transition.change()?;
        set.extend([("state", written(&transition.to())?), ("updated_at", text(now))]);
        let update = set
            .into_iter()
            .fold(self.update(id), |update, (name, value)| update.set(name, value));
        let mut update = remove.into_iter().fold(update, Update::remove);
        let mut places = Vec::new();
        for (place, state) in transition.from().iter().enumerate() {
            let place = format!("from{place}");
            places.push(format!(":{place}"));
            update = update.value(&place, written(state)?);
        }
        let mut conditions = vec![format!("#state IN ({})", places.join(", "))];
        if let Some((name, value)) = same {
            conditions.push("#same = :same".to_owned());
            update = update.name("same", name).value("same", value);
        }
        let update = update.condition(conditions.join(" AND "));
        Ok(match update.send(&self.client).await? {
            Ok(job) => TransitionOutcome::Applied(read(job)?),
            Err(Some(job)) => TransitionOutcome::Rejected(read(job)?),
            Err(None) => TransitionOutcome::NotFound,
        })
    }

    /// Holds work for [`LEASE`], if nobody else does and it is still to be done; holds it longer, if the owner had it.
    pub async fn hold(
        &self,
        id: JobId,
        work: Work,
        owner: Uuid,
        now: Timestamp,
    ) -> Result<Option<Job>, ServiceError> {
        let (state, name, same) = work.condition();
        let update = self
            .update(id)
            .set("lease_owner", text(owner))
            .set("lease_until", text(now.plus(LEASE)))
            .condition(format!("#state = :state AND #same = :same AND {FREE}"))
            .name("state", "state")
            .value("state", written(&state)?)
            .name("same", name)
            .value("same", same)
            .value("owner", text(owner))
            .value("now", text(now));
        update.send(&self.client).await?.ok().map(read).transpose()
    }

    /// Lets go of work, if it is still held by this owner.
    pub async fn release(&self, id: JobId, owner: Uuid) -> Result<(), ServiceError> {
        let update = self
            .update(id)
            .remove("lease_owner")
            .remove("lease_until")
            .condition("#lease_owner = :owner")
            .value("owner", text(owner));
        update.send(&self.client).await.map(drop)
    }

    // ---- all jobs ----

    /// The newest jobs, or the newest before a place of the list, as the index knows them.
    pub async fn newest(
        &self,
        before: Option<&str>,
        wanted: usize,
    ) -> Result<Vec<Job>, ServiceError> {
        let jobs = newest(&self.client, &self.table, keys::JOBS, before, wanted).await?;
        jobs.into_iter().map(read).collect()
    }

    /// Every job that is not over.
    pub async fn live(&self) -> Result<Vec<Job>, ServiceError> {
        let query = self.client.query().table_name(&self.table).index_name(keys::LIVE_INDEX);
        let query = query
            .key_condition_expression("live_pk = :pk")
            .expression_attribute_values(":pk", text(keys::LIVE));
        let keys = first(query, usize::MAX).await?;
        let ids = keys.into_iter().map(|key| read::<Named>(key).map(|named| named.id));
        let ids: Vec<JobId> = ids.collect::<Result<_, _>>()?;
        let jobs = stream::iter(ids).map(|id| self.job(id)).buffered(JOBS_AT_ONCE);
        let jobs: Vec<Option<Job>> = jobs.try_collect().await?;
        Ok(jobs.into_iter().flatten().filter(|job| !job.state.is_over()).collect())
    }

    /// Remembers what was seen of a job.
    pub async fn watch(&self, job: &Job, watch: &StallWatch) -> Result<(), ServiceError> {
        let update = self
            .update(job.id)
            .set("watch", written(watch)?)
            .condition("#state = :state")
            .name("state", "state")
            .value("state", written(&job.state)?);
        update.send(&self.client).await.map(drop)
    }

    // ---- settled days ----

    /// Writes what a merchant's day was settled to: one write unit. A day that a job with a later cutoff has settled stays.
    pub async fn settle(&self, job: &Job, day: Day, row: &Row) -> Result<(), ServiceError> {
        let settled = SettledDay { totals: row.totals, cutoff: job.cutoff, job: job.id };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(keyed(keys::settled_day(&row.merchant, day), &settled)?))
            .condition_expression(NOT_NEWER)
            .expression_attribute_values(":cutoff", text(job.cutoff));
        put_if(put).await.map(drop)
    }

    // ---- parts ----

    fn update(&self, id: JobId) -> Update {
        Update::new(&self.table, keys::job(&id.to_string()))
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        key: Key,
    ) -> Result<Option<T>, ServiceError> {
        get(&self.client, &self.table, key).await
    }
}

/// What the index of live jobs holds.
#[derive(Deserialize)]
struct Named {
    id: JobId,
}
