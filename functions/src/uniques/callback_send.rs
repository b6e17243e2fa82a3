//! The worker of the queue of callbacks: sends the count of a minute to callback URLs.

use once::{App, sqs::Delivery, uniques::CallbackError};

/// Handles one message.
pub async fn handle(app: App, message: Delivery) -> Result<(), CallbackError> {
    app.callbacks().handle(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn an_unreadable_message_is_an_error() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for body in [
            "",
            "{}",
            r#"{"kind":"callback"}"#,
            r#"{"kind":"fan-out","minute":"now","shard":0,"unique_ids":1}"#,
        ] {
            let error = handle(instance.app.clone(), delivery(body)).await.expect_err(body);
            assert!(matches!(error, CallbackError::Unreadable(_)), "{body}: {error}");
        }
    }

    #[tokio::test]
    async fn the_message_of_the_sample_event_is_readable() {
        let cloud = Cloud::start().await;
        cloud.services().set_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        // Its URL has a private address, which the guard blocks: that is final, and not an error.
        handle(cloud.instance().app, sample_message("callback-send"))
            .await
            .expect("nothing to retry");
    }
}
