//! A server with functions that a test supplies.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use standalone::front::{
    Cors, Front, Functions, InvokeError, Limits, Rate, Rates, Server, Settings, Timeouts,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::client::{Answer, Client};

pub type Result = std::result::Result<Response<Body>, InvokeError>;

/// A running server.
pub struct Service {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// One function behind all routes.
struct Everything<H>(H);

impl<H, F> Functions for Everything<H>
where
    H: Fn(&'static str, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result> + Send + 'static,
{
    fn invoke(&self, function: &'static str, request: Request) -> BoxFuture<'static, Result> {
        Box::pin((self.0)(function, request))
    }
}

/// Returns functions that all do the same.
pub fn functions<H, F>(handler: H) -> Arc<dyn Functions>
where
    H: Fn(&'static str, Request) -> F + Send + Sync + 'static,
    F: Future<Output = Result> + Send + 'static,
{
    Arc::new(Everything(handler))
}

/// Returns functions that answer with their name.
pub fn names() -> Arc<dyn Functions> {
    functions(async |function, _| Ok(Response::new(Body::from(function))))
}

/// Returns functions that record their requests.
pub fn recorder() -> (Arc<dyn Functions>, mpsc::UnboundedReceiver<(&'static str, Request)>) {
    let (record, records) = mpsc::unbounded_channel();
    let functions = functions(move |function, request| {
        record.send((function, request)).expect("the test listens");
        async { Ok(Response::new(Body::Empty)) }
    });
    (functions, records)
}

/// Returns settings that restrict nothing which a test does not restrict.
pub fn settings() -> Settings {
    let unlimited = Rate { per_second: 1_000_000, burst: 1_000_000 };
    let long = Duration::from_mins(10);
    Settings {
        cors: Cors {
            allow_origins: vec!["*".to_owned()],
            allow_methods: vec!["GET".to_owned(), "POST".to_owned()],
            allow_headers: vec!["authorization".to_owned(), "if-match".to_owned()],
            expose_headers: vec!["etag".to_owned(), "x-request-id".to_owned()],
            max_age: Duration::from_mins(10),
        },
        rates: Rates { default: unlimited, accept: unlimited, orders: unlimited },
        limits: Limits::default(),
        timeouts: Timeouts {
            idle: long,
            head: long,
            body: long,
            write: long,
            function: long,
            drain: long,
        },
    }
}

impl Service {
    pub async fn start(settings: Settings, functions: Arc<dyn Functions>) -> Self {
        Self::start_front(Front::new(settings, functions)).await
    }

    pub async fn start_front(front: Front) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        let server = Server::bind(address, front).await.expect("a free port");
        let address = server.local_address().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self { address, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Sends a request on a connection of its own.
    pub async fn call(&self, request: &str) -> Answer {
        self.connect().await.call(request).await
    }

    /// Same as [`call`](Self::call), for a request without headers and body.
    pub async fn get(&self, target: &str) -> Answer {
        self.connect().await.get(target).await
    }

    /// Tells the server to stop.
    pub fn stop(&mut self) {
        self.stop.take().expect("stopped once").send(()).expect("it serves");
    }

    /// Waits until it has stopped.
    pub async fn stopped(self) {
        self.task.await.expect("it did not panic");
    }
}
