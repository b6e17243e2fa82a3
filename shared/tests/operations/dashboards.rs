//! The dashboards show metrics that exist, and Grafana's shows all of `GET /metrics`.

use std::{collections::BTreeSet, fs};

use once::testing::{Template, root};
use serde_json::Value;

use crate::operations::{
    fixtures::{deployment, scrape, values},
    sources::{programs, recorded_metrics},
};

/// The values of all members with this key, at any depth.
fn members<'a>(json: &'a Value, key: &str) -> Vec<&'a Value> {
    match json {
        Value::Array(items) => items.iter().flat_map(|item| members(item, key)).collect(),
        Value::Object(object) => {
            let own = object.get(key).into_iter();
            own.chain(object.values().flat_map(|member| members(member, key))).collect()
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

/// The names of all metrics that `GET /metrics` returns.
async fn exposed_metrics() -> BTreeSet<String> {
    let (_cloud, instance) = deployment().await;
    values(&scrape(&instance).await)
        .into_keys()
        .map(|series| series.split('{').next().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn grafana_shows_all_exposed_metrics_and_no_others() {
    let dashboard = grafana();
    let queries: Vec<&str> = members(&dashboard, "expr")
        .into_iter()
        .map(|query| query.as_str().expect("a text"))
        .collect();
    let shown: BTreeSet<String> =
        queries.iter().flat_map(|query| metrics(query)).map(str::to_owned).collect();
    assert!(queries.iter().all(|query| metrics(query).next().is_some()), "{queries:?}");
    assert_eq!(shown, exposed_metrics().await);
}

#[test]
fn the_data_source_of_grafana_is_a_variable() {
    for source in members(&grafana(), "datasource") {
        assert_eq!(source["type"], "prometheus");
        assert_eq!(source["uid"], "${datasource}");
    }
}

#[tokio::test]
async fn every_exposed_metric_is_documented() {
    let page = fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("a page");
    for name in exposed_metrics().await {
        assert!(page.contains(&format!("`{name}")), "{name}");
    }
}

#[test]
fn the_cloudwatch_dashboard_shows_metrics_that_exist() {
    let template = Template::load();
    let (recorded, programs) = (recorded_metrics(), programs(&template));
    let mut dashboards = template.resources("AWS::CloudWatch::Dashboard");
    let body = dashboards.next().expect("a dashboard").1["DashboardBody"].as_str().expect("a text");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let series = members(&body, "metrics").into_iter().filter_map(Value::as_array).flatten();
    let mut checked = 0;
    for series in series {
        let part = |index: usize| series[index].as_str().unwrap_or_default();
        match part(0) {
            "Once" => {
                assert!(recorded.contains(part(1)), "{series}");
                assert_eq!(part(2), "Function");
                assert!(programs.contains(part(3)), "{series}");
                checked += 1;
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
                        recorded.contains(own.split('"').next().unwrap_or_default()),
                        "{search}"
                    );
                }
            }
        }
    }
    assert!(checked > 10, "{checked}");
}
