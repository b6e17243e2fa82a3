//! The queue of callbacks: tells receivers the count of a minute.

use once::{App, sqs::Delivery, uniques::Failure};

/// Does what one message says.
pub async fn handle(app: App, message: Delivery) -> Result<(), Failure> {
    app.callbacks().handle(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_failure() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        for body in [
            "",
            "{}",
            r#"{"kind":"callback"}"#,
            r#"{"kind":"fan-out","minute":"now","shard":0,"unique_ids":1}"#,
        ] {
            let failure = handle(instance.app.clone(), delivery(body)).await.expect_err(body);
            assert!(matches!(failure, Failure::Unreadable(_)), "{body}: {failure}");
        }
    }

    #[tokio::test]
    async fn the_sample_event_holds_a_message_that_can_be_read() {
        let cloud = Cloud::start().await;
        cloud
            .services()
            .set_parameter("/once/webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        // It goes to a private address, which the guard refuses: that is final, and no failure.
        handle(cloud.instance().app, sample_message("callback-send"))
            .await
            .expect("nothing to do again");
    }
}
