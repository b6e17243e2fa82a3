//! Reads the metrics of the features, the API and Lambda ([`SERIES`]) from CloudWatch.

use aws_sdk_cloudwatch::{
    Client,
    types::{Dimension, Metric},
};

use super::{
    exposition::Family,
    series::{Publisher, SERIES, Series},
    window::{MetricQuery, WindowCache, read, window_end},
};
use crate::{
    aws::ServiceError,
    telemetry::NAMESPACE,
    time::{Minute, Timestamp},
};

/// The metrics of the features, the API and Lambda. An instance reads them once per minute,
/// regardless of the number of scrapes.
#[derive(Debug)]
pub struct CloudWatchMetrics {
    client: Client,
    cache: WindowCache<(Minute, Option<String>)>,
}

impl CloudWatchMetrics {
    pub fn new(client: Client) -> Self {
        Self { client, cache: WindowCache::default() }
    }

    /// Returns the metrics of the last window; those of the API only if its id is given.
    pub async fn families(
        &self,
        api: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<Family>, ServiceError> {
        let end = window_end(now);
        let read = async {
            let queries: Vec<MetricQuery> =
                SERIES.iter().filter_map(|series| series.query(api)).collect();
            read(&self.client, &queries, end).await
        };
        self.cache.get_or_read((end, api.map(str::to_owned)), read).await
    }
}

impl Series {
    /// Returns the query of this series. `None` if it describes the API and its id is unknown.
    fn query(&self, api: Option<&str>) -> Option<MetricQuery> {
        let (namespace, dimension) = match self.publisher {
            Publisher::Function(function) => (NAMESPACE, Some(("Function", function))),
            Publisher::Api => ("AWS/ApiGateway", Some(("ApiId", api?))),
            Publisher::Lambda => ("AWS/Lambda", None),
        };
        let dimension =
            dimension.map(|(name, value)| Dimension::builder().name(name).value(value).build());
        let metric = Metric::builder().namespace(namespace).metric_name(self.name);
        let metric = metric.set_dimensions(Some(dimension.into_iter().collect())).build();
        let labels = self.labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Some(MetricQuery {
            metric: self.metric,
            labels,
            metrics: vec![metric],
            statistic: self.statistic,
            aggregation: self.aggregation,
        })
    }
}
