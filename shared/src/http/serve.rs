//! Serves Lambda's invocations with a handler.

use std::{env, sync::Arc};

use futures_util::future::{BoxFuture, LocalBoxFuture};
use lambda_http::{
    Body, Request, RequestExt, Response,
    http::{HeaderName, HeaderValue},
    request::RequestContext,
    service_fn,
};
use tokio::runtime::Builder;
use tracing::Instrument;

use super::{ApiError, Reply, header};
use crate::{
    App,
    access::{Caller, ORDER_TOKEN},
    aws::ServiceError,
    invocation::{DeadlineReached, Invocation},
    lifecycle::{self, Error},
    routes::{self, Endpoint, ErrorFormat},
    telemetry,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

type Prewarm = Box<dyn FnOnce(App) -> LocalBoxFuture<'static, Result<(), ServiceError>>>;

/// A handler of requests without its types: what runs it is compiled once and not in each program.
pub type Handler = Arc<dyn Fn(App, Request) -> Handling + Send + Sync>;

/// The work of a [`Handler`] on one request.
pub type Handling = BoxFuture<'static, Result<Reply, ApiError>>;

/// Runs a function that handles one request at a time, until the instance ends.
///
/// # Errors
/// [`crate::routes`] has no function of this name, the configuration is invalid, or the runtime API
/// cannot be reached.
pub fn serve<W, H, F>(
    function: &'static str,
    prewarm: impl FnOnce(App) -> W + 'static,
    handler: H,
) -> Result<(), Error>
where
    W: Future<Output = Result<(), ServiceError>> + 'static,
    H: Fn(App, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    run(function, erase_prewarm(prewarm), &erase(handler))
}

/// Runs a function that handles as many requests at a time as Lambda hands it: several on Lambda
/// Managed Instances (`AWS_LAMBDA_MAX_CONCURRENCY`), spread over all processors; elsewhere one.
///
/// # Errors
/// As [`serve`].
pub fn serve_concurrent<W, H, F>(
    function: &'static str,
    prewarm: impl FnOnce(App) -> W + 'static,
    handler: H,
) -> Result<(), Error>
where
    W: Future<Output = Result<(), ServiceError>> + 'static,
    H: Fn(App, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    run_concurrent(function, erase_prewarm(prewarm), erase(handler))
}

fn erase_prewarm<W>(prewarm: impl FnOnce(App) -> W + 'static) -> Prewarm
where
    W: Future<Output = Result<(), ServiceError>> + 'static,
{
    Box::new(|app| Box::pin(prewarm(app)))
}

/// Makes a [`Handler`].
pub fn erase<H, F>(handler: H) -> Handler
where
    H: Fn(App, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    Arc::new(move |app, request| Box::pin(handler(app, request)))
}

fn run(function: &'static str, prewarm: Prewarm, handler: &Handler) -> Result<(), Error> {
    let endpoint = routes::endpoint_of(function)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm).await?;
        lambda_http::run(service_fn(|request| {
            let reply = handle(endpoint, &app, invocation(&request), request, &**handler);
            async { Ok::<_, Error>(reply.await) }
        }))
        .await
    })
}

fn run_concurrent(function: &'static str, prewarm: Prewarm, handler: Handler) -> Result<(), Error> {
    let endpoint = routes::endpoint_of(function)?;
    let concurrent = env::var("AWS_LAMBDA_MAX_CONCURRENCY").is_ok_and(|most| most != "1");
    let mut runtime =
        if concurrent { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    runtime.enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm).await?;
        lambda_http::run_concurrent(service_fn(move |request| {
            let (app, handler) = (app.clone(), handler.clone());
            async move {
                let invocation = invocation(&request);
                Ok::<_, Error>(handle(endpoint, &app, invocation, request, &*handler).await)
            }
        }))
        .await
    })
}

/// Returns the invocation of a request that Lambda's runtime interface handed over.
fn invocation(request: &Request) -> Invocation {
    request.lambda_context_ref().map_or_else(Invocation::unlimited, Invocation::of)
}

