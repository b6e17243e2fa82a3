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

use super::{ApiError, Reply, access, header};
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
    let answered = match admitted(function, app, &request) {
        Ok(()) => handler(app.clone(), request).instrument(span).await,
        Err(denied) => Err(denied),
    };
    let reply = answered.unwrap_or_else(|error| error.into_reply(&request_id));
    telemetry::flush_when_due();
    reply.header(REQUEST_ID, &request_id).into_response()
}

/// The caller may call this function, as far as its token tells.
fn admitted(function: &str, app: &App, request: &Request) -> Result<(), ApiError> {
    let admitted = app.access().check(access(function), header(request, "authorization"));
    let word = function == "accept";
    admitted.map_err(|denied| if word { ApiError::from(denied).in_one_word() } else { denied.into() })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::Access,
        digest::sha256,
        testing::{Answer, Call, Cloud, Process},
    };

    /// An instance that knows a token.
    fn guarded(cloud: &Cloud, accept: bool) -> Process {
        cloud.process_with(|config| {
            config.access.tokens = Some(sha256(b"token").parse().expect("a hash"));
            config.access.anonymous = false;
            config.access.asking.extend(accept.then_some(Access::Accept));
        })
    }

    /// What a function answers that always succeeds.
    async fn asked(process: &Process, function: &'static str, authorization: Option<&str>) -> Answer {
        let call = Call::new("GET", "/");
        let call = authorization.into_iter().fold(call, |call, header| call.header("authorization", header));
        let answer = |_, _| async { Ok(Reply::ok(&"done")) };
        handle(function, &process.app, call.request(), answer).await.into()
    }

    #[tokio::test]
    async fn endpoints_of_money_and_schedules_ask_for_a_token() {
        let cloud = Cloud::start().await;
        let process = guarded(&cloud, false);
        for function in ["product-list", "company-put", "settlement-create", "download-get", "task-create", "run-list"]
        {
            let missing = asked(&process, function, None).await;
            assert_eq!((missing.status, missing.code()), (401, "TOKEN_MISSING"), "{function}");
            assert_eq!(missing.headers["www-authenticate"], "Bearer");
            let unknown = asked(&process, function, Some("Bearer other")).await;
            assert_eq!((unknown.status, unknown.code()), (403, "TOKEN_UNKNOWN"), "{function}");
            assert_eq!(asked(&process, function, Some("Bearer token")).await.status, 200, "{function}");
        }
        for function in ["accept", "order-create", "company-figures", "callback-test", "route-unknown"] {
            assert_eq!(asked(&process, function, None).await.status, 200, "{function}");
        }
    }

    #[tokio::test]
    async fn accept_answers_in_one_word_to_those_without_a_token_too() {
        let cloud = Cloud::start().await;
        let answer = asked(&guarded(&cloud, true), "accept", None).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert!(answer.headers["x-error"].to_str().is_ok_and(|error| error.starts_with("TOKEN_MISSING ")));
    }
}
