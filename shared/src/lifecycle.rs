//! How an instance ends.

use lambda_extension::Extension;
use tokio::signal::unix::{SignalKind, signal};
use tracing::{debug, info};

use crate::telemetry;

/// On SIGTERM writes what is not yet written and ends the process with success.
///
/// Lambda sends SIGTERM only to functions that registered an extension, so an idle one is registered; where there is no
/// extensions API (the local cloud) the signal alone is enough. Between requests nothing else is open: every request
/// answers only after its writes.
pub async fn end_on_sigterm(function: &'static str) {
    let Ok(mut sigterm) = signal(SignalKind::terminate()) else {
        return;
    };
    let extension = Extension::new().with_events(&[]).with_extension_name(function).register().await;
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
