//! The queue of messages that were tried too often.

use once::{App, settlement::WorkError, sqs::Delivery};

/// Fails the job of one message.
pub async fn handle(app: App, message: Delivery) -> Result<(), WorkError> {
    app.settlement().give_up(&message, app.now()).await
}

#[cfg(test)]
mod tests {
    use once::{
        settlement::{JobId, Standing, State},
        testing::{Cloud, Process, SETTLEMENTS_TABLE, delivery, sample_message},
    };

    use super::*;

    /// A job of three transactions.
    async fn job() -> (Cloud, Process, JobId) {
        let cloud = Cloud::start().await;
        cloud.sales("2026-11-19", "merchant_001", 3).await;
        let process = cloud.process().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = process.job("2026-11-18", "2026-11-19").await;
        (cloud, process, id)
    }

    async fn standing(process: &Process, id: JobId) -> Standing {
        process.app.settlement().standing(id, process.app.now()).await.expect("a read").expect("a job")
    }

    #[tokio::test]
    async fn a_batch_that_is_given_up_fails_its_job() {
        let (cloud, process, id) = job().await;
        process.deliver(&cloud.outside().take_queued()[0]).await;
        let batches = cloud.outside().take_queued();
        handle(process.app.clone(), batches[0].delivery()).await.expect("done");
        let failed = standing(&process, id).await;
        assert_eq!(failed.status, State::Failed);
        let error = failed.error.expect("a cause");
        assert!(error.code == "GIVEN_UP" && error.message.starts_with("batch 2026-11-19#"), "{error:?}");
        // The others have nothing left to do.
        for batch in &batches {
            process.deliver(batch).await;
        }
        assert_eq!((standing(&process, id).await.processed, cloud.outside().files().len()), (0, 0));
    }

    #[tokio::test]
    async fn a_message_of_an_earlier_run_changes_nothing() {
        let (cloud, process, id) = job().await;
        let plan = cloud.outside().take_queued()[0].delivery();
        handle(process.app.clone(), plan.clone()).await.expect("done");
        process.app.settlement().retry(id, process.app.now()).await.expect("tried again");
        handle(process.app.clone(), plan.clone()).await.expect("done");
        assert_eq!(standing(&process, id).await.status, State::Queued);
        cloud.deliver_all(&process).await;
        handle(process.app.clone(), plan).await.expect("done");
        assert_eq!(standing(&process, id).await.status, State::Completed);
    }

    #[tokio::test]
    async fn a_message_that_nobody_can_read_is_dropped() {
        let cloud = Cloud::start().await;
        for body in ["", "not json", r#"{"kind":"sweep"}"#] {
            handle(cloud.process().app, delivery(body)).await.expect(body);
        }
    }

    #[tokio::test]
    async fn the_sample_is_about_a_job_that_is_not_there_and_makes_none() {
        let cloud = Cloud::start().await;
        handle(cloud.process().app, sample_message("settlement-give-up")).await.expect("nothing to do again");
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
    }
}
