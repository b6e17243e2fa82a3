//! Serves the invocations of workers: functions that a rule or a queue invokes. Nothing is
//! prewarmed, since no caller waits.

use std::sync::Arc;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use tokio::runtime::Builder;
use tracing::Instrument;

use crate::{
    App,
    invocation::Invocation,
    lifecycle::{self, prewarm},
    routes::{self, Trigger},
    sqs::{self, Delivery},
    telemetry,
};

pub use crate::lifecycle::Error;

// As for requests, what runs a worker has no types of its handler: it is compiled once.

/// What a rule invokes.
pub type Tick = Arc<dyn Fn(App) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// A handler of messages. Its error is a text for the log.
pub type MessageHandler =
    Arc<dyn Fn(App, Delivery) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Makes a [`Tick`].
pub fn erase_tick<H, F, E>(handler: H) -> Tick
where
    H: Fn(App) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Error> + Send,
{
    Arc::new(move |app| {
        let tick = handler(app);
        Box::pin(async { tick.await.map_err(Into::into) })
    })
}

/// Makes a [`MessageHandler`].
pub fn erase_message_handler<H, F, E>(handler: H) -> MessageHandler
where
    H: Fn(App, Delivery) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    Arc::new(move |app, delivery| {
        let message = handler(app, delivery);
        Box::pin(async { message.await.map_err(|error| error.to_string()) })
    })
}

/// Runs a function that a rule of EventBridge invokes. The event is ignored: a tick does what is
/// due.
///
/// # Errors
/// [`crate::routes`] has no worker of this name and trigger, the configuration is invalid, or the
/// runtime API cannot be reached.
pub fn serve_scheduled<H, F, E>(function: &'static str, handler: H) -> Result<(), Error>
where
    H: Fn(App) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Error> + Send,
{
    run_scheduled(function, &erase_tick(handler))
}

fn run_scheduled(function: &'static str, tick: &Tick) -> Result<(), Error> {
    routes::check_worker(function, Trigger::Rule)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm::nothing).await?;
        lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| {
            let span = telemetry::request_span(function, &event.context.request_id);
            let tick = tick(app.clone());
            async move {
                let work = Invocation::of(&event.context).run(tick.instrument(span));
                let result = work.await.unwrap_or_else(|reached| Err(reached.into()));
                telemetry::flush();
                result
            }
        }))
        .await
    })
}

/// Runs a function that a queue invokes. Each message is handled by itself; those that fail are
/// delivered again.
///
/// # Errors
/// [`crate::routes`] has no worker of this name and trigger, the configuration is invalid, or the
/// runtime API cannot be reached.
pub fn serve_sqs<H, F, E>(function: &'static str, handler: H) -> Result<(), Error>
where
    H: Fn(App, Delivery) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), E>> + Send + 'static,
    E: std::fmt::Display,
{
    run_sqs(function, &erase_message_handler(handler))
}

fn run_sqs(function: &'static str, handler: &MessageHandler) -> Result<(), Error> {
    routes::check_worker(function, Trigger::Queue)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm::nothing).await?;
        lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
            let span = telemetry::request_span(function, &event.context.request_id);
            let app = app.clone();
            async move {
                let invocation = Invocation::of(&event.context);
                let handler = |delivery| handler(app.clone(), delivery);
                let work = sqs::process_batch(event.payload, &invocation, handler);
                let response = work.instrument(span).await;
                telemetry::flush();
                Ok::<SqsBatchResponse, Error>(response)
            }
        }))
        .await
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_a_worker_of_this_kind_does_not_start() {
        for unknown in ["minute-clsoe", "schedule-run", "order-create"] {
            let started = serve_scheduled(unknown, |_| async { Ok::<_, Error>(()) });
            let error = started.expect_err("not in the table").to_string();
            assert_eq!(error, format!("{unknown}: no such function in shared/src/routes.rs"));
        }
        let started = serve_sqs("schedule-tick", |_, _| async { Ok::<_, Error>(()) });
        assert!(started.is_err(), "a rule invokes it, not a queue");
    }
}
