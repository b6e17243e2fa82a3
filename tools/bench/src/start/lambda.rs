//! What a function sees of Lambda, on a free port of the loopback: the runtime API and the extensions API.

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
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

/// Long after any function has started or answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// The side of Lambda that serves one process. Ends with its value.
#[derive(Debug)]
pub struct Lambda {
    address: String,
    asked: mpsc::UnboundedReceiver<Instant>,
    events: mpsc::UnboundedSender<String>,
    answered: mpsc::UnboundedReceiver<(Instant, Bytes)>,
    server: JoinHandle<()>,
}

struct Runtime {
    asked: mpsc::UnboundedSender<Instant>,
    events: Mutex<mpsc::UnboundedReceiver<String>>,
    answered: mpsc::UnboundedSender<(Instant, Bytes)>,
}

impl Lambda {
    pub async fn start() -> Self {
        let (protected, asked) = mpsc::unbounded_channel();
        let (events, waiting) = mpsc::unbounded_channel();
        let (answering, answered) = mpsc::unbounded_channel();
        let runtime =
            Runtime { asked: protected, events: Mutex::new(waiting), answered: answering };
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
        Self { address, asked, events, answered, server }
    }

    /// What stands in `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// When the process asked for an event.
    ///
    /// # Panics
    /// If it does not.
    pub async fn ready(&mut self) -> Instant {
        timeout(PATIENCE, self.asked.recv())
            .await
            .expect("the function starts")
            .expect("the server lives")
    }

    /// Hands an event to the process, which has asked for it, and answers after what time its response came.
    ///
    /// # Panics
    /// If none comes.
    pub async fn invoke(&mut self, event: String) -> Duration {
        let begun = Instant::now();
        self.events.send(event).expect("the server lives");
        let answered = timeout(PATIENCE, self.answered.recv()).await.expect("the function answers");
        let (answered, _) = answered.expect("the server lives");
        self.ready().await;
        answered - begun
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let asked = Instant::now();
    // Whoever no longer listens has seen enough.
    let _ = runtime.asked.send(asked);
    let Some(event) = runtime.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("Lambda-Runtime-Deadline-Ms", "4102444800000"),
        (
            "Lambda-Runtime-Invoked-Function-Arn",
            "arn:aws:lambda:us-east-1:000000000000:function:order-create",
        ),
    ];
    (headers, event).into_response()
}

async fn response(State(runtime): State<Arc<Runtime>>, answer: Bytes) -> StatusCode {
    drop(runtime.answered.send((Instant::now(), answer)));
    StatusCode::ACCEPTED
}
