//! What turns a service in the process into the HTTP client of the SDK.

use aws_smithy_runtime_api::client::{
    http::HttpConnectorFuture,
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;

/// Makes a call of the SDK with a service instead of a network. A body in memory is not copied.
pub(crate) fn call<F>(
    request: HttpRequest,
    service: impl FnOnce(Request<Bytes>) -> F + Send + 'static,
) -> HttpConnectorFuture
where
    F: Future<Output = Response<Bytes>> + Send + 'static,
{
    HttpConnectorFuture::new(async move {
        let request =
            request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let body = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
        let response = service(Request::from_parts(head, body)).await.map(SdkBody::from);
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    })
}
