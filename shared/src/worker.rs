//! Serves the invocations of workers: functions that a rule or a queue invokes. Nothing is
//! prewarmed, since no caller waits.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::IgnoredAny;
use tokio::runtime::Builder;
use tracing::Instrument;

use crate::{
    App,
    lifecycle::{self, prewarm},
    routes::{self, Trigger},
    sqs::{self, Delivery},
    telemetry,
};

pub use crate::lifecycle::Error;

/// Runs a function that a rule of EventBridge invokes. The event is ignored: a tick does what is
/// due.
///
/// # Errors
/// [`crate::routes`] has no worker of this name and trigger, the configuration is invalid, or the
/// runtime API cannot be reached.
pub fn serve_scheduled<H, F, E>(function: &'static str, handler: H) -> Result<(), Error>
where
    H: Fn(App) -> F,
    F: Future<Output = Result<(), E>> + Send,
    E: Into<Error> + Send,
{
    routes::check_worker(function, Trigger::Rule)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm::nothing).await?;
        lambda_runtime::run(service_fn(|event: LambdaEvent<IgnoredAny>| {
            let span = telemetry::request_span(function, &event.context.request_id);
            // Boxed: the future is as large as all that a tick may do.
            let tick = Box::pin(handler(app.clone()));
            async move {
                let result = tick.instrument(span).await.map_err(Into::into);
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
    H: Fn(App, Delivery) -> F + Clone,
    F: Future<Output = Result<(), E>> + Send,
    E: std::fmt::Display,
{
    routes::check_worker(function, Trigger::Queue)?;
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let app = lifecycle::start(function, prewarm::nothing).await?;
        lambda_runtime::run(service_fn(|event: LambdaEvent<SqsEvent>| {
            let span = telemetry::request_span(function, &event.context.request_id);
            let (app, handler) = (app.clone(), handler.clone());
            async move {
                let handler = move |delivery| handler(app.clone(), delivery);
                let response = sqs::process_batch(event.payload, handler).instrument(span).await;
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
