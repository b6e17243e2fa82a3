//! A fake of Lambda's runtime API and extensions API, on a free port of the loopback.

use std::{
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};
use uuid::Uuid;

/// Longest wait for a start or a response.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The APIs of Lambda for one process. The server ends on drop.
#[derive(Debug)]
pub struct Lambda {
    address: String,
    event_requests: mpsc::UnboundedReceiver<Instant>,
    events: mpsc::UnboundedSender<String>,
    responses: mpsc::UnboundedReceiver<(Instant, Bytes)>,
    server: JoinHandle<()>,
}

/// The server's ends of the channels.
struct Runtime {
    event_requests: mpsc::UnboundedSender<Instant>,
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    responses: mpsc::UnboundedSender<(Instant, Bytes)>,
}

impl Lambda {
    pub async fn start() -> Self {
        let (request_sender, event_requests) = mpsc::unbounded_channel();
        let (events, event_receiver) = mpsc::unbounded_channel();
        let (response_sender, responses) = mpsc::unbounded_channel();
        let runtime = Runtime {
            event_requests: request_sender,
            events: Mutex::new(event_receiver),
            responses: response_sender,
        };
        let routes = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route(
                "/2020-01-01/extension/register",
                post(async || [("Lambda-Extension-Identifier", "extension")]),
            )
            .route("/2020-01-01/extension/event/next", get(std::future::pending::<StatusCode>))
            .with_state(Arc::new(runtime));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port").to_string();
        let server = tokio::spawn(async { axum::serve(listener, routes).await.expect("served") });
        Self { address, event_requests, events, responses, server }
    }

    /// Returns the value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Waits until the process requests an event, and returns the time of the request.
    ///
    /// # Panics
    /// If it does not request one in time.
    pub async fn ready(&mut self) -> Instant {
        timeout(TIMEOUT, self.event_requests.recv())
            .await
            .expect("a request for an event in time")
            .expect("a running server")
    }

    /// Sends an event to the process, which must have requested it, and returns the time to its
    /// response.
    ///
    /// # Panics
    /// If there is no response in time, or it is an error.
    pub async fn invoke(&mut self, event: String) -> Duration {
        let sent_at = Instant::now();
        self.events.send(event).expect("a running server");
        let response = timeout(TIMEOUT, self.responses.recv()).await.expect("a response in time");
        let (received_at, response) = response.expect("a running server");
        let response: Value = serde_json::from_slice(&response).expect("a response in JSON");
        let status = response["statusCode"].as_u64();
        assert!(status.is_some_and(|status| status < 300), "{response}");
        self.ready().await;
        received_at - sent_at
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let requested_at = Instant::now();
    // The receiver is gone if the benchmark is done with this process.
    let _ = runtime.event_requests.send(requested_at);
    let Some(event) = runtime.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    // Each invocation has an id of its own: tokens of writes are made of it.
    let request_id = Uuid::from_u128(fastrand::u128(..)).to_string();
    let function = "arn:aws:lambda:us-east-1:000000000000:function:order-create";
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", request_id),
        ("Lambda-Runtime-Deadline-Ms", "4102444800000".to_owned()),
        ("Lambda-Runtime-Invoked-Function-Arn", function.to_owned()),
    ];
    (headers, event).into_response()
}

async fn response(State(runtime): State<Arc<Runtime>>, body: Bytes) -> StatusCode {
    drop(runtime.responses.send((Instant::now(), body)));
    StatusCode::ACCEPTED
}
