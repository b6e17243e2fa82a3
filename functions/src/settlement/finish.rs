//! The queue of jobs whose batches are all summed.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Finishes one job.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().finish(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, SETTLEMENTS_TABLE, delivery, sample_message};

    use super::*;

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_failure() {
        let cloud = Cloud::start().await;
        for body in ["", "{}", r#"{"kind":"finish"}"#, r#"{"kind":"sweep"}"#] {
            let failure = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(failure, WorkError::Unreadable(_)), "{body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_message_of_another_queue_is_a_failure() {
        let cloud = Cloud::start().await;
        for other in ["settlement-plan", "settlement-batch"] {
            let failure =
                handle(cloud.instance().app, sample_message(other)).await.expect_err(other);
            assert!(matches!(failure, WorkError::Misplaced), "{other}: {failure}");
        }
    }

    #[tokio::test]
    async fn the_sample_is_about_a_job_that_is_not_there_and_is_left_alone() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-finish"))
            .await
            .expect("nothing to do again");
        assert!(
            cloud.items(SETTLEMENTS_TABLE).await.is_empty() && cloud.services().files().is_empty()
        );
    }
}
