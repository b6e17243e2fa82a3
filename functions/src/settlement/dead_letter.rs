//! Worker of the dead-letter queue: messages that used up their attempts.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Fails the settlement of one message, if its work is still pending.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().handle_dead_letter(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::{
        settlement::{JobId, JobStatus, State},
        testing::{Cloud, Instance, SETTLEMENTS_TABLE, delivery, sample_message},
    };

    use super::*;

    /// A settlement of three transactions.
    async fn queued() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        (cloud, instance, id)
    }

    async fn job_status(instance: &Instance, id: JobId) -> JobStatus {
        instance
            .app
            .settlement()
            .job_status(id, instance.app.now())
            .await
            .expect("a read")
            .expect("a job")
    }

    #[tokio::test]
    async fn a_dead_letter_of_a_batch_fails_its_settlement() {
        let (cloud, instance, id) = queued().await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        let batches = cloud.services().take_queued();
        handle(instance.app.clone(), batches[0].delivery()).await.expect("done");
        let failed = job_status(&instance, id).await;
        assert_eq!(failed.status, State::Failed);
        let error = failed.error.expect("a cause");
        assert!(
            error.code == "GIVEN_UP" && error.message.starts_with("batch 2026-11-19#"),
            "{error:?}"
        );
        // The other batches are not summed.
        for batch in &batches {
            instance.deliver(batch).await;
        }
        assert_eq!(
            (job_status(&instance, id).await.processed, cloud.services().files().len()),
            (0, 0)
        );
    }

    #[tokio::test]
    async fn a_message_of_an_earlier_run_changes_nothing() {
        let (cloud, instance, id) = queued().await;
        let plan = cloud.services().take_queued()[0].delivery();
        handle(instance.app.clone(), plan.clone()).await.expect("done");
        instance.app.settlement().retry(id, instance.app.now()).await.expect("retried");
        handle(instance.app.clone(), plan.clone()).await.expect("done");
        assert_eq!(job_status(&instance, id).await.status, State::Queued);
        cloud.deliver_all(&instance).await;
        handle(instance.app.clone(), plan).await.expect("done");
        assert_eq!(job_status(&instance, id).await.status, State::Completed);
    }

    #[tokio::test]
    async fn an_unreadable_message_is_dropped() {
        let cloud = Cloud::start().await;
        for body in ["", "not json", r#"{"kind":"sweep"}"#] {
            handle(cloud.instance().app, delivery(body)).await.expect(body);
        }
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist_and_creates_none() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-dead-letter"))
            .await
            .expect("ignored");
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
    }
}
