//! `GET /metrics`: what the tables, the queues and CloudWatch tell, in one text.
//!
//! The sources are asked at the same time. One that fails, or takes too long, is told of by `once_source_up`, and its metrics are absent: a
//! number that is not known is no number.

use std::time::Duration;

use tracing::warn;

use super::{
    CheckError, MetricSources,
    exposition::{Family, Metric, encode},
    within,
};
use crate::{
    aws::ServiceError,
    cursor::Limit,
    orders::Orders,
    schedule::Schedules,
    settlement::{Settlement, State},
    time::Timestamp,
    uniques::Uniques,
};

/// How long a source may take. Prometheus itself waits 10 s.
const DEADLINE: Duration = Duration::from_secs(5);

/// Products whose stock is told.
const PRODUCTS: Limit = Limit::literal::<50>();

/// Settlement jobs whose states are counted.
const RECENT_JOBS: usize = 100;

const STATES: [State; 6] = [
    State::Queued,
    State::Running,
    State::Finishing,
    State::Completed,
    State::Cancelled,
    State::Failed,
];

const BUILD: Metric =
    Metric { name: "once_build_info", help: "The release that answers; always 1" };

const UP: Metric = Metric {
    name: "once_source_up",
    help: "1 if the source was read for this answer; if 0, its metrics are absent",
};

const STOCK: Metric =
    Metric { name: "once_stock_units", help: "Units that are left, of the newest 50 products" };

const UNIQUE_IDS: Metric = Metric {
    name: "once_unique_ids_last_minute",
    help: "Ids of the newest minute whose count is published",
};

const UNIQUE_AGE: Metric = Metric {
    name: "once_unique_ids_last_minute_age_seconds",
    help: "How long ago the newest minute ended whose count is published: 15 to 75 where all is well",
};

const JOBS: Metric = Metric {
    name: "once_settlement_jobs",
    help: "Settlement jobs by state, of the newest 100 only",
};

const LIVE_JOBS: Metric = Metric {
    name: "once_settlement_jobs_live",
    help: "Settlement jobs that are not over, by state: all of them",
};

const SCHEDULE_DUE: Metric = Metric {
    name: "once_schedule_jobs_due",
    help: "Scheduled jobs that the next tick has to take up, overdue ones included; at most 100 of each of 8 shards are counted",
};

const SCHEDULE_OVERDUE: Metric = Metric {
    name: "once_schedule_jobs_overdue",
    help: "Scheduled jobs whose time has passed and that no tick has taken up; at most 100 of each of 8 shards are counted",
};

const SCHEDULE_OLDEST: Metric = Metric {
    name: "once_schedule_oldest_due_seconds",
    help: "For how long the longest overdue scheduled job has been; 0 if none is",
};

/// Everything that numbers are read from.
#[derive(Debug)]
pub struct Gauges<'a> {
    /// For stock.
    pub orders: &'a Orders,
    /// For counts.
    pub uniques: &'a Uniques,
    /// For jobs.
    pub settlement: &'a Settlement,
    /// For scheduled jobs.
    pub schedules: &'a Schedules,
    /// Queues and CloudWatch.
    pub sources: &'a MetricSources,
}

impl Gauges<'_> {
    /// The numbers of this moment, and those of the API with this id, in Prometheus's text format.
    pub async fn scrape(&self, api: Option<&str>, now: Timestamp) -> String {
        let MetricSources { queues, counted, functions } = self.sources;
        // On the heap: a call of the SDK is large, and these stand side by side.
        let read = tokio::join!(
            read("orders", Box::pin(self.stock())),
            read("uniques", Box::pin(self.counts(now))),
            read("settlements", Box::pin(self.jobs())),
            read("schedules", Box::pin(self.schedules(now))),
            read("queues", Box::pin(queues.depths())),
            read("cloudwatch", Box::pin(counted.families(api, now))),
            read("functions", Box::pin(functions.families(now))),
        );
        let read = <[Source; 7]>::from(read);
        let up = read.iter().fold(UP.family(), |up, source| {
            up.with(&[("source", source.name)], if source.families.is_some() { 1.0 } else { 0.0 })
        });
        let build = BUILD.family().with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        let told = read.into_iter().filter_map(|source| source.families).flatten();
        encode(&[build, up].into_iter().chain(told).collect::<Vec<_>>())
    }

    async fn stock(&self) -> Result<Vec<Family>, ServiceError> {
        let products = self.orders.list_products(PRODUCTS, None).await?.rows;
        let units = products.iter().fold(STOCK.family(), |units, product| {
            units.with(&[("product", &product.id.to_string())], number(product.stock))
        });
        Ok(vec![units])
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let last = self.uniques.last_published().await?;
        let told = last.map(|last| {
            let age = now.since(last.minute.end()).as_secs_f64();
            vec![UNIQUE_IDS.is(number(last.unique_ids)), UNIQUE_AGE.is(age)]
        });
        Ok(told.unwrap_or_default())
    }

    async fn jobs(&self) -> Result<Vec<Family>, ServiceError> {
        let census = self.settlement.census(RECENT_JOBS).await?;
        let by_state = |metric: Metric, found: &[State], states: &[State]| {
            states.iter().fold(metric.family(), |family, state| {
                let jobs = found.iter().filter(|found| *found == state).count();
                family.with(
                    &[("state", &state.to_string())],
                    number(u64::try_from(jobs).unwrap_or(u64::MAX)),
                )
            })
        };
        Ok(vec![
            by_state(JOBS, &census.recent, &STATES),
            by_state(LIVE_JOBS, &census.live, &STATES[..3]),
        ])
    }

    async fn schedules(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let backlog = self.schedules.backlog(now).await?;
        let oldest = backlog.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        let (due, overdue) = (number(backlog.due), number(backlog.overdue));
        Ok(vec![SCHEDULE_DUE.is(due), SCHEDULE_OVERDUE.is(overdue), SCHEDULE_OLDEST.is(oldest)])
    }
}

/// What a source told.
#[derive(Debug)]
struct Source {
    name: &'static str,
    families: Option<Vec<Family>>,
}

async fn read(
    name: &'static str,
    asked: impl Future<Output = Result<Vec<Family>, ServiceError>>,
) -> Source {
    let told: Result<Vec<Family>, CheckError> = within(DEADLINE, asked).await;
    let families = told
        .inspect_err(|cause| warn!(source = name, %cause, "A source of metrics could not be read"))
        .ok();
    Source { name, families }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a number for people to read: whole up to nine quadrillions"
)]
fn number(count: u64) -> f64 {
    count as f64
}
