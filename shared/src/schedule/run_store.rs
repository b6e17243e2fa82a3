//! Runs in the store: each item is both the claim of an occurrence and its entry in the history.

use std::time::Duration;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use uuid::Uuid;

use super::{
    id::ScheduledJobId,
    occurrence::Occurrence,
    run::{FOREVER, RunRecord, RunView},
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Claims, Fence, LeaseGuard},
    dynamo::{Item, first, from_item, get, keys, number, put_new, text},
    time::{Clock, Timestamp},
};

/// How long a worker holds a claim without renewal.
pub const LEASE: Duration = Duration::from_secs(30);

/// The runs of all jobs.
#[derive(Debug)]
pub struct RunStore {
    client: Client,
    table: String,
    claims: Claims,
    retention: Duration,
}

impl RunStore {
    pub fn new(client: Client, table: String, retention: Duration) -> Self {
        Self { claims: Claims::new(client.clone(), table.clone()), client, table, retention }
    }

    /// Claims an occurrence, and records the start of its first attempt: one write unit, whether
    /// the claim is acquired or not.
    pub async fn claim(
        &self,
        occurrence: &Occurrence,
        now: Timestamp,
    ) -> Result<Claim, ServiceError> {
        let mut attributes = self.attributes(occurrence, now);
        attributes.insert("started_at".into(), text(now));
        let (key, owner) = (occurrence.key(), Uuid::now_v7());
        self.claims.claim_with_attributes(key, owner, LEASE, now, attributes).await
    }

    /// Returns the guard of an occurrence that was claimed with this fence.
    pub fn guard(&self, occurrence: &Occurrence, fence: Fence, clock: Clock) -> LeaseGuard<'_> {
        self.claims.guard(occurrence.key(), fence, LEASE, clock)
    }

    /// Records an occurrence as skipped, unless it has a run: one write unit. Returns the existing
    /// run, if there is one.
    pub async fn skip(
        &self,
        occurrence: &Occurrence,
        reason: &str,
        now: Timestamp,
    ) -> Result<Option<RunView>, ServiceError> {
        // Written as a claim that failed for good, so that every later claim finds it finished.
        let mut item = self.attributes(occurrence, now);
        item.extend(occurrence.key().attributes());
        item.extend(
            [
                ("state", text("FAILED")),
                ("skipped", AttributeValue::Bool(true)),
                ("error", text(reason)),
                ("owner", text(Uuid::nil())),
                ("fence", number(0)),
                ("completed_at", text(now)),
                ("expires_at", text(now.plus(FOREVER))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        put_new(&self.client, &self.table, item).await?.map(view).transpose()
    }

    /// The attributes of a run that are not its claim's.
    fn attributes(&self, occurrence: &Occurrence, now: Timestamp) -> Item {
        let mut attributes = Item::from([
            ("run".to_owned(), text(occurrence.run)),
            ("due_at".to_owned(), text(occurrence.due_at)),
            ("ttl".to_owned(), number(now.plus(self.retention).as_seconds())),
        ]);
        if let Some(missed_since) = occurrence.missed_since {
            attributes.insert("missed_since".to_owned(), text(missed_since));
        }
        attributes
    }

    /// Reads the run of an occurrence consistently; `None` if it has none: one read unit.
    pub async fn run(&self, occurrence: &Occurrence) -> Result<Option<RunView>, ServiceError> {
        let record: Option<RunRecord> = get(&self.client, &self.table, occurrence.key()).await?;
        Ok(record.map(RunView::from))
    }

    /// Reads at most `limit` runs of a job that were due since a moment, latest first, starting
    /// after the place `before`.
    pub async fn newest(
        &self,
        job: ScheduledJobId,
        since: Timestamp,
        before: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<RunView>, ServiceError> {
        let pk = keys::scheduled_job_partition(&job.to_string());
        let start = before.map(|place| {
            Item::from([key("pk", &pk), key("sk", &format!("{}{place}", keys::RUNS))])
        });
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .filter_expression("#ttl > :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":pk", text(&pk))
            .expression_attribute_values(":first", text(format!("{}{since}", keys::RUNS)))
            .expression_attribute_values(":last", text(keys::AFTER_RUNS))
            .expression_attribute_values(":now", number(now.as_seconds()))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .scan_index_forward(false);
        let runs = first(query, limit).await?;
        runs.into_iter().map(view).collect()
    }
}

fn key(name: &str, value: &str) -> (String, AttributeValue) {
    (name.to_owned(), text(value))
}

fn view(item: Item) -> Result<RunView, ServiceError> {
    from_item::<RunRecord>(item).map(RunView::from)
}
