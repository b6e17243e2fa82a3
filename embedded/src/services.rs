//! [`Services`]: all services of a process behind one function and one HTTP client.
//!
//! | File | Content |
//! |---|---|
//! | `open` | services with the resources of a stack |
//! | `protocol` | the protocols of AWS, and how each says that a call is refused |
//! | `metrics` | CloudWatch, which has no metrics here |
//! | `identity` | Security Token Service: who the caller is |

mod identity;
mod metrics;
mod open;
mod protocol;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

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

use crate::{
    connector, dynamo::Store, files::Files, json_call, queues::Queues, secrets::Secrets,
    stream::Stream,
};

pub use open::OpenError;
pub(crate) use protocol::{Protocol, Refusal};

/// The services of a process. It is the `http_client` of any client of the SDK; cloning it clones
/// pointers.
///
/// A call goes to the service that its headers name, and to S3 if they name none. S3's clients need
/// `force_path_style`. A service or an operation that is not here is refused by name.
#[derive(Clone)]
pub struct Services {
    /// DynamoDB.
    pub store: Store,
    /// SQS.
    pub queues: Arc<Queues>,
    /// Kinesis.
    pub stream: Stream,
    /// S3.
    pub files: Files,
    /// Secrets Manager.
    pub secrets: Secrets,
}

impl Services {
    /// Responds to a request of the SDK. The caller is trusted.
    pub async fn respond(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let protocol = Protocol::of(&request);
        match protocol {
            Protocol::Json => {
                let target = json_call::target(&request);
                match target.split_once('.').map_or(target, |(service, _)| service) {
                    "DynamoDB_20120810" => self.store.respond(request).await,
                    "AmazonSQS" => self.queues.respond(request, now).await,
                    "Kinesis_20131202" => self.stream.respond(request, now).await,
                    "secretsmanager" => self.secrets.respond(request, now).await,
                    metrics::SERVICE => metrics::respond(&request, protocol),
                    _ => protocol.refuse(&Refusal::UnknownOperation(target.to_owned())),
                }
            }
            Protocol::Cbor => metrics::respond(&request, protocol),
            Protocol::Query => identity::respond(&request),
            Protocol::S3 => self.files.respond(request, now).await,
        }
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").finish_non_exhaustive()
    }
}

/// Calls in process happen now.
impl HttpConnector for Services {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let services = self.clone();
        connector::call(request, async move |request| {
            services.respond(request, Timestamp::now()).await
        })
    }
}

impl HttpClient for Services {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
