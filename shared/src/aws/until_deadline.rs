//! No call begins after the deadline of its invocation.

use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};

use crate::invocation::{self, DeadlineReached};

/// An HTTP client that refuses calls after the deadline.
#[derive(Debug)]
pub(super) struct UntilDeadline(pub(super) SharedHttpClient);

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpClient for UntilDeadline {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if invocation::is_over() {
            // Not an error of the network: the SDK does not retry it.
            HttpConnectorFuture::ready(Err(ConnectorError::user(DeadlineReached.into())))
        } else {
            self.0.call(request)
        }
    }
}
