//! The template of the program.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::super::{Event, Function, Stack, Table, TemplateError, Throttle, yaml};
use super::resolve_with;

const TEXT: &str = include_str!("../../../../template.yaml");

/// The one parameter without default.
const TOKEN: (&str, &str) =
    ("AdminTokenSha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

fn program_with(parameters: &[(&str, &str)]) -> Result<Stack, TemplateError> {
    resolve_with(TEXT, &[&[TOKEN], parameters].concat())
}

fn program() -> Stack {
    program_with(&[]).expect("template.yaml is valid")
}

fn function<'a>(stack: &'a Stack, id: &str) -> &'a Function {
    stack.functions.iter().find(|function| function.id == id).expect(id)
}

fn table<'a>(stack: &'a Stack, id: &str) -> &'a Table {
    stack.tables.iter().find(|table| table.id == id).expect(id)
}

#[test]
fn every_resource_with_a_service_is_in_the_stack() {
    let document = yaml::parse(TEXT).expect("YAML");
    let resources = document["Resources"].as_object().expect("resources");
    let ids = |kind: &str| -> BTreeSet<&str> {
        let found = resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        found.map(|(id, _)| id.as_str()).collect()
    };
    let stack = program();
    let functions = stack.functions.iter().map(|function| function.id.as_str());
    let tables = stack.tables.iter().map(|table| table.id.as_str());
    let queues = stack.queues.iter().map(|queue| queue.name.as_str());
    let buckets = stack.buckets.iter().map(|bucket| bucket.id.as_str());
    let secrets = stack.secrets.iter().map(|secret| secret.id.as_str());
    let streams = stack.streams.iter().map(String::as_str);
    assert_eq!(functions.collect::<BTreeSet<_>>(), ids("AWS::Serverless::Function"));
    assert_eq!(tables.collect::<BTreeSet<_>>(), ids("AWS::DynamoDB::Table"));
    assert_eq!(queues.collect::<BTreeSet<_>>(), ids("AWS::SQS::Queue"));
    assert_eq!(buckets.collect::<BTreeSet<_>>(), ids("AWS::S3::Bucket"));
    assert_eq!(secrets.collect::<BTreeSet<_>>(), ids("AWS::SecretsManager::Secret"));
    assert_eq!(streams.collect::<BTreeSet<_>>(), ids("AWS::Kinesis::Stream"));
    assert_eq!(
        stack.parameters.len(),
        document["Parameters"].as_object().map_or(0, serde_json::Map::len)
    );
}

#[test]
fn every_event_is_read() {
    let document = yaml::parse(TEXT).expect("YAML");
    let stack = program();
    for function in &stack.functions {
        let events = &document["Resources"][&function.id]["Properties"]["Events"];
        let expected = events.as_object().map_or(0, serde_json::Map::len);
        assert_eq!(function.events.len(), expected, "{}", function.id);
        assert!(expected > 0, "{} is never invoked", function.id);
    }
    let minute = Event::Schedule { expression: "cron(* * * * ? *)".into() };
    assert_eq!(function(&stack, "MinuteClose").events, [minute]);
    assert_eq!(function(&stack, "RouteUnknown").events, [Event::DefaultRoute]);
    let order = Event::Http { method: "POST".into(), path: "/orders".into() };
    assert_eq!(function(&stack, "OrderCreate").events, [order]);
}

#[test]
fn a_function_has_its_settings_and_variables() {
    let stack = program();
    let accept = function(&stack, "Accept");
    assert_eq!(accept.program, "accept");
    assert_eq!((accept.timeout, accept.memory_mb), (Duration::from_secs(6), 256));
    for (name, value) in [
        ("UNIQUE_SHARDS", "256"),
        ("METRICS_INTERVAL_MS", "10000"),
        ("ACCEPT_NEEDS_TOKEN", "false"),
        ("ADMIN_TOKEN_SHA256", TOKEN.1),
        ("READ_TOKEN_SHA256", ""),
        ("UNIQUES_TABLE", "UniquesTable-name"),
        ("COUNT_STREAM", "CountStream-name"),
        ("CALLBACK_QUEUE_URL", "http://queues/CallbackQueue"),
    ] {
        assert_eq!(accept.environment[name], value, "{name}");
    }
    let plan = function(&stack, "SettlementPlan");
    assert_eq!((plan.timeout, plan.memory_mb), (Duration::from_mins(15), 1_769));
    assert_eq!(function(&stack, "MetricsGet").environment["STACK_NAME"], "stack");
}

