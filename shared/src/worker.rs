//! From Lambda's invocation to a worker and back. Nobody waits for it, so nothing is called before it is needed.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use tracing::Instrument;

use crate::{
    App,
    lifecycle::{self, warm},
    sqs::{self, Delivery},
    telemetry,
};

pub use crate::lifecycle::Error;

/// Runs a function that a rule fires. What the event holds is of no use: a tick does what is due.
///
/// # Errors
/// A bad configuration, or a runtime API that cannot be reached.
pub async fn serve_ticks<H, F, E>(function: &'static str, handler: H) -> Result<(), Error>
where
    H: Fn(App) -> F,
    F: Future<Output = Result<(), E>> + Send,
    E: Into<Error> + Send,
{
    let app = lifecycle::start(function, warm::nothing).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| {
        let span = telemetry::request_span(function, &event.context.request_id);
        // On the heap: it is as large as all that a tick may do.
        let tick = Box::pin(handler(app.clone()));
        async move {
            let ended = tick.instrument(span).await.map_err(Into::into);
            telemetry::flush();
            ended
        }
    }))
    .await
}

/// Runs a function that a queue feeds: each message by itself. What fails is delivered again.
///
/// # Errors
/// A bad configuration, or a runtime API that cannot be reached.
pub async fn serve_messages<H, F, E>(function: &'static str, handler: H) -> Result<(), Error>
where
    H: Fn(App, Delivery) -> F + Clone,
    F: Future<Output = Result<(), E>> + Send,
    E: std::fmt::Display,
{
    let app = lifecycle::start(function, warm::nothing).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
        let span = telemetry::request_span(function, &event.context.request_id);
        let (app, handler) = (app.clone(), handler.clone());
        async move {
            let done = sqs::each(event.payload, move |delivery| handler(app.clone(), delivery)).instrument(span).await;
            telemetry::flush();
            Ok::<SqsBatchResponse, Error>(done)
        }
    }))
    .await
}
