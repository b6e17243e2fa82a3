//! The types of resources other than functions.

use serde_json::json;

use super::super::{Bucket, Cors, Expiration, Secret, Stack, Throttle};
use super::{refusal, resolve, resolve_with};
use crate::queues::{Queue, RedrivePolicy};

/// A template of these resources.
fn resources(text: &str) -> String {
    format!("Resources:\n{text}")
}

#[test]
fn a_table_is_its_create_request_and_its_ttl_attribute() {
    let text = |enabled: bool| {
        resources(&format!(
            "
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{ AttributeName: pk, AttributeType: S }}]
      KeySchema: [{{ AttributeName: pk, KeyType: HASH }}]
      TimeToLiveSpecification: {{ AttributeName: ttl, Enabled: {enabled} }}
      SSESpecification: {{ SSEEnabled: true }}
"
        ))
    };
    let request = json!({
        "TableName": "Orders-name",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
    });
    let table = &resolve(&text(true)).tables[0];
    assert_eq!((table.id.as_str(), &table.create_request), ("Orders", &request));
    assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(resolve(&text(false)).tables[0].ttl_attribute, None);
}

#[test]
fn a_queue_has_the_settings_of_the_template_or_those_of_sqs() {
    let text = resources(
        "
  Inbox:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 180
      DelaySeconds: 1
      MessageRetentionPeriod: 3600
      RedrivePolicy: { deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: !Ref Attempts }
  Dead: { Type: AWS::SQS::Queue }
Parameters: { Attempts: { Type: Number, Default: 6 } }
",
    );
    let inbox = Queue {
        name: "Inbox".into(),
        visibility_timeout_s: 180,
        delay_s: 1,
        retention_s: 3_600,
        redrive: Some(RedrivePolicy { dead_letter_queue: "Dead".into(), max_receive_count: 6 }),
    };
    let dead = Queue {
        name: "Dead".into(),
        visibility_timeout_s: 30,
        delay_s: 0,
        retention_s: 345_600,
        redrive: None,
    };
    assert_eq!(resolve(&text).queues, [dead, inbox]);
}

#[test]
fn a_bucket_has_its_enabled_rules_of_expiration() {
    let text = resources(
        "
  Files:
    Type: AWS::S3::Bucket
    Properties:
      LifecycleConfiguration:
        Rules:
          - { Status: Enabled, Prefix: parts/, ExpirationInDays: 7 }
          - { Status: Disabled, Prefix: old/, ExpirationInDays: 7 }
          - { Status: Enabled, ExpirationInDays: '400' }
          - { Status: Enabled, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } }
",
    );
    let expirations = vec![
        Expiration { prefix: "parts/".into(), days: 7 },
        Expiration { prefix: String::new(), days: 400 },
    ];
    assert_eq!(resolve(&text).buckets, [Bucket { id: "Files".into(), expirations }]);
}

#[test]
fn streams_and_secrets_are_listed() {
    let text = resources(
        "
  Counts: { Type: AWS::Kinesis::Stream, Properties: { ShardCount: 1 } }
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: { GenerateSecretString: { PasswordLength: 44 } }
  Other: { Type: AWS::SecretsManager::Secret, Properties: { GenerateSecretString: {} } }
",
    );
    let stack = resolve(&text);
    assert_eq!(stack.streams, ["Counts"]);
    let (key, other) = ("Key".to_owned(), "Other".to_owned());
    assert_eq!(stack.secrets, [Secret { id: key, length: 44 }, Secret { id: other, length: 32 }]);
}

#[test]
fn an_api_has_cors_and_rate_limits() {
    let text = resources(
        "
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefaultRouteSettings: { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 5 }
      RouteSettings:
        POST /orders: { ThrottlingRateLimit: !Ref Rate, ThrottlingBurstLimit: 6 }
      CorsConfiguration: { AllowOrigins: !Ref Origins, AllowMethods: [GET], MaxAge: 600 }
  Work:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: work } }
    Properties:
      Events:
        Http: { Type: HttpApi, Properties: { ApiId: !Ref Api, Method: POST, Path: /orders } }
Parameters:
  Rate: { Type: Number, Default: 20 }
  Origins: { Type: CommaDelimitedList, Default: 'https://a, https://b' }
",
    );
    let api = resolve(&text).api.expect("an API");
    let cors = Cors {
        allow_origins: vec!["https://a".into(), "https://b".into()],
        allow_methods: vec!["GET".into()],
        max_age_s: Some(600),
        ..Cors::default()
    };
    assert_eq!((api.id.as_str(), api.cors), ("Api", Some(cors)));
    assert_eq!(api.default_throttle, Some(Throttle { rate: 10, burst: 5 }));
    let throttles = [("POST /orders".to_owned(), Throttle { rate: 20, burst: 6 })];
    assert_eq!(api.route_throttles, throttles.into());

    let error = refusal(&text.replace("POST /orders:", "PUT /orders:"));
    assert_eq!(error, "Resources.Api: RouteSettings: no function has the route `PUT /orders`");
    let error = resolve_with(&text, &[("Rate", "0.5")]).expect_err("half a request");
    let place = "Resources.Api.Properties.RouteSettings.POST /orders.ThrottlingRateLimit";
    assert_eq!(error.to_string(), format!("{place}: must be a whole number from 0, is `0.5`"));
}

#[test]
fn an_unused_type_is_ignored_and_an_unknown_one_refused() {
    let alarm = "  Watch: { Type: AWS::CloudWatch::Alarm, Properties: { Dimensions: !Ref Gone } }";
    assert_eq!(resolve(&resources(alarm)), Stack::default());
    let error = refusal(&resources("  Topic: { Type: AWS::SNS::Topic }"));
    assert_eq!(error, "Resources.Topic.Type: unknown type `AWS::SNS::Topic`");
}

#[test]
fn a_property_that_is_not_known_is_refused_by_name() {
    for (kind, property) in [
        ("AWS::SQS::Queue", "FifoQueue"),
        ("AWS::DynamoDB::Table", "StreamSpecification"),
        ("AWS::S3::Bucket", "NotificationConfiguration"),
        ("AWS::SecretsManager::Secret", "SecretString"),
        ("AWS::Serverless::HttpApi", "Auth"),
    ] {
        let text = resources(&format!("  It: {{ Type: {kind}, Properties: {{ {property}: x }} }}"));
        let error = refusal(&text);
        let expected = format!("Resources.It.Properties.{property}: unknown field `{property}`");
        assert!(error.starts_with(&expected), "{error}");
    }
}
