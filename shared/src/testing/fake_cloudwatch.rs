//! CloudWatch, as far as metrics are read: `GetMetricData` and `ListMetrics` over the protocol of its SDK, RPC v2 in CBOR.
//!
//! One number stands for each metric and minute, whatever the statistic: how CloudWatch adds up is not what is tested.

use std::{collections::BTreeMap, ops::Range};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use ciborium::Value;

use super::replies;

/// What a metric is told by: its namespace, its name, and its dimensions as `name=value`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meter {
    /// `Once`, `AWS/Lambda`, …
    pub namespace: String,
    /// `OrdersPlaced`
    pub name: String,
    /// `Function=order-create`, or nothing.
    pub dimensions: Vec<String>,
}

/// What was measured, by seconds since 1970.
#[derive(Debug, Default)]
pub(super) struct FakeCloudWatch {
    values: BTreeMap<Meter, BTreeMap<i64, f64>>,
    /// What was asked for.
    pub(super) asked: Vec<(Meter, String)>,
}

impl Meter {
    /// This one.
    #[must_use]
    pub fn new(namespace: &str, name: &str, dimensions: &[&str]) -> Self {
        let dimensions = dimensions.iter().map(|&dimension| dimension.to_owned()).collect();
        Self { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
    }
}

impl FakeCloudWatch {
    pub(super) fn put(&mut self, meter: Meter, at: i64, value: f64) {
        self.values.entry(meter).or_default().insert(at, value);
    }

    /// The answer to a call.
    pub(super) fn answer(&mut self, operation: &str, body: &[u8]) -> HttpResponse {
        let request: Value = ciborium::from_reader(body).expect("CBOR");
        match operation {
            "GetMetricData" => self.data(&request),
            "ListMetrics" => self.list(&request),
            _ => panic!("{operation} is not expected"),
        }
    }

    /// The metrics of a name that were ever measured.
    fn list(&self, request: &Value) -> HttpResponse {
        let (namespace, name) = (text(request, "Namespace"), text(request, "MetricName"));
        let found =
            self.values.keys().filter(|meter| meter.namespace == namespace && meter.name == name);
        let dimension = |dimension: &String| {
            let (name, value) = dimension.split_once('=').expect("a dimension");
            Value::Map(vec![("Name".into(), name.into()), ("Value".into(), value.into())])
        };
        let told = found.map(|meter| {
            let dimensions = meter.dimensions.iter().map(dimension).collect();
            Value::Map(vec![
                ("Namespace".into(), meter.namespace.as_str().into()),
                ("MetricName".into(), meter.name.as_str().into()),
                ("Dimensions".into(), Value::Array(dimensions)),
            ])
        });
        in_cbor(200, &Value::Map(vec![("Metrics".into(), Value::Array(told.collect()))]))
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
        assert_eq!(member(stat, "Period").as_integer(), Some(60.into()), "minutes are asked for");
        let dimensions =
            field(metric, "Dimensions").and_then(Value::as_array).into_iter().flatten();
        let meter = Meter {
            namespace: text(metric, "Namespace"),
            name: text(metric, "MetricName"),
            dimensions: dimensions
                .map(|one| format!("{}={}", text(one, "Name"), text(one, "Value")))
                .collect(),
        };
        let found =
            self.values.get(&meter).into_iter().flat_map(|values| values.range(window.clone()));
        let (times, values): (Vec<Value>, Vec<Value>) = found
            .map(|(&at, &value)| (Value::Tag(1, Box::new(at.into())), Value::Float(value)))
            .unzip();
        self.asked.push((meter, text(stat, "Stat")));
        Value::Map(vec![
            ("Id".into(), text(query, "Id").into()),
            ("StatusCode".into(), "Complete".into()),
            ("Timestamps".into(), Value::Array(times)),
            ("Values".into(), Value::Array(values)),
        ])
    }
}

/// Too many calls, as CloudWatch says it.
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

/// A moment, in whole seconds since 1970.
fn seconds(time: &Value) -> i64 {
    let (_, time) = time.as_tag().expect("a time");
    let whole = time.as_integer().and_then(|whole| whole.try_into().ok());
    #[expect(clippy::cast_possible_truncation, reason = "a moment of this century")]
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

    /// What the real client reads of a metric in the minutes from one to another, the last one left out.
    async fn read(client: &Client, from: Minute, to: Minute) -> Vec<f64> {
        let dimension = Dimension::builder().name("Function").value("accept").build();
        let metric = Metric::builder()
            .namespace("Once")
            .metric_name("AcceptedIds")
            .dimensions(dimension)
            .build();
        let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
        let moment = |minute: Minute| DateTime::from_secs(minute.start().as_seconds());
        let query = MetricDataQuery::builder().id("a").metric_stat(stat).build();
        let read = client
            .get_metric_data()
            .metric_data_queries(query)
            .start_time(moment(from))
            .end_time(moment(to));
        let results = read.send().await.expect("an answer").metric_data_results.expect("results");
        assert_eq!((results.len(), results[0].id()), (1, Some("a")));
        results[0].values().to_vec()
    }

    #[tokio::test]
    async fn the_client_reads_what_was_measured_also_after_a_throttle() {
        let cloud = Cloud::start().await;
        let transport = cloud.instance().transport;
        let client = cloud.aws_behind(&transport).cloudwatch();
        let minute = Minute::of(Timestamp::from_millis(1_795_216_800_000));
        let meter = Meter::new("Once", "AcceptedIds", &["Function=accept"]);
        for n in 0..3_u8 {
            cloud.services().measure(meter.clone(), minute.plus(n.into()), n.into());
        }
        transport.fail_at(1, Fault::Throttle);
        assert_eq!(read(&client, minute, minute.plus(2)).await, [0.0, 1.0]);
        assert_eq!(transport.take_sent().len(), 2);
        assert_eq!(cloud.services().take_metrics_asked_for(), [(meter, "Sum".to_owned())]);
    }
}
