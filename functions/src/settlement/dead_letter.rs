//! The queue of messages that were tried too often.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Fails the job of one message.
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

    /// A job of three transactions.
    async fn job() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.job("2026-11-18", "2026-11-19").await;
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
    async fn a_batch_that_is_given_up_fails_its_job() {
        let (cloud, instance, id) = job().await;
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
        // The others have nothing left to do.
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
        let (cloud, instance, id) = job().await;
        let plan = cloud.services().take_queued()[0].delivery();
        handle(instance.app.clone(), plan.clone()).await.expect("done");
        instance.app.settlement().retry(id, instance.app.now()).await.expect("tried again");
        handle(instance.app.clone(), plan.clone()).await.expect("done");
        assert_eq!(job_status(&instance, id).await.status, State::Queued);
        cloud.deliver_all(&instance).await;
        handle(instance.app.clone(), plan).await.expect("done");
        assert_eq!(job_status(&instance, id).await.status, State::Completed);
    }

    #[tokio::test]
    async fn a_message_that_nobody_can_read_is_dropped() {
        let cloud = Cloud::start().await;
        for body in ["", "not json", r#"{"kind":"sweep"}"#] {
            handle(cloud.instance().app, delivery(body)).await.expect(body);
        }
    }

    #[tokio::test]
    async fn the_sample_is_about_a_job_that_is_not_there_and_makes_none() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("settlement-dead-letter"))
            .await
            .expect("nothing to do again");
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
    }
}
