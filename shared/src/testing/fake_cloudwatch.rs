//! A fake CloudWatch: `GetMetricData` and `ListMetrics` over the protocol of its SDK, RPC v2 CBOR.
//!
//! It stores one value per metric and minute and returns it for every statistic: CloudWatch's own
//! aggregation is not tested.

use std::{collections::BTreeMap, ops::Range};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ciborium::Value;

use super::replies;

/// The identity of a metric in CloudWatch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricId {
    /// `Once`, `AWS/Lambda`, …
    pub namespace: String,
    /// `OrdersPlaced`
    pub name: String,
    /// Dimensions as `name=value`, such as `Function=order-create`.
    pub dimensions: Vec<String>,
}

/// The stored values and the received queries.
#[derive(Debug, Default)]
pub(super) struct FakeCloudWatch {
    /// Values by metric and by seconds since 1970.
    values: BTreeMap<MetricId, BTreeMap<i64, f64>>,
    /// The metrics and statistics that were requested.
    pub(super) queries: Vec<(MetricId, String)>,
}

impl MetricId {
    /// Creates an id. Dimensions are written as `name=value`.
    #[must_use]
    pub fn new(namespace: &str, name: &str, dimensions: &[&str]) -> Self {
        let dimensions = dimensions.iter().map(|&dimension| dimension.to_owned()).collect();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

impl FakeCloudWatch {
    pub(super) fn put(&mut self, metric: MetricId, at: i64, value: f64) {
        self.values.entry(metric).or_default().insert(at, value);
    }

    /// Responds to a call.
    pub(super) fn respond(&mut self, operation: &str, body: &[u8]) -> HttpResponse {
        let request: Value = ciborium::from_reader(body).expect("CBOR");
        match operation {
            "GetMetricData" => self.data(&request),
            "ListMetrics" => self.list(&request),
            _ => panic!("{operation} is not implemented"),
        }
    }

    /// Lists the metrics with this name that have values.
    fn list(&self, request: &Value) -> HttpResponse {
        let (namespace, name) = (text(request, "Namespace"), text(request, "MetricName"));
        let found = self
            .values
            .keys()
            .filter(|metric| metric.namespace == namespace && metric.name == name);
        let dimension = |dimension: &String| {
            let (name, value) = dimension.split_once('=').expect("a dimension");
            Value::Map(vec![("Name".into(), name.into()), ("Value".into(), value.into())])
        };
        let metrics = found.map(|metric| {
            let dimensions = metric.dimensions.iter().map(dimension).collect();
            Value::Map(vec![
                ("Namespace".into(), metric.namespace.as_str().into()),
                ("MetricName".into(), metric.name.as_str().into()),
                ("Dimensions".into(), Value::Array(dimensions)),
            ])
        });
        in_cbor(200, &Value::Map(vec![("Metrics".into(), Value::Array(metrics.collect()))]))
    }

    fn data(&mut self, request: &Value) -> HttpResponse {
        let window = seconds(member(request, "StartTime"))..seconds(member(request, "EndTime"));
        let queries = member(request, "MetricDataQueries").as_array().expect("queries");
        assert!((1..=500).contains(&queries.len()), "{} queries in a call", queries.len());
        let results = queries.iter().map(|query| self.result(query, &window)).collect();
        in_cbor(200, &Value::Map(vec![("MetricDataResults".into(), Value::Array(results))]))
    }

    fn result(&mut self, query: &Value, window: &Range<i64>) -> Value {
        let stat = member(query, "MetricStat");
        let metric = member(stat, "Metric");
        assert_eq!(member(stat, "Period").as_integer(), Some(60.into()), "the period is a minute");
        let dimensions =
            field(metric, "Dimensions").and_then(Value::as_array).into_iter().flatten();
        let id = MetricId {
            namespace: text(metric, "Namespace"),
            name: text(metric, "MetricName"),
            dimensions: dimensions
                .map(|one| format!("{}={}", text(one, "Name"), text(one, "Value")))
                .collect(),
        };
        let found =
            self.values.get(&id).into_iter().flat_map(|values| values.range(window.clone()));
        let (times, values): (Vec<Value>, Vec<Value>) = found
            .map(|(&at, &value)| (Value::Tag(1, Box::new(at.into())), Value::Float(value)))
            .unzip();
        self.queries.push((id, text(stat, "Stat")));
        Value::Map(vec![
            ("Id".into(), text(query, "Id").into()),
            ("StatusCode".into(), "Complete".into()),
            ("Timestamps".into(), Value::Array(times)),
            ("Values".into(), Value::Array(values)),
        ])
    }
}

/// CloudWatch's error for too many calls.
pub(super) fn throttled() -> HttpResponse {
    in_cbor(400, &Value::Map(vec![("__type".into(), "com.amazonaws.cloudwatch#Throttling".into())]))
}

fn in_cbor(status: u16, body: &Value) -> HttpResponse {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).expect("CBOR");
    let mut response = replies::with(status, "application/cbor", bytes);
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    response
}

fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    let entries = map.as_map().expect("a map");
    entries.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

fn member<'a>(map: &'a Value, name: &str) -> &'a Value {
    field(map, name).unwrap_or_else(|| panic!("{name} is missing in {map:?}"))
}

fn text(map: &Value, name: &str) -> String {
    member(map, name).as_text().expect("a text").to_owned()
}

/// Returns a time in whole seconds since 1970.
fn seconds(time: &Value) -> i64 {
    let (_, time) = time.as_tag().expect("a time");
    let whole = time.as_integer().and_then(|whole| whole.try_into().ok());
    #[expect(clippy::cast_possible_truncation, reason = "times in tests are of this century")]
    let rounded = time.as_float().map(|seconds| seconds as i64);
    whole.or(rounded).expect("a number")
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::{
        Client,
        primitives::DateTime,
        types::{Dimension, Metric, MetricDataQuery, MetricStat},
    };

    use super::*;
    use crate::{
        testing::{Cloud, Fault},
        time::{Minute, Timestamp},
    };

    /// Reads a metric with the real client in the minutes from `from` to `to`, exclusive.
    async fn read(client: &Client, from: Minute, to: Minute) -> Vec<f64> {
        let dimension = Dimension::builder().name("Function").value("accept").build();
        let metric = Metric::builder()
            .namespace("Once")
            .metric_name("AcceptedIds")
            .dimensions(dimension)
            .build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        let instant = |minute: Minute| DateTime::from_secs(minute.start().as_seconds());
        let query = MetricDataQuery::builder().id("a").metric_stat(stat).build();
        let read = client
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(instant(from))
            .end_time(instant(to));
        let results = read.send().await.expect("an answer").metric_data_results.expect("results");
        assert_eq!((results.len(), results[0].id()), (1, Some("a")));
        results[0].values().to_vec()
    }

    #[tokio::test]
    async fn the_client_reads_stored_values_also_after_a_throttle() {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        let client = cloud.aws_behind(&transport).cloudwatch();
        let minute = Minute::of(Timestamp::from_millis(1_795_216_800_000));
        let metric = MetricId::new("Once", "AcceptedIds", &["Function=accept"]);
        for n in 0..3_u8 {
            cloud.services().put_metric(metric.clone(), minute.plus(n.into()), n.into());
        }
        transport.fail_at(1, Fault::Throttle);
        assert_eq!(read(&client, minute, minute.plus(2)).await, [0.0, 1.0]);
        assert_eq!(transport.take_calls().len(), 2);
        assert_eq!(cloud.services().take_metric_queries(), [(metric, "Sum".to_owned())]);
    }
}
