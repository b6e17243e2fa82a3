//! `GET /metrics`: metrics from the tables, the queues and CloudWatch in one text.
//!
//! The sources are read concurrently. If one fails or takes too long, its `once_source_up` is 0 and
//! its metrics are absent: an unknown value is not reported as a number.

use std::time::Duration;

use tracing::warn;

use super::{
    CheckError, MetricSources,
    exposition::{Family, Metric, encode},
    with_deadline,
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

/// Time limit of each source. Prometheus itself waits 10 s.
const DEADLINE: Duration = Duration::from_secs(5);

/// Number of products whose stock is reported.
const PRODUCTS: Limit = Limit::literal::<50>();

/// Number of settlements whose states are counted.
const RECENT_SETTLEMENTS: usize = 100;

const STATES: [State; 6] = [
    State::Queued,
    State::Running,
    State::Finishing,
    State::Completed,
    State::Cancelled,
    State::Failed,
];

const BUILD: Metric =
    Metric { name: "once_build_info", help: "Always 1; the label is the version that responded" };

const UP: Metric = Metric {
    name: "once_source_up",
    help: "1 if the source was read for this response; if 0, its metrics are absent",
};

const STOCK: Metric =
    Metric { name: "once_stock_units", help: "Units in stock, of the newest 50 products only" };

const UNIQUE_IDS: Metric = Metric {
    name: "once_unique_ids_last_minute",
    help: "Unique ids of the newest published minute",
};

const UNIQUE_AGE: Metric = Metric {
    name: "once_unique_ids_last_minute_age_seconds",
    help: "Time since the end of the newest published minute: normally 15 to 75",
};

const SETTLEMENTS: Metric =
    Metric { name: "once_settlement_jobs", help: "Settlements by state, of the newest 100 only" };

const LIVE_SETTLEMENTS: Metric = Metric {
    name: "once_settlement_jobs_live",
    help: "All settlements that have not ended, by state",
};

const SCHEDULE_DUE: Metric = Metric {
    name: "once_schedule_jobs_due",
    help: "Scheduled jobs that the next tick has to process, overdue ones included; \
           at most 100 of each of the 8 shards are counted",
};

const SCHEDULE_OVERDUE: Metric = Metric {
    name: "once_schedule_jobs_overdue",
    help: "Scheduled jobs whose time has passed and that no tick has processed; \
           at most 100 of each of the 8 shards are counted",
};

const SCHEDULE_OLDEST: Metric = Metric {
    name: "once_schedule_oldest_due_seconds",
    help: "Delay of the scheduled job that has been overdue longest; 0 if none is",
};

/// All sources of metrics.
#[derive(Debug)]
pub struct Gauges<'a> {
    /// Source of the stock.
    pub orders: &'a Orders,
    /// Source of the newest published minute.
    pub uniques: &'a Uniques,
    /// Source of the states of settlements.
    pub settlement: &'a Settlement,
    /// Source of the due scheduled jobs.
    pub schedules: &'a Schedules,
    /// Queues and CloudWatch.
    pub sources: &'a MetricSources,
}

impl Gauges<'_> {
    /// Reads all sources and returns their metrics in Prometheus's text format. The metrics of API
    /// Gateway are those of the API with the id `api`; without an id they are absent.
    pub async fn scrape(&self, api: Option<&str>, now: Timestamp) -> String {
        let MetricSources { queues, cloudwatch, functions } = self.sources;
        // Boxed: the futures of SDK calls are large, and all seven are held at once.
        let readings = tokio::join!(
            read("orders", Box::pin(self.stock())),
            read("uniques", Box::pin(self.counts(now))),
            read("settlements", Box::pin(self.settlements())),
            read("schedules", Box::pin(self.schedules(now))),
            read("queues", Box::pin(queues.depths())),
            read("cloudwatch", Box::pin(cloudwatch.families(api, now))),
            read("functions", Box::pin(functions.families(now))),
        );
        let readings = <[Reading; 7]>::from(readings);
        let up = readings.iter().fold(UP.family(), |up, reading| {
            let is_up = if reading.families.is_some() { 1.0 } else { 0.0 };
            up.with(&[("source", reading.source)], is_up)
        });
        let build = BUILD.family().with(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
        let families = readings.into_iter().filter_map(|reading| reading.families).flatten();
        encode(&[build, up].into_iter().chain(families).collect::<Vec<_>>())
    }

    async fn stock(&self) -> Result<Vec<Family>, ServiceError> {
        let products = self.orders.list_products(PRODUCTS, None).await?.rows;
        let units = products.iter().fold(STOCK.family(), |units, product| {
            units.with(&[("product", &product.id.to_string())], gauge_value(product.stock))
        });
        Ok(vec![units])
    }

    async fn counts(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let last = self.uniques.last_published().await?;
        let families = last.map(|last| {
            let age = now.since(last.minute.end()).as_secs_f64();
            vec![UNIQUE_IDS.single(gauge_value(last.unique_ids)), UNIQUE_AGE.single(age)]
        });
        Ok(families.unwrap_or_default())
    }

    async fn settlements(&self) -> Result<Vec<Family>, ServiceError> {
        let jobs = self.settlement.job_counts(RECENT_SETTLEMENTS).await?;
        let by_state = |metric: Metric, found: &[State], states: &[State]| {
            states.iter().fold(metric.family(), |family, state| {
                let count = found.iter().filter(|found| *found == state).count();
                family.with(
                    &[("state", &state.to_string())],
                    gauge_value(u64::try_from(count).unwrap_or(u64::MAX)),
                )
            })
        };
        Ok(vec![
            by_state(SETTLEMENTS, &jobs.recent, &STATES),
            by_state(LIVE_SETTLEMENTS, &jobs.live, &STATES[..3]),
        ])
    }

    async fn schedules(&self, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let backlog = self.schedules.backlog(now).await?;
        let oldest = backlog.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64());
        Ok(vec![
            SCHEDULE_DUE.single(gauge_value(backlog.due)),
            SCHEDULE_OVERDUE.single(gauge_value(backlog.overdue)),
            SCHEDULE_OLDEST.single(oldest),
        ])
    }
}

/// The metrics of one source. `None`: it could not be read.
#[derive(Debug)]
struct Reading {
    source: &'static str,
    families: Option<Vec<Family>>,
}

async fn read(
    source: &'static str,
    call: impl Future<Output = Result<Vec<Family>, ServiceError>>,
) -> Reading {
    let families: Result<Vec<Family>, CheckError> = with_deadline(DEADLINE, call).await;
    let families = families.inspect_err(|cause| warn!(source, %cause, "Metric source failed")).ok();
    Reading { source, families }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to nine quadrillion, which no count reaches"
)]
fn gauge_value(count: u64) -> f64 {
    count as f64
}
