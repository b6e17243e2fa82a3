//! What the tests of several modules use: folders, times, and the SDK without a network.

pub(crate) mod services;

use std::{fmt, ops::Deref, path::Path, pin::Pin, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};
use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::{TemporaryFolder, connector};

/// A new folder that is removed with its content when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder(TemporaryFolder);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TemporaryFolder::new().expect("a new folder"))
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

/// A number of seconds after a time of the tests.
pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).expect("a time")
}

/// The settings of an SDK's client that does not retry.
pub(crate) fn sdk_config(client: impl HttpClient + 'static) -> SdkConfig {
    let credentials = Credentials::new("id", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://localhost:9000")
        .region(Region::new("local"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(client)
        .build()
}

/// The HTTP client of an SDK's client: a function instead of a network.
#[derive(Clone)]
pub(crate) struct InProcess(Arc<Service>);

type Service = dyn Fn(Request<Bytes>) -> ServiceFuture + Send + Sync;
type ServiceFuture = Pin<Box<dyn Future<Output = Response<Bytes>> + Send>>;

impl InProcess {
    pub(crate) fn new<F>(service: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Response<Bytes>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(service(request))))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl HttpClient for InProcess {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let service = self.0.clone();
        connector::call(request, move |request| service(request))
    }
}
