//! What the tests share: a deployment in which everything has happened, and its numbers.

use std::{collections::BTreeMap, time::Duration};

use once::{
    operations::QueueName,
    testing::{Cloud, Depth, Instance, Meter},
    time::{Minute, Timestamp},
};
use serde_json::json;

/// The API that is asked about.
pub const API: &str = "api";

/// Half a minute after noon.
pub fn now() -> Timestamp {
    "2026-11-20T12:00:30Z".parse().expect("a time")
}

/// URL of the dead-letter queue with this name.
pub fn dead_letters(name: &str) -> String {
    format!("https://sqs.us-east-1.amazonaws.com/000000000000/{name}-dead-letters")
}

/// An instance that was told of the dead-letter queues, as the template tells it.
pub fn new_instance(cloud: &Cloud) -> Instance {
    let names = ["callback", "company", "settlement", "schedule"];
    let queues = names.map(|name| QueueName { name, url: dead_letters(name) });
    let instance = cloud.instance_with(|config| {
        config.operations.dead_letters = queues.into();
        config.operations.stack = Some("once".to_owned());
        config.uniques.shards = 4;
    });
    instance.at(now())
}

/// A deployment with something of everything, and an instance that has not called anything yet.
pub async fn lively() -> (Cloud, Instance) {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let product = instance.product(100).await;
    instance.order(product, 3, "b").await;

    let began = now().minus(Duration::from_mins(3));
    instance.app.uniques().warm(began).await.expect("counting has begun");
    instance.app.minute_closer().tick(now()).await.expect("a tick");

    instance.job("2026-11-18", "2026-11-19").await;
    let overdue = now().minus(Duration::from_secs(90));
    let due = [overdue, now().minus(Duration::from_secs(10)), now().plus(Duration::from_secs(20))];
    let schedule = json!({"type": "fixed", "every_seconds": 3_600});
    cloud
        .jobs(4, schedule, now(), |n| {
            due.get(n as usize).copied().unwrap_or(now().plus(Duration::from_hours(1)))
        })
        .await;

    cloud.services().set_depth(&dead_letters("callback"), Depth { visible: 2, ..Depth::default() });
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/companies";
    cloud.services().set_depth(url, Depth { visible: 5, in_flight: 4, delayed: 1 });
    // What CloudWatch has is known once it was asked for.
    measure(&cloud, &invocations("once-OrderCreate-1a2B3c4D"), 1_000.0);
    measure(&cloud, &invocations("once-SettlementBatch-5e6F7a8B"), 1_000.0);
    scrape(&instance).await;
    for (meter, _) in cloud.services().take_metrics_asked_for() {
        measure(&cloud, &meter, 1_000.0);
    }
    let another = new_instance(&cloud);
    (cloud, another)
}

/// How often a function ran that is deployed under this name.
pub fn invocations(function: &str) -> Meter {
    Meter::new("AWS/Lambda", "Invocations", &[&format!("FunctionName={function}")])
}

/// Measures this in the last minute of the window, and in those before and after it, which do not count.
pub fn measure(cloud: &Cloud, meter: &Meter, value: f64) {
    let current = Minute::of(now());
    for (minute, value) in [(-7, 7e7), (-2, value), (-1, 7e7), (0, 7e7)] {
        cloud.services().measure(meter.clone(), current.plus(minute), value);
    }
}

/// What an instance tells.
pub async fn scrape(instance: &Instance) -> String {
    instance.app.gauges().scrape(Some(API), instance.app.now()).await
}

/// The values of a text of Prometheus, by name and labels as they are written. Panics where it breaks the format's rules.
pub fn values(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'), "the last line ends");
    let (mut values, mut current) = (BTreeMap::new(), String::new());
    let mut seen = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').expect("a name and a text");
            assert!(!help.is_empty() && !seen.contains(&name), "{name} comes once, with a text");
            seen.push(name);
            name.clone_into(&mut current);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{current} gauge"));
        } else {
            let (series, value) = line.rsplit_once(' ').expect("a value");
            assert_eq!(series.split('{').next(), Some(current.as_str()), "{line}");
            let before = values.insert(series.to_owned(), value.parse().expect("a number"));
            assert_eq!(before, None, "{series} comes once");
        }
    }
    values
}
