//! Invocations of the functions behind the front.

use std::{error::Error, future::poll_fn, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use parking_lot::Mutex;
use tokio::{sync::oneshot, task::JoinSet, time::timeout};
use tracing::{error, warn};

use super::error::GatewayError;

/// The functions behind the API.
pub trait Functions: Send + Sync + 'static {
    /// Invokes a function of [`once::routes`].
    ///
    /// The invocation is polled to its end, whatever becomes of the client: its own time-out ends
    /// it.
    fn invoke(
        &self,
        function: &'static str,
        request: Request,
    ) -> BoxFuture<'static, Result<Response<Body>, InvokeError>>;
}

/// A function that returned no response. The caller is answered 500.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// It passed its own time-out.
    #[error("timed out after {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It failed.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// Runs invocations, each as a task of its own: a panic harms no other, and a client that
/// disconnects cancels nothing.
pub(super) struct Invocations {
    functions: Arc<dyn Functions>,
    tasks: Mutex<JoinSet<()>>,
}

impl Invocations {
    pub(super) fn new(functions: Arc<dyn Functions>) -> Self {
        Self { functions, tasks: Mutex::default() }
    }

    /// Invokes a function and waits for its response for at most `time`.
    pub(super) async fn run(
        &self,
        function: &'static str,
        request: Request,
        time: Duration,
    ) -> Result<Response<Body>, GatewayError> {
        match timeout(time, self.start(function, request)).await {
            Ok(Ok(Ok(response))) => return Ok(response),
            Ok(Ok(Err(error))) => error!(function, %error, "Function failed"),
            Ok(Err(_)) => error!(function, "Function panicked"),
            Err(_) => {
                warn!(function, "Function did not respond in time");
                return Err(GatewayError::FunctionTimedOut);
            }
        }
        Err(GatewayError::FunctionFailed)
    }

    /// Starts an invocation. What is returned receives nothing if the function panics.
    fn start(
        &self,
        function: &'static str,
        request: Request,
    ) -> oneshot::Receiver<Result<Response<Body>, InvokeError>> {
        let (response, receiver) = oneshot::channel();
        let functions = Arc::clone(&self.functions);
        let mut tasks = self.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let result = functions.invoke(function, request).await;
            drop(response.send(result)); // The client may be gone.
        });
        receiver
    }

    /// Waits for all invocations to end.
    pub(super) async fn finish(&self) {
        while poll_fn(|cx| self.tasks.lock().poll_join_next(cx)).await.is_some() {}
    }

    /// Ends all invocations.
    pub(super) async fn abort(&self) {
        self.tasks.lock().abort_all();
        self.finish().await;
    }
}
