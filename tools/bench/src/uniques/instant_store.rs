//! A fake store that answers immediately, which leaves the handler and the SDK to be measured.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

/// Accepts every put, and answers every read with a shard configuration of 256 shards since 2020.
#[derive(Debug, Clone, Copy)]
pub struct InstantStore;

const SHARD_CONFIG: &str = concat!(
    r#"{"Item":{"epochs":{"L":[{"M":{"#,
    r#""from":{"S":"2020-01-01T00:00:00Z"},"shards":{"N":"256"}}}]}}}"#,
);

impl HttpClient for InstantStore {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(*self)
    }
}

impl HttpConnector for InstantStore {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reads =
            request.headers().get("x-amz-target").is_some_and(|target| target.ends_with("GetItem"));
        let mut response = HttpResponse::new(
            200.try_into().expect("a status"),
            SdkBody::from(if reads { SHARD_CONFIG } else { "{}" }),
        );
        response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
        HttpConnectorFuture::ready(Ok(response))
    }
}