#[test]
fn a_table_has_its_indexes_and_its_ttl_attribute() {
    let stack = program();
    let settlements = table(&stack, "SettlementsTable");
    let indexes = settlements.create_request["GlobalSecondaryIndexes"].as_array().expect("indexes");
    let names: Vec<&Value> = indexes.iter().map(|index| &index["IndexName"]).collect();
    assert_eq!(names, ["recent", "live"]);
    assert_eq!(settlements.ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(table(&stack, "LedgerTable").ttl_attribute, None);
}

#[test]
fn a_queue_has_its_redrive_policy() {
    let stack = program_with(&[("SettlementMaxAttempts", "9")]).expect("9 is allowed");
    let queue = stack.queues.iter().find(|queue| queue.name == "SettlementBatchQueue");
    let queue = queue.expect("a queue of batches");
    assert_eq!(queue.visibility_timeout_s, 720);
    let redrive = queue.redrive.as_ref().expect("a redrive policy");
    assert_eq!(redrive.dead_letter_queue, "SettlementDeadLetterQueue");
    assert_eq!(redrive.max_receive_count, 9);
}

#[test]
fn the_api_has_its_rate_limits_and_cors() {
    let changed = [("OrdersPerSecond", "7"), ("AllowedOrigins", "https://a,https://b")];
    let api = program_with(&changed).expect("allowed values").api.expect("an API");
    assert_eq!(api.default_throttle, Some(Throttle { rate: 1_000, burst: 500 }));
    assert_eq!(api.route_throttles["POST /orders"], Throttle { rate: 7, burst: 5_000 });
    let cors = api.cors.expect("CORS");
    assert_eq!(cors.allow_origins, ["https://a", "https://b"]);
    assert_eq!(cors.max_age_s, Some(600));
}

#[test]
fn a_changed_parameter_shows_where_it_is_used() {
    let changed = [("SettlementBatchesAtOnce", "3"), ("ReportRetentionDays", "9")];
    let stack = program_with(&changed).expect("allowed values");
    let batches = Event::Queue {
        queue: "SettlementBatchQueue".into(),
        batch_size: 3,
        max_concurrency: Some(10),
        reports_failures: true,
    };
    assert_eq!(function(&stack, "SettlementBatch").events, [batches]);
    let days: Vec<u32> = stack.buckets[0].expirations.iter().map(|rule| rule.days).collect();
    assert_eq!(days, [7, 9]);
}

#[test]
fn a_given_stream_replaces_the_one_of_the_stack() {
    let stack = program_with(&[("CountStreamName", "elsewhere")]).expect("an allowed name");
    assert_eq!(stack.streams, Vec::<String>::new());
    assert_eq!(function(&stack, "MinuteClose").environment["COUNT_STREAM"], "elsewhere");
}

#[test]
fn a_value_that_the_template_does_not_allow_is_refused() {
    for (name, value, reason) in [
        ("SettlementBatchesAtOnce", "11", "must be a number from 1 to 10"),
        ("DuplicateIds", "maybe", "must be one of: refuse, accept"),
        ("AdminTokenSha256", "secret", "must match `[0-9a-fA-F]{64}(,[0-9a-fA-F]{64})?`"),
    ] {
        let error = program_with(&[(name, value)]).expect_err(name);
        assert_eq!(error.to_string(), format!("parameter `{name}`: {reason}"));
    }
    let error = resolve_with(TEXT, &[]).expect_err("no token").to_string();
    assert_eq!(error, "parameter `AdminTokenSha256`: has no default: a value is required");
}
