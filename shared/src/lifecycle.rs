//! How an instance begins and ends.

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, info, warn};

use crate::{
    App,
    aws::{Aws, ServiceError},
    config::Config,
    telemetry,
};

/// What ends a function that cannot start.
pub type Error = lambda_http::Error;

/// What a function calls once before its first request: while an instance starts it has a full processor, later only the
/// share that its memory size buys. A function names its own, so that it carries no other.
pub mod prewarm {
    use crate::{App, aws::ServiceError};

    /// The table of orders.
    pub async fn orders(app: App) -> Result<(), ServiceError> {
        app.orders().warm().await
    }

    /// The table of uniques, and how ids are counted.
    pub async fn uniques(app: App) -> Result<(), ServiceError> {
        app.uniques().warm(app.now()).await
    }

    /// The published counts.
    pub async fn counts(app: App) -> Result<(), ServiceError> {
        app.uniques().warm_counts(app.now()).await
    }

    /// The table of companies.
    pub async fn companies(app: App) -> Result<(), ServiceError> {
        app.companies().warm().await
    }

    /// The table of settlements.
    pub async fn settlements(app: App) -> Result<(), ServiceError> {
        app.settlement().warm().await
    }

    /// The table of scheduled jobs.
    pub async fn schedules(app: App) -> Result<(), ServiceError> {
        app.schedules().warm().await
    }

    /// All that a check of health asks: a second is short for whoever has no connection yet.
    pub async fn health(app: App) -> Result<(), ServiceError> {
        Box::pin(app.health().report(app.now())).await;
        Ok(())
    }

    /// It calls nothing.
    pub async fn nothing(_: App) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// Begins: reads the configuration, starts telemetry, makes the [`App`].
///
/// # Errors
/// A bad configuration.
pub async fn start<W>(function: &'static str, prewarm: impl FnOnce(App) -> W) -> Result<App, Error>
where
    W: Future<Output = Result<(), ServiceError>>,
{
    let config = Config::from_env()?;
    telemetry::init(function, &config.telemetry);
    let app = App::new(config, Aws::from_env());
    // A store that does not answer now may do so at the first request, so the function starts all the same.
    if let ((), Err(error)) = tokio::join!(end_on_sigterm(function), prewarm(app.clone())) {
        warn!(%error, "Prewarming failed");
    }
    Ok(app)
}

/// On SIGTERM writes what is not yet written and ends the process with success.
///
/// Lambda sends SIGTERM only to functions that registered an extension, so an idle one is registered; where there is no
/// extensions API (the local cloud) the signal alone is enough. Between requests nothing else is open: every request
/// answers only after its writes.
async fn end_on_sigterm(function: &'static str) {
    let Ok(mut sigterm) = signal(SignalKind::terminate()) else {
        return;
    };
    let extension =
        Extension::new().with_events(&[]).with_extension_name(function).register().await;
    tokio::spawn(async move {
        match extension {
            Ok(extension) => drop(tokio::spawn(extension.run())),
            Err(error) => debug!(%error, "No extensions API"),
        }
        sigterm.recv().await;
        info!("Shutting down");
        telemetry::flush();
        std::process::exit(0);
    });
}
