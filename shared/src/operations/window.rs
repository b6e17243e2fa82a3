//! Numbers of the last whole minutes, as CloudWatch has them.
//!
//! A window ends a minute before the current one begins: a metric reaches CloudWatch up to a minute after it was written.

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

/// Minutes of a window.
pub const MINUTES: i64 = 5;

/// Minutes that CloudWatch may not know fully yet.
const SETTLING: i64 = 1;

/// Numbers of a call at most, as CloudWatch has it.
const MOST: usize = 500;

/// One number that is asked for, and what it is called here.
#[derive(Debug)]
pub struct MetricQuery {
    pub metric: exposition::Metric,
    pub labels: Vec<(&'static str, String)>,
    /// As CloudWatch calls it; several together are one number.
    pub of: Vec<Metric>,
    /// What of each minute: `Sum`, `Maximum`, `p99`.
    pub statistic: &'static str,
    pub fold: Aggregation,
}

/// How the minutes of the window become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// All of them together; 0 where nothing was counted.
    Sum,
    /// The highest of them; nothing where nothing was measured.
    Highest,
    /// The same, from milliseconds to seconds.
    HighestInSeconds,
}

/// What was read last, for as long as its key is the one that is asked for.
#[derive(Debug)]
pub struct Memory<K>(Mutex<Option<(K, Vec<Family>)>>);

/// When the last window ended.
pub fn settled(now: Timestamp) -> Minute {
    Minute::of(now).plus(-SETTLING)
}

/// The numbers of the window that ended then. Those of one metric have to be asked for side by side.
pub async fn read(
    client: &Client,
    asked: &[MetricQuery],
    end: Minute,
) -> Result<Vec<Family>, ServiceError> {
    let flat: Vec<(usize, MetricDataQuery)> = asked
        .iter()
        .enumerate()
        .flat_map(|(place, asked)| {
            asked.of.iter().map(move |of| (place, of.clone(), asked.statistic))
        })
        .zip(0..)
        .map(|((place, of, statistic), id)| (place, query(&id_of(id), of, statistic)))
        .collect();
    let places: HashMap<String, usize> =
        (0..).map(id_of).zip(flat.iter().map(|(place, _)| *place)).collect();
    let mut found: HashMap<usize, Vec<f64>> = HashMap::new();
    for queries in flat.chunks(MOST) {
        let read = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.iter().map(|(_, query)| query.clone()).collect()))
            .start_time(instant(end.plus(-MINUTES)))
            .end_time(instant(end));
        let mut pages = read.into_paginator().send();
        while let Some(page) = pages.next().await {
            for result in page?.metric_data_results.unwrap_or_default() {
                let place = places.get(result.id.as_deref().unwrap_or_default());
                // A query that CloudWatch could not answer has no number, not even 0.
                let told = matches!(
                    result.status_code,
                    Some(StatusCode::Complete | StatusCode::PartialData)
                );
                if let Some(place) = place.filter(|_| told) {
                    found.entry(*place).or_default().extend(result.values.unwrap_or_default());
                }
            }
        }
    }
    let mut families: Vec<Family> = Vec::new();
    for (place, asked) in asked.iter().enumerate() {
        if let Some(value) = found.get(&place).and_then(|minutes| asked.fold.of(minutes)) {
            let last = families.pop_if(|last| last.metric() == asked.metric);
            families.push(last.unwrap_or_else(|| asked.metric.family()).with(&asked.labels, value));
        }
    }
    Ok(families)
}

fn id_of(number: u32) -> String {
    format!("m{number}")
}

fn query(id: &str, of: Metric, statistic: &str) -> MetricDataQuery {
    let stat = MetricStat::builder().metric(of).period(60).stat(statistic);
    MetricDataQuery::builder().id(id).metric_stat(stat.build()).build()
}

fn instant(minute: Minute) -> DateTime {
    DateTime::from_secs(minute.start().as_seconds())
}

impl Aggregation {
    /// The minutes of the window as one number. `None`: there is nothing to tell.
    fn of(self, minutes: &[f64]) -> Option<f64> {
        let highest = minutes.iter().copied().reduce(f64::max);
        match self {
            // The sum of no floats is -0.
            Self::Sum => Some(minutes.iter().fold(0.0, |sum, minute| sum + minute)),
            Self::Highest => highest,
            Self::HighestInSeconds => highest.map(|millis| millis / 1_000.0),
        }
    }
}

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq> Memory<K> {
    /// What is remembered under this key, or else what is read now. Of those who ask at once, one reads.
    pub async fn recall<E>(
        &self,
        key: K,
        read: impl Future<Output = Result<Vec<Family>, E>>,
    ) -> Result<Vec<Family>, E> {
        let mut last = self.0.lock().await;
        if let Some((_, families)) = last.as_ref().filter(|(known, _)| *known == key) {
            return Ok(families.clone());
        }
        let families = read.await?;
        *last = Some((key, families.clone()));
        Ok(families)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_counted_is_none_and_nothing_measured_is_no_number() {
        assert_eq!(
            Aggregation::Sum.of(&[]).map(|sum| sum.to_string()).as_deref(),
            Some("0"),
            "and not -0"
        );
        assert_eq!(Aggregation::Sum.of(&[1.0, 2.0]), Some(3.0));
        assert_eq!(
            (Aggregation::Highest.of(&[]), Aggregation::HighestInSeconds.of(&[])),
            (None, None)
        );
        assert_eq!(Aggregation::Highest.of(&[1.0, 3.0, 2.0]), Some(3.0));
        assert_eq!(Aggregation::HighestInSeconds.of(&[500.0, 250.0]), Some(0.5));
    }
}
