//! An HTTP/1.1 server in the place of API Gateway's HTTP API.
//!
//! [`Server`] accepts connections, [`Front`] answers their requests. It promises:
//!
//! * **A function receives the event that the gateway would send**: payload format 2.0, read by
//!   `lambda_http`.
//! * **A caller receives what the gateway would answer**: the function's response, or the gateway's
//!   own for a request that it refuses and a function that fails, panics or takes too long.
//! * **A client cannot exhaust the process.** Connections, sizes and waiting times have limits
//!   ([`Limits`], [`Timeouts`]), and each route has its rate ([`Rates`]).
//! * **A function that was invoked runs to its end**, even if its client disconnects or has been
//!   answered 503, as on Lambda. Only a stop that takes too long aborts it.
//!
//! It does not speak TLS or HTTP/2, and it trusts no proxy: the address of the client is that of
//! the connection.
//!
//! | file | what |
//! |---|---|
//! | `server.rs` | connections, start and stop |
//! | `timed_stream.rs` | time-outs of a connection |
//! | `head.rs` | which requests are refused before routing |
//! | `router.rs` | from a method and a path to a function |
//! | `rate_limit.rs` | token buckets |
//! | `body.rs` | reading the body |
//! | `event.rs` | the request as a function receives it |
//! | `functions.rs` | invocations |
//! | `response.rs` | the response as a client receives it |
//! | `cors.rs` | cross-origin resource sharing |
//! | `error.rs` | the gateway's own errors |
//! | `settings.rs` | limits and time-outs |

mod body;
mod cors;
mod error;
mod event;
mod functions;
mod head;
mod rate_limit;
mod response;
mod router;
mod server;
mod settings;
mod timed_stream;

use std::{fmt, net::IpAddr, sync::Arc, time::Instant};

use embedded::files::Files;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    header::{HeaderName, HeaderValue, ORIGIN},
    http::request::Parts,
};
use jiff::Timestamp;
use uuid::Uuid;

pub use self::{
    cors::Cors,
    functions::{Functions, InvokeError},
    rate_limit::{Rate, Rates},
    server::Server,
    settings::{Limits, Settings, Timeouts},
};
use self::{error::GatewayError, event::Received, functions::Invocations, router::Router};

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// The clock of the rate limits.
type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// Answers the requests of the API.
pub struct Front {
    settings: Settings,
    router: Router,
    invocations: Invocations,
    files: Option<Files>,
    clock: Clock,
}

/// The two ends of a connection, as far as an event tells of them.
#[derive(Debug, Clone, Copy)]
struct Peers {
    client: IpAddr,
    port: u16,
}

impl Front {
    /// Creates a front to these functions.
    #[must_use]
    pub fn new(settings: Settings, functions: Arc<dyn Functions>) -> Self {
        Self::with_clock(settings, functions, Instant::now)
    }

    /// Same as [`new`](Self::new), with another clock of the rate limits.
    #[must_use]
    pub fn with_clock(
        settings: Settings,
        functions: Arc<dyn Functions>,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        let router = Router::new(&settings.rates, clock());
        let invocations = Invocations::new(functions);
        Self { settings, router, invocations, files: None, clock: Box::new(clock) }
    }

    /// Answers downloads by presigned links, too.
    #[must_use]
    pub fn with_files(self, files: Files) -> Self {
        Self { files: Some(files), ..self }
    }

    async fn respond(&self, request: Request<Incoming>, peers: Peers) -> Response<Full<Bytes>> {
        let id = Uuid::now_v7().to_string();
        let origin = request.headers().get(ORIGIN).cloned();
        let cors = &self.settings.cors;
        let mut response = if cors::is_preflight(&request) {
            cors.preflight()
        } else {
            let answer = self.answer(request, peers, &id).await;
            let mut response = answer.unwrap_or_else(GatewayError::into_response);
            cors.expose(response.headers_mut());
            response
        };
        cors.allow(origin.as_ref(), response.headers_mut());
        if let Ok(id) = HeaderValue::try_from(id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peers: Peers,
        id: &str,
    ) -> Result<Response<Full<Bytes>>, GatewayError> {
        let Settings { limits, timeouts, .. } = &self.settings;
        let (head, body) = request.into_parts();
        head::check(&head, limits)?;
        if let Some(files) = self.files.as_ref().filter(|_| is_presigned(&head)) {
            let request = Request::from_parts(head, Bytes::new());
            return Ok(files.download(request, Timestamp::now()).await.map(Full::new));
        }
        let path = head::path(&head)?;
        let route = self.router.route(head.method.as_str(), &path);
        if !route.admits((self.clock)()) {
            return Err(GatewayError::TooManyRequests);
        }
        let body = body::read(body, limits.body, timeouts.body).await?;
        let time = Timestamp::now();
        let received = Received { head: &head, path: &path, body: &body, route, peers, id, time };
        let request = received.into_request()?;
        let response = self.invocations.run(route.function(), request, timeouts.function).await?;
        response::from_lambda(response, limits.response)
    }
}

/// Whether the signature of a link stands for a token.
fn is_presigned(head: &Parts) -> bool {
    head.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("settings", &self.settings).finish_non_exhaustive()
    }
}
