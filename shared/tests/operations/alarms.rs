//! Every alarm watches what is there, and the runbook knows it.

use std::{collections::BTreeSet, fs};

use once::testing::{Meter, Template, root};
use serde_json::Value;

use crate::{
    scraped::{lively, scrape},
    sources::{counted, functions},
};

const ALARM: &str = "AWS::CloudWatch::Alarm";

/// The alarm's dimension, if it has one: its name and its value.
fn dimension(alarm: &Value) -> Option<(&str, &str)> {
    let dimensions = alarm["Dimensions"].as_array()?;
    assert_eq!(dimensions.len(), 1, "{alarm}");
    Some((dimensions[0]["Name"].as_str()?, dimensions[0]["Value"].as_str()?))
}

#[tokio::test]
async fn cloudwatch_is_asked_for_what_a_function_counts() {
    let template = Template::load();
    let (counted, functions) = (counted(), functions(&template));
    let (cloud, instance) = lively().await;
    scrape(&instance).await;
    let asked = cloud.services().take_metrics_asked_for();
    let own: Vec<_> = asked.iter().filter(|(meter, _)| meter.namespace == "Once").collect();
    assert!(own.len() > 20);
    for (Meter { name, dimensions, .. }, _) in own {
        assert!(counted.contains(name), "nothing counts {name}");
        let function = dimensions[0].strip_prefix("Function=").expect("a function");
        assert!(functions.contains(function), "there is no function {function}");
    }
}

#[test]
fn an_alarm_on_our_own_metric_watches_what_a_function_counts() {
    let template = Template::load();
    let (counted, functions) = (counted(), functions(&template));
    let mut seen = 0;
    for (id, alarm) in template.resources(ALARM).filter(|(_, alarm)| alarm["Namespace"] == "Once") {
        let metric = alarm["MetricName"].as_str().expect("a metric");
        assert!(counted.contains(metric), "{id}: nothing counts {metric}");
        let (name, function) = dimension(alarm).expect("a dimension");
        assert_eq!(name, "Function", "{id}");
        assert!(functions.contains(function), "{id}: there is no function {function}");
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn an_alarm_on_a_metric_of_aws_watches_a_resource_of_the_template() {
    let template = Template::load();
    let is = |kind: &str, id: &str| template.resources(kind).any(|(found, _)| found == id);
    for (id, alarm) in template.resources(ALARM).filter(|(_, alarm)| alarm["Namespace"] != "Once") {
        let metric = alarm["MetricName"].as_str().expect("a metric");
        let there = match (alarm["Namespace"].as_str().expect("a namespace"), dimension(alarm)) {
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
            // Of the account.
            ("AWS/Lambda", None) => metric == "Throttles",
            ("AWS/ApiGateway", Some(("ApiId", api))) => {
                metric == "5xx" && is("AWS::Serverless::HttpApi", api)
            }
            _ => false,
        };
        assert!(there, "{id}: {alarm}");
    }
}

/// The queues that an alarm with this metric watches.
fn watched<'a>(template: &'a Template, metric: &str) -> BTreeSet<&'a str> {
    let alarms = template.resources(ALARM).filter(|(_, alarm)| alarm["MetricName"] == metric);
    alarms.filter_map(|(_, alarm)| dimension(alarm)?.1.strip_suffix(".QueueName")).collect()
}

#[test]
fn every_dead_letter_queue_and_every_work_queue_has_its_alarm() {
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
fn every_function_that_no_caller_waits_for_has_an_alarm_on_its_errors() {
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
fn every_alarm_can_tell_somebody_and_has_its_section_in_the_runbook() {
    let runbook = fs::read_to_string(root().join("docs/RUNBOOK.md")).expect("a runbook");
    let headings: BTreeSet<&str> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .flat_map(|heading| heading.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    let template = Template::load();
    let alarms: BTreeSet<&str> = template.resources(ALARM).map(|(id, _)| id).collect();
    assert_eq!(headings, alarms, "each has a heading, and no heading is of an alarm that is gone");
    for (id, alarm) in template.resources(ALARM) {
        let description = alarm["AlarmDescription"].as_str().expect("a text");
        assert!(description.ends_with(&format!("docs/RUNBOOK.md: {id}")), "{id}: {description}");
        for actions in ["AlarmActions", "OKActions"] {
            assert_eq!(alarm[actions][0], "HasAlarmTopic", "{id}");
        }
        // What is not told is well, but for what must be told each minute.
        let silent = alarm["ComparisonOperator"] == "LessThanThreshold"
            || alarm["MetricName"] == "MinutesOverdue";
        assert_eq!(
            alarm["TreatMissingData"],
            if silent { "breaching" } else { "notBreaching" },
            "{id}"
        );
    }
}
