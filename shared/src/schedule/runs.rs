//! Runs as items: each is the claim of its occurrence, and its history.

use std::time::Duration;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use uuid::Uuid;

use super::{
    ScheduledJobId,
    run::{FOREVER, Occurrence, RunView, Stored},
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Claims, Fence, LeaseGuard},
    dynamo::{Item, first, get, keys, number, put_new, read, text},
    time::{Clock, Timestamp},
};

/// How long a worker is taken to be alive without a sign.
pub const LEASE: Duration = Duration::from_secs(30);

/// The runs of all jobs.
#[derive(Debug)]
pub struct Runs {
    client: Client,
    table: String,
    claims: Claims,
    retention: Duration,
}

impl Runs {
    pub fn new(client: Client, table: String, retention: Duration) -> Self {
        Self { claims: Claims::new(client.clone(), table.clone()), client, table, retention }
    }

    /// Claims an occurrence, and notes when it was begun first: one write unit, and the same if it is not to be had.
    pub async fn claim(
        &self,
        occurrence: &Occurrence,
        now: Timestamp,
    ) -> Result<Claim, ServiceError> {
        let mut notes = self.notes(occurrence, now);
        notes.insert("started_at".into(), text(now));
        self.claims.claim_noting(occurrence.key(), Uuid::now_v7(), LEASE, now, notes).await
    }

    /// An occurrence that was claimed.
    pub fn hold(&self, occurrence: &Occurrence, fence: Fence, clock: Clock) -> LeaseGuard<'_> {
        self.claims.hold(occurrence.key(), fence, LEASE, clock)
    }

    /// Records that an occurrence is not done, if nobody has begun it: one write unit. Answers the run that somebody has begun.
    pub async fn skip(
        &self,
        occurrence: &Occurrence,
        why: &str,
        now: Timestamp,
    ) -> Result<Option<RunView>, ServiceError> {
        // As a claim that has failed for good, whoever comes for it finds it finished.
        let mut item = self.notes(occurrence, now);
        item.extend(occurrence.key().attributes());
        item.extend(
            [
                ("state", text("FAILED")),
                ("skipped", AttributeValue::Bool(true)),
                ("error", text(why)),
                ("owner", text(Uuid::nil())),
                ("fence", number(0)),
                ("completed_at", text(now)),
                ("expires_at", text(now.plus(FOREVER))),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        put_new(&self.client, &self.table, item).await?.map(view).transpose()
    }

    fn notes(&self, occurrence: &Occurrence, now: Timestamp) -> Item {
        let mut notes = Item::from([
            ("run".to_owned(), text(occurrence.run)),
            ("due_at".to_owned(), text(occurrence.due_at)),
            ("ttl".to_owned(), number(now.plus(self.retention).as_seconds())),
        ]);
        if let Some(since) = occurrence.missed_since {
            notes.insert("missed_since".to_owned(), text(since));
        }
        notes
    }

    /// The run of an occurrence, if it was begun: one read unit.
    pub async fn run(&self, occurrence: &Occurrence) -> Result<Option<RunView>, ServiceError> {
        let stored: Option<Stored> = get(&self.client, &self.table, occurrence.key()).await?;
        Ok(stored.map(RunView::from))
    }

    /// The newest runs of a job since a moment, or the newest before a place of its history.
    pub async fn newest(
        &self,
        job: ScheduledJobId,
        since: Timestamp,
        before: Option<&str>,
        wanted: usize,
        now: Timestamp,
    ) -> Result<Vec<RunView>, ServiceError> {
        let pk = keys::scheduled_job_partition(&job.to_string());
        let place = before.map(|place| {
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
            .set_exclusive_start_key(place)
            .consistent_read(true)
            .scan_index_forward(false);
        let runs = first(query, wanted).await?;
        runs.into_iter().map(view).collect()
    }
}

fn key(name: &str, value: &str) -> (String, AttributeValue) {
    (name.to_owned(), text(value))
}

fn view(item: Item) -> Result<RunView, ServiceError> {
    read::<Stored>(item).map(RunView::from)
}
