//! What was counted in the last whole minutes, as CloudWatch has it: one call a minute, however often an instance is asked.
//!
//! A window ends a minute before the current one begins: a metric reaches CloudWatch up to a minute after it was written.

use std::collections::HashMap;

use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode},
};
use tokio::sync::Mutex;

use super::{
    exposition::Family,
    series::{Of, SERIES, Series},
};
use crate::{
    aws::ServiceError,
    time::{Minute, Timestamp},
};

/// Minutes of a window.
const MINUTES: i64 = 5;

/// Minutes that CloudWatch may not know fully yet.
const SETTLING: i64 = 1;

/// The windows of one instance.
#[derive(Debug)]
pub struct Windows {
    client: Client,
    last: Mutex<Option<Window>>,
}

/// What was read for a minute.
#[derive(Debug, Clone)]
struct Window {
    minute: Minute,
    api: Option<String>,
    families: Vec<Family>,
}

impl Windows {
    pub fn new(client: Client) -> Self {
        Self { client, last: Mutex::default() }
    }

    /// What was counted, of the API with this id too.
    pub async fn families(&self, api: Option<&str>, now: Timestamp) -> Result<Vec<Family>, ServiceError> {
        let minute = Minute::of(now);
        // Held while it is read: of those who ask at once, one asks CloudWatch.
        let mut last = self.last.lock().await;
        if let Some(window) = last.as_ref().filter(|window| window.minute == minute && window.api.as_deref() == api) {
            return Ok(window.families.clone());
        }
        let families = self.read(api, minute).await?;
        *last = Some(Window { minute, api: api.map(str::to_owned), families: families.clone() });
        Ok(families)
    }

    async fn read(&self, api: Option<&str>, minute: Minute) -> Result<Vec<Family>, ServiceError> {
        let end = minute.plus(-SETTLING);
        let asked: Vec<(String, &Series, Vec<Dimension>)> = SERIES
            .iter()
            .enumerate()
            .filter_map(|(place, series)| Some((format!("m{place}"), series, dimensions(series.of, api)?)))
            .collect();
        let queries = asked.iter().map(|(id, series, dimensions)| query(id, series, dimensions.clone()));
        let read = self
            .client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.collect()))
            .start_time(instant(end.plus(-MINUTES)))
            .end_time(instant(end));
        let mut found: HashMap<String, Vec<f64>> = HashMap::new();
        let mut pages = read.into_paginator().send();
        while let Some(page) = pages.next().await {
            for result in page?.metric_data_results.unwrap_or_default() {
                // A query that CloudWatch could not answer has no number, not even 0.
                if matches!(result.status_code, Some(StatusCode::Complete | StatusCode::PartialData)) {
                    let values = found.entry(result.id.unwrap_or_default()).or_default();
                    values.extend(result.values.unwrap_or_default());
                }
            }
        }
        Ok(families(asked.iter().filter_map(|(id, series, _)| Some((*series, series.fold.of(found.get(id)?)?)))))
    }
}

/// The values of one metric side by side.
fn families<'a>(values: impl Iterator<Item = (&'a Series, f64)>) -> Vec<Family> {
    let mut families: Vec<Family> = Vec::new();
    for (series, value) in values {
        let last = families.pop_if(|last| last.metric() == series.metric);
        families.push(last.unwrap_or_else(|| series.metric.family()).with(series.labels, value));
    }
    families
}

/// What CloudWatch tells a series by. `None`: which API it is about is not known.
fn dimensions(of: Of, api: Option<&str>) -> Option<Vec<Dimension>> {
    let dimension = |name, value| Dimension::builder().name(name).value(value).build();
    Some(match of {
        Of::Function(function) => vec![dimension("Function", function)],
        Of::Api => vec![dimension("ApiId", api?)],
        Of::Lambda => Vec::new(),
    })
}

fn query(id: &str, series: &Series, dimensions: Vec<Dimension>) -> MetricDataQuery {
    let namespace = match series.of {
        Of::Function(_) => "Once",
        Of::Api => "AWS/ApiGateway",
        Of::Lambda => "AWS/Lambda",
    };
    let metric = Metric::builder().namespace(namespace).metric_name(series.name).set_dimensions(Some(dimensions));
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat(series.statistic);
    MetricDataQuery::builder().id(id).metric_stat(stat.build()).build()
}

fn instant(minute: Minute) -> DateTime {
    DateTime::from_secs(minute.start().as_seconds())
}