/// Handles one request: enforces what the table of routes declares, then calls the handler. An
/// error is a reply too, so an invocation fails only if the process does.
pub async fn handle<H, F>(
    endpoint: &'static Endpoint,
    app: &App,
    invocation: Invocation,
    mut request: Request,
    handler: H,
) -> Response<Body>
where
    H: Fn(App, Request) -> F,
    F: Future<Output = Result<Reply, ApiError>>,
{
    let request_id = request_id(&request);
    let span = telemetry::request_span(endpoint.function, &request_id);
    // The endpoint that writes on GET has errors in plain text.
    let only_reads = request.method().is_safe() && endpoint.errors == ErrorFormat::Problem;
    let result = match admit(endpoint, app, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            // Boxed: a handler's future may be large, and would be copied.
            let work = Box::pin(handler(app.clone(), request).instrument(span));
            invocation.run(work).await.unwrap_or_else(|DeadlineReached| Err(ApiError::timed_out()))
        }
        Err(refused) => Err(refused),
    };
    let reply = result.unwrap_or_else(|error| {
        let error = if only_reads { error.of_read() } else { error };
        error.into_reply(endpoint.errors, &request_id)
    });
    telemetry::flush_when_due();
    reply.header(REQUEST_ID, &request_id).into_response()
}

/// Refuses callers without the right and requests with input that the endpoint does not declare.
fn admit(endpoint: &Endpoint, app: &App, request: &Request) -> Result<Caller, ApiError> {
    let has_order_token = header(request, ORDER_TOKEN).is_some();
    let authorization = header(request, "authorization");
    let caller = app.access().admit(endpoint.access, authorization, has_order_token)?;
    if endpoint.routes.is_empty() {
        return Ok(caller);
    }
    let query = request.uri().query().unwrap_or_default();
    for (name, _) in form_urlencoded::parse(query.as_bytes()) {
        if !endpoint.query.contains(&&*name) {
            let field = if name.is_empty() { "query" } else { &name };
            return Err(ApiError::invalid(field, "is not a parameter of this endpoint"));
        }
    }
    let is_blank = || request.body().iter().all(u8::is_ascii_whitespace);
    if endpoint.body == routes::Body::None && !is_blank() {
        return Err(ApiError::invalid("body", "this endpoint takes no body"));
    }
    Ok(caller)
}

