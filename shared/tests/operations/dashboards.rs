//! Dashboards show what is there.

use std::{collections::BTreeSet, fs};

use once::testing::{Template, root};
use serde_json::Value;

use crate::{
    scraped::{lively, scrape, values},
    sources::{counted, functions},
};

/// Everything under this key, however deep.
fn under<'a>(json: &'a Value, key: &str) -> Vec<&'a Value> {
    match json {
        Value::Array(items) => items.iter().flat_map(|item| under(item, key)).collect(),
        Value::Object(members) => {
            let own = members.get(key).into_iter();
            own.chain(members.values().flat_map(|member| under(member, key))).collect()
        }
        _ => Vec::new(),
    }
}

/// The names of metrics in a query of Prometheus.
fn metrics(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("once_"))
}

fn grafana() -> Value {
    let text = fs::read_to_string(root().join("dashboards/grafana.json")).expect("a dashboard");
    serde_json::from_str(&text).expect("JSON")
}

/// Every name that a deployment with something of everything tells.
async fn served() -> BTreeSet<String> {
    let (_cloud, instance) = lively().await;
    values(&scrape(&instance).await)
        .into_keys()
        .map(|series| series.split('{').next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn grafana_asks_for_what_is_served_and_shows_all_of_it() {
    let dashboard = grafana();
    let queries: Vec<&str> = under(&dashboard, "expr")
        .into_iter()
        .map(|query| query.as_str().expect("a text"))
        .collect();
    let asked: BTreeSet<String> =
        queries.iter().flat_map(|query| metrics(query)).map(str::to_owned).collect();
    assert!(queries.iter().all(|query| metrics(query).next().is_some()), "{queries:?}");
    assert_eq!(asked, served().await);
}

#[test]
fn grafana_reads_from_a_prometheus_of_the_users_choice() {
    for source in under(&grafana(), "datasource") {
        assert_eq!(source["type"], "prometheus");
        assert_eq!(source["uid"], "${datasource}");
    }
}

#[tokio::test]
async fn every_number_is_explained() {
    let page = fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("a page");
    for name in served().await {
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}

#[test]
fn the_dashboard_of_cloudwatch_shows_what_a_function_counts() {
    let template = Template::load();
    let (counted, functions) = (counted(), functions(&template));
    let mut dashboards = template.resources("AWS::CloudWatch::Dashboard");
    let body = dashboards.next().expect("a dashboard").1["DashboardBody"].as_str().expect("a text");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let series = under(&body, "metrics").into_iter().filter_map(Value::as_array).flatten();
    let mut seen = 0;
    for series in series {
        let part = |place: usize| series[place].as_str().unwrap_or_default();
        match part(0) {
            "Once" => {
                assert!(counted.contains(part(1)), "{series}");
                assert_eq!(part(2), "Function");
                assert!(functions.contains(part(3)), "{series}");
                seen += 1;
            }
            "AWS/SQS" => {
                let queue = part(3).trim_start_matches("${").trim_end_matches(".QueueName}");
                assert!(
                    template.resources("AWS::SQS::Queue").any(|(id, _)| id == queue),
                    "{series}"
                );
            }
            "AWS/ApiGateway" => assert_eq!(part(3), "${Api}"),
            _ => {
                let search = series[0]["expression"].as_str().expect("a search");
                assert!(
                    search.starts_with("SEARCH('{AWS/Lambda,")
                        || search.contains("{Once,Function}"),
                    "{search}"
                );
                if let Some(own) = search.split("{Once,Function} MetricName=\"").nth(1) {
                    assert!(
                        counted.contains(own.split('"').next().unwrap_or_default()),
                        "{search}"
                    );
                }
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
