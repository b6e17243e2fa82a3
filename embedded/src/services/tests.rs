use aws_sdk_cloudwatch::error::ProvideErrorMetadata;

use super::*;
use crate::testing::{
    Folder, sdk_config,
    services::{call_each, s3, services},
};

#[tokio::test]
async fn each_service_is_called_by_the_client_of_the_sdk() {
    let folder = Folder::new();
    let services = services(&folder).await;
    call_each(&sdk_config(services)).await;
}

#[tokio::test]
async fn services_that_are_opened_again_have_their_data() {
    let folder = Folder::new();
    let secret = services(&folder).await.secrets.value("webhook").expect("a secret");
    let again = services(&folder).await;
    assert_eq!(again.secrets.value("webhook"), Some(secret));
    let now = Timestamp::now().as_second();
    assert_eq!(again.store.expire(now).await.expect("its time to live is set"), 0);
    assert_eq!(again.store.describe("Items").await.expect("a table")["ItemCount"], 0);
}

#[tokio::test]
async fn the_time_of_a_call_is_now() {
    let folder = Folder::new();
    let services = services(&folder).await;
    let s3 = s3(&sdk_config(services));
    let before = Timestamp::now().as_second();
    s3.put_object().bucket("files").key("a").send().await.expect("written");
    let head = s3.head_object().bucket("files").key("a").send().await.expect("a head");
    let modified = head.last_modified().expect("a time").secs();
    assert!((before..=Timestamp::now().as_second()).contains(&modified));
}

#[tokio::test]
async fn an_operation_that_is_missing_is_named_in_the_protocol_of_its_service() {
    let folder = Folder::new();
    let config = sdk_config(services(&folder).await);
    let metrics = aws_sdk_cloudwatch::Client::new(&config);
    let error = metrics.list_dashboards().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert_eq!(error.message(), Some("ListDashboards is not implemented"));

    let identity = aws_sdk_sts::Client::new(&config);
    let error = identity.get_session_token().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidAction"));
    assert_eq!(error.message(), Some("GetSessionToken is not implemented"));

    let stream = aws_sdk_kinesis::Client::new(&config);
    let error = stream.list_streams().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert_eq!(error.message(), Some("ListStreams is not implemented"));

    let error = s3(&config).list_buckets().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("NotImplemented"));
}

#[tokio::test]
async fn metrics_are_listed_in_json_too() {
    let folder = Folder::new();
    let services = services(&folder).await;
    for (operation, expected) in
        [("GetMetricData", r#"{"MetricDataResults":[]}"#), ("ListMetrics", r#"{"Metrics":[]}"#)]
    {
        let target = format!("GraniteServiceVersion20100801.{operation}");
        let request = Request::post("/").header("x-amz-target", target);
        let request = request.body(Bytes::from("{}")).expect("a request");
        let response = services.respond(request, Timestamp::now()).await;
        assert_eq!((response.status().as_u16(), &response.body()[..]), (200, expected.as_bytes()));
    }
}

#[tokio::test]
async fn a_service_that_is_missing_is_named() {
    let folder = Folder::new();
    let services = services(&folder).await;
    let respond = async |request: http::request::Builder, body: &'static str| {
        let request = request.body(Bytes::from(body)).expect("a request");
        let response = services.respond(request, Timestamp::now()).await;
        assert_eq!(response.status(), 400);
        String::from_utf8_lossy(response.body()).into_owned()
    };
    let json = Request::post("/").header("x-amz-target", "AWSEvents.PutEvents");
    let body = respond(json, "{}").await;
    assert!(body.contains(r#""message":"AWSEvents.PutEvents is not implemented""#), "{body}");

    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let query = || Request::post("/").header("content-type", form);
    let body = respond(query(), "Version=2010-03-31&Action=Publish").await;
    assert!(body.contains("<Message>Publish is not implemented</Message>"), "{body}");
    let body = respond(query(), "").await;
    assert!(body.contains("<Message>a form without Action is not implemented</Message>"), "{body}");
}
