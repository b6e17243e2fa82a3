//! Functions and their events.

use std::time::Duration;

use serde_json::json;

use super::super::Event;
use super::{refusal, resolve};

/// A function with these properties, beside an API and a queue.
fn function(properties: &str) -> String {
    format!(
        "
Resources:
  Api: {{ Type: AWS::Serverless::HttpApi }}
  Inbox: {{ Type: AWS::SQS::Queue }}
  Work:
    Type: AWS::Serverless::Function
    Metadata: {{ BuildProperties: {{ Binary: work }} }}
    Properties: {{ {properties} }}
"
    )
}

/// A function with this event.
fn event(source: &str) -> String {
    function(&format!("Events: {{ Source: {{ {source} }} }}"))
}

#[test]
fn a_function_has_the_properties_of_all_functions_and_its_own() {
    let globals = "
Globals:
  Function:
    Timeout: 15
    MemorySize: 256
    LoggingConfig: { LogGroup: !Ref Missing }
    Environment: { Variables: { LEVEL: info, FORMAT: json, SIZE: 5 } }
Parameters: { Seconds: { Type: Number, Default: 60 } }
";
    let own = "Timeout: !Ref Seconds, Policies: [!GetAtt Missing.Arn],
               Environment: { Variables: { LEVEL: debug, ON: true } }";
    let work = &resolve(&(function(own) + globals)).functions[0];
    assert_eq!((work.id.as_str(), work.program.as_str()), ("Work", "work"));
    assert_eq!((work.timeout, work.memory_mb), (Duration::from_mins(1), 256));
    let variables = json!({ "FORMAT": "json", "LEVEL": "debug", "ON": "true", "SIZE": "5" });
    assert_eq!(json!(work.environment), variables);
}

#[test]
fn a_variable_of_a_function_replaces_an_intrinsic_function_of_all_functions() {
    let globals = "
Globals:
  Function: { Environment: { Variables: { SIZE: !If [Large, l, s], PLACE: !Ref AWS::Region } } }
Conditions: { Large: !Equals [a, a] }
";
    let own = "Environment: { Variables: { SIZE: !If [Large, xl, m], PLACE: !Sub here } }";
    let work = &resolve(&(function(own) + globals)).functions[0];
    assert_eq!(json!(work.environment), json!({ "PLACE": "here", "SIZE": "xl" }));
}

#[test]
fn a_function_without_settings_has_those_of_lambda() {
    let work = &resolve(&function("")).functions[0];
    assert_eq!((work.timeout, work.memory_mb), (Duration::from_secs(3), 128));
    assert_eq!(work.events, []);
}

#[test]
fn a_function_without_program_is_refused() {
    let text = "Resources: { Work: { Type: AWS::Serverless::Function, Properties: {} } }";
    let reason = "Resources.Work.Metadata: BuildProperties.Binary must name the program";
    assert_eq!(refusal(text), reason);
}

#[test]
fn events_are_routes_queues_and_times() {
    let http = |method: &str, path: &str| Event::Http { method: method.into(), path: path.into() };
    for (source, expected) in [
        (
            "Type: HttpApi, Properties: { ApiId: !Ref Api, Method: get, Path: '/orders/{id}' }",
            http("GET", "/orders/{id}"),
        ),
        ("Type: HttpApi, Properties: { ApiId: !Ref Api }", Event::DefaultRoute),
        (
            "Type: Schedule, Properties: { Schedule: rate(1 minute), Description: d }",
            Event::Schedule { expression: "rate(1 minute)".into() },
        ),
        (
            "Type: SQS, Properties: { Queue: !GetAtt Inbox.Arn }",
            Event::Queue {
                queue: "Inbox".into(),
                batch_size: 10,
                max_concurrency: None,
                reports_failures: false,
            },
        ),
        (
            "Type: SQS, Properties: { Queue: !GetAtt Inbox.Arn, BatchSize: '5',
             FunctionResponseTypes: [ReportBatchItemFailures],
             ScalingConfig: { MaximumConcurrency: 2 } }",
            Event::Queue {
                queue: "Inbox".into(),
                batch_size: 5,
                max_concurrency: Some(2),
                reports_failures: true,
            },
        ),
    ] {
        assert_eq!(resolve(&event(source)).functions[0].events, [expected], "{source}");
    }
}

#[test]
fn an_invalid_event_is_refused_at_its_place() {
    for (source, reason) in [
        ("Type: S3", ".Type: unknown variant `S3`"),
        (
            "Type: HttpApi, Properties: { ApiId: !Ref Api, Method: GET }",
            ".Properties: must have both Method and Path",
        ),
        ("Type: HttpApi", ".Properties: missing field `ApiId`"),
        (
            "Type: HttpApi, Properties: { ApiId: other }",
            ".Properties.ApiId: must be the Ref of an AWS::Serverless::HttpApi",
        ),
        (
            "Type: SQS, Properties: { Queue: !Ref Inbox }",
            ".Properties.Queue.Ref: `Inbox` (AWS::SQS::Queue) has no Ref here",
        ),
        (
            "Type: SQS, Properties: { Queue: !GetAtt Inbox.Arn, BatchSize: 1.5 }",
            ".Properties.BatchSize: must be a whole number from 0, is `1.5`",
        ),
        (
            "Type: SQS, Properties: { Queue: !GetAtt Inbox.Arn, FilterCriteria: {} }",
            ".Properties.FilterCriteria: unknown field `FilterCriteria`",
        ),
    ] {
        let error = refusal(&event(source));
        let expected = format!("Resources.Work.Properties.Events.Source{reason}");
        assert!(error.starts_with(&expected), "{error}");
    }
    let error = refusal(&event("Type: SQS, Properties: { Queue: Outbox }"));
    assert_eq!(error, "Resources.Work: the queue of an event is `Outbox`: no such queue");
}

#[test]
fn a_property_of_a_function_that_is_not_known_is_refused_by_name() {
    let error = refusal(&function("ReservedConcurrentExecutions: 1"));
    let place = "Resources.Work.Properties.ReservedConcurrentExecutions";
    assert!(error.starts_with(&format!("{place}: unknown field")), "{error}");
}
