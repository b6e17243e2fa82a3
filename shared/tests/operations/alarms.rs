//! Every alarm watches a metric that exists, and has its section in the runbook.

use std::{collections::BTreeSet, fs};

use once::testing::{MetricId, Template, root};
use serde_json::Value;

use crate::operations::{
    fixtures::{deployment, scrape},
    sources::{programs, recorded_metrics},
};

const ALARM: &str = "AWS::CloudWatch::Alarm";

/// The name and the value of the alarm's dimension, if it has one.
fn dimension(alarm: &Value) -> Option<(&str, &str)> {
    let dimensions = alarm["Dimensions"].as_array()?;
    assert_eq!(dimensions.len(), 1, "{alarm}");
    Some((dimensions[0]["Name"].as_str()?, dimensions[0]["Value"].as_str()?))
}

#[tokio::test]
async fn every_metric_read_from_cloudwatch_is_recorded_by_a_function() {
    let template = Template::load();
    let (recorded, programs) = (recorded_metrics(), programs(&template));
    let (cloud, instance) = deployment().await;
    scrape(&instance).await;
    let queries = cloud.services().take_metric_queries();
    let own: Vec<_> = queries.iter().filter(|(metric, _)| metric.namespace == "Once").collect();
    assert!(own.len() > 20);
    for (MetricId { name, dimensions, .. }, _) in own {
        assert!(recorded.contains(name), "no function records {name}");
        let function = dimensions[0].strip_prefix("Function=").expect("a function");
        assert!(programs.contains(function), "there is no function {function}");
    }
}

#[test]
fn an_alarm_on_our_own_metric_watches_what_a_function_records() {
    let template = Template::load();
    let (recorded, programs) = (recorded_metrics(), programs(&template));
    let mut checked = 0;
    for (id, alarm) in template.resources(ALARM).filter(|(_, alarm)| alarm["Namespace"] == "Once") {
        let metric = alarm["MetricName"].as_str().expect("a metric");
        assert!(recorded.contains(metric), "{id}: no function records {metric}");
        let (name, function) = dimension(alarm).expect("a dimension");
        assert_eq!(name, "Function", "{id}");
        assert!(programs.contains(function), "{id}: there is no function {function}");
        checked += 1;
    }
    assert!(checked > 0);
}

#[test]
fn an_alarm_on_a_metric_of_aws_watches_a_resource_of_the_template() {
    let template = Template::load();
    let is = |kind: &str, id: &str| template.resources(kind).any(|(found, _)| found == id);
    for (id, alarm) in template.resources(ALARM).filter(|(_, alarm)| alarm["Namespace"] != "Once") {
        let metric = alarm["MetricName"].as_str().expect("a metric");
        let exists = match (alarm["Namespace"].as_str().expect("a namespace"), dimension(alarm)) {
            ("AWS/SQS", Some(("QueueName", queue))) => {
                let queue = queue.strip_suffix(".QueueName").expect("the name of a queue");
                ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"]
                    .contains(&metric)
                    && is("AWS::SQS::Queue", queue)
            }
            ("AWS/Lambda", Some(("FunctionName", function))) => {
                ["Errors", "Invocations"].contains(&metric)
                    && is("AWS::Serverless::Function", function)
            }
            // All functions of the account.
            ("AWS/Lambda", None) => metric == "Throttles",
            ("AWS/ApiGateway", Some(("ApiId", api))) => {
                metric == "5xx" && is("AWS::Serverless::HttpApi", api)
            }
            _ => false,
        };
        assert!(exists, "{id}: {alarm}");
    }
}

/// The queues that alarms on this metric watch.
fn watched<'a>(template: &'a Template, metric: &str) -> BTreeSet<&'a str> {
    let alarms = template.resources(ALARM).filter(|(_, alarm)| alarm["MetricName"] == metric);
    alarms.filter_map(|(_, alarm)| dimension(alarm)?.1.strip_suffix(".QueueName")).collect()
}

#[test]
fn every_queue_has_an_alarm() {
    let template = Template::load();
    let queues: BTreeSet<&str> = template.resources("AWS::SQS::Queue").map(|(id, _)| id).collect();
    let dead_letters: BTreeSet<&str> = template
        .resources("AWS::SQS::Queue")
        .filter_map(|(_, queue)| {
            queue["RedrivePolicy"]["deadLetterTargetArn"].as_str()?.strip_suffix(".Arn")
        })
        .collect();
    assert!(dead_letters.len() >= 4);
    assert_eq!(watched(&template, "ApproximateNumberOfMessagesVisible"), dead_letters);
    let work: BTreeSet<&str> = queues.difference(&dead_letters).copied().collect();
    assert_eq!(watched(&template, "ApproximateAgeOfOldestMessage"), work);
}

#[test]
fn every_worker_has_an_alarm_on_its_errors() {
    let template = Template::load();
    let workers = template.resources("AWS::Serverless::Function").filter(|(_, function)| {
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        events.into_iter().any(|event| event["Type"] == "SQS" || event["Type"] == "Schedule")
    });
    let workers: BTreeSet<&str> = workers.map(|(id, _)| id).collect();
    let alarms = template.resources(ALARM).filter(|(_, alarm)| alarm["MetricName"] == "Errors");
    let watched: BTreeSet<&str> =
        alarms.filter_map(|(_, alarm)| Some(dimension(alarm)?.1)).collect();
    assert_eq!(watched, workers);
}

#[test]
fn every_alarm_notifies_the_topic_and_has_its_section_in_the_runbook() {
    let runbook = fs::read_to_string(root().join("docs/RUNBOOK.md")).expect("a runbook");
    let headings: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .flat_map(|heading| heading.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    let template = Template::load();
    let alarms: BTreeSet<&str> = template.resources(ALARM).map(|(id, _)| id).collect();
    assert_eq!(headings, alarms, "one heading for each alarm, and no others");
    for (id, alarm) in template.resources(ALARM) {
        let description = alarm["AlarmDescription"].as_str().expect("a text");
        assert!(description.ends_with(&format!("docs/RUNBOOK.md: {id}")), "{id}: {description}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions][0], "HasAlarmTopic", "{id}");
        }
        // Missing data fires only the alarms on metrics that are written every minute.
        let is_written_every_minute = alarm["ComparisonOperator"] == "LessThanThreshold"
            || alarm["MetricName"] == "MinutesOverdue";
        assert_eq!(
            alarm["TreatMissingData"],
            if is_written_every_minute { "breaching" } else { "notBreaching" },
            "{id}"
        );
    }
}
