//! Worker of the finish queue: settlements all of whose batches are summed.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Finishes one settlement.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().finish(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, SETTLEMENTS_TABLE, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn an_unreadable_message_is_an_error() {
        let cloud = Cloud::start().await;
        for body in ["", "{}", r#"{"kind":"finish"}"#, r#"{"kind":"sweep"}"#] {
            let error = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(error, WorkError::Unreadable(_)), "{body}: {error}");
        }
    }

    #[tokio::test]
    async fn a_message_of_another_queue_is_an_error() {
        let cloud = Cloud::start().await;
        for other in ["settlement-plan", "settlement-batch"] {
            let error = handle(cloud.instance().app, sample_message(other)).await.expect_err(other);
            assert!(matches!(error, WorkError::WrongQueue), "{other}: {error}");
        }
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist_and_is_ignored() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-finish")).await.expect("ignored");
        assert!(
            cloud.items(SETTLEMENTS_TABLE).await.is_empty() && cloud.services().files().is_empty()
        );
    }
}
