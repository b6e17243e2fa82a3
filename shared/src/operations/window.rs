//! Reads and aggregates CloudWatch metrics of a window of five whole minutes.
//!
//! A window ends one minute before the start of the current minute: a metric reaches CloudWatch up
//! to a minute after it was written.

use std::collections::HashMap;

use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{Metric, MetricDataQuery, MetricStat, StatusCode},
};
use tokio::sync::Mutex;

use super::exposition::{self, Family};
use crate::{
    aws::ServiceError,
    time::{Minute, Timestamp},
};

/// Length of a window, in minutes.
pub const WINDOW_MINUTES: i64 = 5;

/// Minutes before the current one whose values may not have reached CloudWatch yet.
const SETTLING_MINUTES: i64 = 1;

/// CloudWatch's limit of queries per call.
const MAX_QUERIES: usize = 500;

/// A metric to read from CloudWatch, and its name and labels in the response.
#[derive(Debug)]
pub struct MetricQuery {
    pub metric: exposition::Metric,
    pub labels: Vec<(&'static str, String)>,
    /// The CloudWatch metrics that are aggregated to one value.
    pub metrics: Vec<Metric>,
    /// CloudWatch's statistic of each minute: `Sum`, `Maximum`, `p99`.
    pub statistic: &'static str,
    pub aggregation: Aggregation,
}

/// How the values of the window's minutes are aggregated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// Their sum; 0 if nothing was counted.
    Sum,
    /// Their maximum; absent if nothing was measured.
    Max,
    /// The same, converted from milliseconds to seconds.
    MaxInSeconds,
}

/// A cache of one entry: the last window that was read, valid while its key is requested.
#[derive(Debug)]
pub struct WindowCache<K>(Mutex<Option<(K, Vec<Family>)>>);

/// Returns the end of the last window, exclusive.
pub fn window_end(now: Timestamp) -> Minute {
    Minute::of(now).plus(-SETTLING_MINUTES)
}

/// Reads the window that ends at `end`. Queries of one metric must be next to each other.
pub async fn read(
    client: &Client,
    queries: &[MetricQuery],
    end: Minute,
) -> Result<Vec<Family>, ServiceError> {
    let found = read_values(client, queries, end).await?;
    let mut families: Vec<Family> = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        if let Some(value) = found.get(&index).and_then(|values| query.aggregation.apply(values)) {
            let last = families.pop_if(|last| last.metric() == query.metric);
            families.push(last.unwrap_or_else(|| query.metric.family()).with(&query.labels, value));
        }
    }
    Ok(families)
}

/// Reads the values of the window's minutes, by the index of their query in `queries`.
async fn read_values(
    client: &Client,
    queries: &[MetricQuery],
    end: Minute,
) -> Result<HashMap<usize, Vec<f64>>, ServiceError> {
    let data_queries: Vec<(usize, MetricDataQuery)> = queries
        .iter()
        .enumerate()
        .flat_map(|(index, query)| {
            query.metrics.iter().map(move |metric| (index, metric.clone(), query.statistic))
        })
        .zip(0..)
        .map(|((index, metric, statistic), id)| {
            (index, data_query(&query_id(id), metric, statistic))
        })
        .collect();
    let indexes: HashMap<String, usize> =
        (0..).map(query_id).zip(data_queries.iter().map(|(index, _)| *index)).collect();
    let mut found: HashMap<usize, Vec<f64>> = HashMap::new();
    for chunk in data_queries.chunks(MAX_QUERIES) {
        let read = client
            .get_metric_data()
            .set_metric_data_queries(Some(chunk.iter().map(|(_, query)| query.clone()).collect()))
            .start_time(instant(end.plus(-WINDOW_MINUTES)))
            .end_time(instant(end));
        let mut pages = read.into_paginator().send();
        while let Some(page) = pages.next().await {
            for result in page?.metric_data_results.unwrap_or_default() {
                let index = indexes.get(result.id.as_deref().unwrap_or_default());
                // A query that failed in CloudWatch has no value, not even 0.
                let has_succeeded = matches!(
                    result.status_code,
                    Some(StatusCode::Complete | StatusCode::PartialData)
                );
                if let Some(index) = index.filter(|_| has_succeeded) {
                    found.entry(*index).or_default().extend(result.values.unwrap_or_default());
                }
            }
        }
    }
    Ok(found)
}

fn query_id(number: u32) -> String {
    format!("m{number}")
}

fn data_query(id: &str, metric: Metric, statistic: &str) -> MetricDataQuery {
    let stat = MetricStat::builder().metric(metric).period(60).stat(statistic);
    MetricDataQuery::builder().id(id).metric_stat(stat.build()).build()
}

fn instant(minute: Minute) -> DateTime {
    DateTime::from_secs(minute.start().as_seconds())
}

impl Aggregation {
    /// Aggregates the values of the minutes. `None`: there is no value to report.
    fn apply(self, minutes: &[f64]) -> Option<f64> {
        let max = minutes.iter().copied().reduce(f64::max);
        match self {
            // `Iterator::sum` of no floats is -0.
            Self::Sum => Some(minutes.iter().fold(0.0, |sum, minute| sum + minute)),
            Self::Max => max,
            Self::MaxInSeconds => max.map(|millis| millis / 1_000.0),
        }
    }
}

impl<K> Default for WindowCache<K> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq> WindowCache<K> {
    /// Returns the cached entry if it has this key, or else caches and returns what `read` returns.
    /// Concurrent callers wait for one read.
    pub async fn get_or_read<E>(
        &self,
        key: K,
        read: impl Future<Output = Result<Vec<Family>, E>>,
    ) -> Result<Vec<Family>, E> {
        let mut entry = self.0.lock().await;
        if let Some((_, families)) = entry.as_ref().filter(|(cached, _)| *cached == key) {
            return Ok(families.clone());
        }
        let families = read.await?;
        *entry = Some((key, families.clone()));
        Ok(families)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sum_is_0_and_an_empty_maximum_is_absent() {
        assert_eq!(
            Aggregation::Sum.apply(&[]).map(|sum| sum.to_string()).as_deref(),
            Some("0"),
            "and not -0"
        );
        assert_eq!(Aggregation::Sum.apply(&[1.0, 2.0]), Some(3.0));
        assert_eq!(
            (Aggregation::Max.apply(&[]), Aggregation::MaxInSeconds.apply(&[])),
            (None, None)
        );
        assert_eq!(Aggregation::Max.apply(&[1.0, 3.0, 2.0]), Some(3.0));
        assert_eq!(Aggregation::MaxInSeconds.apply(&[500.0, 250.0]), Some(0.5));
    }
}
