//! From Lambda's invocation to a handler and back.

use std::env;

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderName, HeaderValue},
    request::RequestContext,
    service_fn,
};
use tokio::runtime::Builder;
use tracing::Instrument;

use super::{ApiError, Reply};
use crate::{
    App,
    aws::ServiceError,
    lifecycle::{self, Error},
    telemetry,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs a function that answers one request at a time, until the instance ends.
///
/// # Errors
/// A bad configuration, or a runtime API that cannot be reached.
pub async fn serve<W, H, F>(function: &'static str, warm: impl FnOnce(App) -> W, handler: H) -> Result<(), Error>
where
    W: Future<Output = Result<(), ServiceError>>,
    H: Fn(App, Request) -> F + Sync,
    F: Future<Output = Result<Reply, ApiError>> + Send,
{
    let app = lifecycle::start(function, warm).await?;
    lambda_http::run(service_fn(|request| {
        let answer = handle(function, &app, request, &handler);
        async { Ok::<_, Error>(answer.await) }
    }))
    .await
}

/// Runs a function that answers as many requests at a time as Lambda hands it: on Lambda Managed Instances many
/// (`AWS_LAMBDA_MAX_CONCURRENCY`), over all processors; elsewhere one.
///
/// # Errors
/// A bad configuration, or a runtime API that cannot be reached.
pub fn serve_many<W, H, F>(function: &'static str, warm: impl FnOnce(App) -> W, handler: H) -> Result<(), Error>
where
    W: Future<Output = Result<(), ServiceError>>,
    H: Fn(App, Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    let many = env::var("AWS_LAMBDA_MAX_CONCURRENCY").is_ok_and(|many| many != "1");
    let mut runtime = if many { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    runtime.enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, warm).await?;
        lambda_http::run_concurrent(service_fn(move |request| {
            let (app, handler) = (app.clone(), handler.clone());
            async move { Ok::<_, Error>(handle(function, &app, request, handler).await) }
        }))
        .await
    })
}

/// Answers one request. A failure is an answer too: an invocation fails only if the process does.
pub async fn handle<H, F>(function: &'static str, app: &App, request: Request, handler: H) -> Response<Body>
where
    H: Fn(App, Request) -> F,
    F: Future<Output = Result<Reply, ApiError>>,
{
    let request_id = request_id(&request);
    let span = telemetry::request_span(function, &request_id);
    let answered = handler(app.clone(), request).instrument(span).await;
    let reply = answered.unwrap_or_else(|error| error.into_reply(&request_id));
    telemetry::flush_when_due();
    reply.header(REQUEST_ID, &request_id).into_response()
}

/// The caller's own id if it is one (1 to 128 visible ASCII characters), else the gateway's, else the invocation's.
fn request_id(request: &Request) -> String {
    let own = request.headers().get(REQUEST_ID).map(HeaderValue::as_bytes);
    if let Some(own) = own.filter(|own| (1..=128).contains(&own.len()) && own.iter().all(u8::is_ascii_graphic)) {
        return String::from_utf8_lossy(own).into_owned();
    }
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    gateway.or_else(|| request.lambda_context_ref().map(|context| context.request_id.clone())).unwrap_or_default()
}
