//! Shared fixtures: a deployment that has a value for every metric, and its scrapes.

use std::{collections::BTreeMap, time::Duration};

use once::{
    operations::Queue,
    testing::{Cloud, Instance, MetricId, QueueDepth},
    time::{Minute, Timestamp},
};
use serde_json::json;

/// The id of the API in requests.
pub const API: &str = "api";

/// Half a minute after noon.
pub fn now() -> Timestamp {
    "2026-11-20T12:00:30Z".parse().expect("a time")
}

/// The URL of the dead-letter queue with this name.
pub fn dead_letter_queue_url(name: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/000000000000/{name}-dead-letters")
}

/// An instance that knows the stack and the dead-letter queues, as in the template.
pub fn new_instance(cloud: &Cloud) -> Instance {
    let names = ["callback", "company", "settlement", "schedule"];
    let queues = names.map(|name| Queue { name, url: dead_letter_queue_url(name) });
    let instance = cloud.instance_with(|config| {
        config.operations.dead_letters = queues.into();
        config.operations.stack = Some("once".to_owned());
        config.uniques.shards = 4;
    });
    instance.at(now())
}

/// A deployment that has a value for every metric, and an instance that has not made any calls.
pub async fn deployment() -> (Cloud, Instance) {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let product = instance.create_product(100).await;
    instance.place_order(product, 3, "b").await;

    let start = now().minus(Duration::from_mins(3));
    instance.app.uniques().warm(start).await.expect("counting has started");
    instance.app.minute_closer().tick(now()).await.expect("a tick");

    instance.create_settlement("2026-11-18", "2026-11-19").await;
    let overdue = now().minus(Duration::from_secs(90));
    let due = [overdue, now().minus(Duration::from_secs(10)), now().plus(Duration::from_secs(20))];
    let schedule = json!({"type": "fixed", "every_seconds": 3_600});
    cloud
        .record_scheduled_jobs(4, schedule, now(), |n| {
            due.get(n as usize).copied().unwrap_or(now().plus(Duration::from_hours(1)))
        })
        .await;

    let url = dead_letter_queue_url("callback");
    cloud.services().set_depth(&url, QueueDepth { visible: 2, ..QueueDepth::default() });
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/companies";
    cloud.services().set_depth(url, QueueDepth { visible: 5, in_flight: 4, delayed: 1 });
    // A first scrape tells which metrics are read; then each of them gets a value.
    put_window_metric(&cloud, &invocations("once-OrderCreate-1a2B3c4D"), 1_000.0);
    put_window_metric(&cloud, &invocations("once-SettlementBatch-5e6F7a8B"), 1_000.0);
    scrape(&instance).await;
    for (metric, _) in cloud.services().take_metric_queries() {
        put_window_metric(&cloud, &metric, 1_000.0);
    }
    let another = new_instance(&cloud);
    (cloud, another)
}

/// The metric of invocations of a function, by its deployed name.
pub fn invocations(function: &str) -> MetricId {
    MetricId::new("AWS/Lambda", "Invocations", &[&format!("FunctionName={function}")])
}

/// Stores a value in the last minute of the window, and large values in the minutes around the
/// window, which must not be included.
pub fn put_window_metric(cloud: &Cloud, metric: &MetricId, value: f64) {
    let current = Minute::of(now());
    for (minute, value) in [(-7, 7e7), (-2, value), (-1, 7e7), (0, 7e7)] {
        cloud.services().put_metric(metric.clone(), current.plus(minute), value);
    }
}

/// The response of an instance to `GET /metrics`.
pub async fn scrape(instance: &Instance) -> String {
    instance.app.gauges().scrape(Some(API), instance.app.now()).await
}

/// The values of Prometheus text, by name and labels as written. Panics if the text is invalid.
pub fn values(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'), "the last line ends with a line feed");
    let (mut values, mut current) = (BTreeMap::new(), String::new());
    let mut names = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            assert!(!help.is_empty(), "{name} has a help text");
            assert!(!names.contains(&name), "{name} appears once");
            names.push(name);
            name.clone_into(&mut current);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{current} gauge"));
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            assert_eq!(series.split('{').next(), Some(current.as_str()), "{line}");
            let previous = values.insert(series.to_owned(), value.parse().expect("a number"));
            assert_eq!(previous, None, "{series} appears once");
        }
    }
    values
}