/// Returns the caller's own id if it is one (1 to 128 visible ASCII characters), else the
/// gateway's, else the invocation's.
fn request_id(request: &Request) -> String {
    let own = request.headers().get(REQUEST_ID).map(HeaderValue::as_bytes);
    let is_id = |id: &&[u8]| (1..=128).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic);
    if let Some(own) = own.filter(is_id) {
        return String::from_utf8_lossy(own).into_owned();
    }
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let invocation = || request.lambda_context_ref().map(|context| context.request_id.clone());
    gateway.or_else(invocation).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Access, Role, Switch},
        http::caller,
        routes::{Route, routes},
        testing::{Answer, Call, Cloud, Instance, READ_TOKEN, TOKEN},
    };

    /// Sends a call to a handler that always succeeds, behind the rules of its route.
    async fn send(instance: &Instance, call: Call) -> Answer {
        call.to(instance, |_, _| async { Ok(Reply::ok(&"done")) }).await
    }

    fn call(route: Route) -> Call {
        Call::new(route.method, &route.path.replace(['{', '}'], ""))
    }

    #[test]
    fn a_program_that_is_not_in_the_table_does_not_start() {
        let started = serve("order-craete", prewarm, |_, _| async { Ok(Reply::no_content()) });
        let error = started.expect_err("not in the table").to_string();
        assert_eq!(error, "order-craete: no such function in shared/src/routes.rs");
        let started =
            serve_concurrent("minute-close", prewarm, |_, _| async { Ok(Reply::no_content()) });
        assert!(started.is_err(), "a worker serves no requests");
    }

    async fn prewarm(_: App) -> Result<(), ServiceError> {
        panic!("must not start")
    }

    #[tokio::test]
    async fn every_route_enforces_the_access_of_its_row_before_its_handler() {
        let cloud = Cloud::start().await;
        let open = cloud.instance();
        let switches = [Switch::Accept, Switch::Orders, Switch::Test];
        let closed = cloud.instance_with(|config| config.access.closed = switches.to_vec());
        for (route, row) in routes() {
            for (instance, are_switches_set) in [(&open, false), (&closed, true)] {
                let is_closed = match row.access {
                    Access::Open => false,
                    Access::OpenUnless(_) => are_switches_set,
                    Access::Operator(_) | Access::OrderOr(_) => true,
                };
                let missing = send(instance, call(route).anonymous()).await;
                assert_eq!(missing.status, if is_closed { 401 } else { 200 }, "{route:?}");
                let unknown = call(route).header("authorization", "Bearer other");
                assert_eq!(send(instance, unknown).await.status, 401, "{route:?}");
                let admin = call(route).header("authorization", &format!("Bearer {TOKEN}"));
                assert_eq!(send(instance, admin).await.status, 200, "{route:?}");
            }
        }
        let unknown = Call::new("GET", "/nothing").header("authorization", "Bearer other");
        assert_eq!(send(&open, unknown).await.status, 401);
    }

    #[tokio::test]
    async fn a_refusal_has_the_challenge_of_rfc_6750() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let restock = || Call::new("POST", "/products/7/restock");
        let read = format!("Bearer {READ_TOKEN}");
        for (call, status, code, challenge) in [
            (restock().anonymous(), 401, "TOKEN_MISSING", r#"Bearer realm="once""#),
            (
                restock().header("authorization", "Bearer other"),
                401,
                "TOKEN_UNKNOWN",
                r#"Bearer error="invalid_token""#,
            ),
            (
                restock().header("authorization", &read),
                403,
                "TOKEN_INSUFFICIENT",
                r#"Bearer error="insufficient_scope", scope="admin""#,
            ),
        ] {
            let answer = send(&instance, call).await;
            assert_eq!((answer.status, answer.code()), (status, code));
            assert_eq!(answer.headers["www-authenticate"], challenge);
        }
    }

    #[tokio::test]
    async fn a_handler_learns_who_the_caller_is() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let read = format!("Bearer {READ_TOKEN}");
        let path = "/orders/0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
        let with_order_token = || Call::new("GET", path).anonymous().header(ORDER_TOKEN, "x");
        for (call, expected) in [
            (Call::new("GET", path), Caller::Operator(Role::Admin)),
            (Call::new("GET", path).header("authorization", &read), Caller::Operator(Role::Read)),
            (with_order_token(), Caller::Anonymous),
        ] {
            let answer = call.to(&instance, async |_, request| {
                assert_eq!(caller(&request), expected);
                Ok(Reply::no_content())
            });
            assert_eq!(answer.await.status, 204);
        }
    }

    #[tokio::test]
    async fn undeclared_input_is_refused_by_name_before_the_handler() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for (route, row) in routes() {
            let path = route.path.replace(['{', '}'], "");
            let field = if row.function == "accept" { "" } else { "feilds" };
            let unknown = Call::new(route.method, &format!("{path}?feilds=1"));
            let unknown = send(&instance, unknown).await;
            assert_eq!((unknown.status, unknown.field()), (400, field), "{route:?}");
            let nameless = Call::new(route.method, &format!("{path}?=1"));
            let nameless = send(&instance, nameless).await;
            let field = if field.is_empty() { "" } else { "query" };
            assert_eq!((nameless.status, nameless.field()), (400, field), "{route:?}");
            for name in row.query {
                let declared = Call::new(route.method, &format!("{path}?{name}=1"));
                assert_eq!(send(&instance, declared).await.status, 200, "{route:?} {name}");
            }
            let body = send(&instance, call(route).body(r#"{"quantity":1}"#)).await;
            let is_accepted = row.body == routes::Body::Json;
            assert_eq!(body.status, if is_accepted { 200 } else { 400 }, "{route:?}");
            assert_eq!(send(&instance, call(route).body(" ")).await.status, 200, "{route:?}");
        }
        let fallback = Call::new("GET", "/nothing?x=1").body("{}");
        assert_eq!(send(&instance, fallback).await.status, 200, "its handler answers 404");
    }

    #[tokio::test]
    async fn accept_writes_errors_as_plain_text_also_before_its_handler() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.access.closed.push(Switch::Accept));
        let answer = send(&instance, Call::new("GET", "/api/verve/accept?id=1").anonymous()).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        let error = answer.headers["x-error"].to_str().expect("ASCII");
        assert!(error.starts_with("TOKEN_MISSING "), "{error}");
    }
}
