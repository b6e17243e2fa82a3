//! Start and shutdown of an instance.

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, info, warn};

use crate::{
    App,
    aws::{Aws, ServiceError},
    config::Config,
    telemetry,
};

/// The error of a function that cannot start.
pub type Error = lambda_http::Error;

/// Calls that a function makes once before its first request: while an instance starts it has a
/// full processor, later only the share that belongs to its memory size. Each function names its
/// own, so that its binary contains no other.
pub mod prewarm {
    use crate::{App, aws::ServiceError};

    /// Prewarms the table of orders.
    pub async fn orders(app: App) -> Result<(), ServiceError> {
        app.orders().warm().await
    }

    /// Prewarms the table of orders and the secret of their tokens.
    pub async fn orders_and_tokens(app: App) -> Result<(), ServiceError> {
        let warm_tokens = app.order_tokens().warm(app.now());
        let (orders, tokens) = tokio::join!(app.orders().warm(), warm_tokens);
        orders.and(tokens)
    }

    /// Prewarms the table of uniques and the shard configuration.
    pub async fn uniques(app: App) -> Result<(), ServiceError> {
        app.uniques().warm(app.now()).await
    }

    /// Prewarms the published counts.
    pub async fn counts(app: App) -> Result<(), ServiceError> {
        app.uniques().warm_counts(app.now()).await
    }

    /// Prewarms the table of companies.
    pub async fn companies(app: App) -> Result<(), ServiceError> {
        app.companies().warm().await
    }

    /// Prewarms the table of settlements.
    pub async fn settlements(app: App) -> Result<(), ServiceError> {
        app.settlement().warm().await
    }

    /// Prewarms the table of scheduled jobs.
    pub async fn schedules(app: App) -> Result<(), ServiceError> {
        app.schedules().warm().await
    }

    /// Prewarms all services that the health checks call: their timeout of a second is short
    /// without connections.
    pub async fn health(app: App) -> Result<(), ServiceError> {
        Box::pin(app.health().report(app.now())).await;
        Ok(())
    }

    /// Prewarms nothing.
    pub async fn nothing(_: App) -> Result<(), ServiceError> {
        Ok(())
    }
}

/// Starts an instance: reads the configuration, starts telemetry, makes the [`App`], prewarms.
///
/// # Errors
/// The configuration is invalid.
pub async fn start<W>(function: &'static str, prewarm: impl FnOnce(App) -> W) -> Result<App, Error>
where
    W: Future<Output = Result<(), ServiceError>>,
{
    let config = Config::from_env()?;
    telemetry::init(function, &config.telemetry);
    let app = App::new(config, Aws::from_env());
    // A store that does not respond now may respond to the first request: the function starts
    // anyway.
    if let ((), Err(error)) = tokio::join!(end_on_sigterm(function), prewarm(app.clone())) {
        warn!(%error, "Prewarming failed");
    }
    Ok(app)
}

/// On SIGTERM, writes the remaining metrics and ends the process with success.
///
/// Lambda sends SIGTERM only to functions with a registered extension, so one without events is
/// registered; where there is no extensions API (the local cloud) the signal alone is enough.
/// Nothing else is pending between requests: every request is answered after its writes.
async fn end_on_sigterm(function: &'static str) {
    let Ok(mut sigterm) = signal(SignalKind::terminate()) else {
        return;
    };
    let extension =
        Extension::new().with_events(&[]).with_extension_name(function).register().await;
    tokio::spawn(async move {
        match extension {
            Ok(extension) => drop(tokio::spawn(extension.run())),
            Err(error) => debug!(%error, "Extensions API not available"),
        }
        sigterm.recv().await;
        info!("Shutting down");
        telemetry::flush();
        std::process::exit(0);
    });
}
