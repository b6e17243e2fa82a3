//! From Lambda's invocation to a handler and back.

use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderName, HeaderValue},
    request::RequestContext,
    service_fn,
};
use tracing::{Instrument, warn};

use super::{ApiError, Reply};
use crate::{App, aws::Aws, config::Config, lifecycle, telemetry};

/// What ends a function that cannot start.
pub type Error = lambda_http::Error;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a function calls once before its first request: while an instance starts it has a full processor, later only the
/// share that its memory size buys.
#[derive(Debug, Clone, Copy)]
pub enum Warm {
    /// The table of orders.
    Orders,
    /// It calls nothing.
    Nothing,
}

impl Warm {
    /// A store that does not answer now may do so at the first request, so the function starts all the same.
    async fn up(self, app: &App) {
        if let Self::Orders = self
            && let Err(error) = app.orders().warm().await
        {
            warn!(%error, "The store did not answer at the start");
        }
    }
}

/// Runs a function: reads its configuration, makes the [`App`], and answers requests until the instance ends.
///
/// # Errors
/// A bad configuration, or a runtime API that cannot be reached.
pub async fn serve<H, F>(function: &'static str, warm: Warm, handler: H) -> Result<(), Error>
where
    H: Fn(App, Request) -> F + Sync,
    F: Future<Output = Result<Reply, ApiError>> + Send,
{
    let config = Config::from_env()?;
    telemetry::init(function, config.log_level, config.log_format);
    let app = App::new(config, &Aws::from_env());
    tokio::join!(lifecycle::end_on_sigterm(function), warm.up(&app));
    lambda_http::run(service_fn(|request| {
        let answer = handle(function, &app, request, &handler);
        async { Ok::<_, Error>(answer.await) }
    }))
    .await
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
    telemetry::flush();
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
