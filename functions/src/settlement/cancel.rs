//! `POST /jobs/{id}/cancel`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};
use serde::Serialize;

/// Response body.
#[derive(Debug, Serialize)]
struct Confirmation {
    message: &'static str,
}

/// Cancels a settlement. A repeat receives the same response.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    app.settlement().cancel(http::path_parameter(&request, "id")?, app.now()).await?;
    Ok(Reply::ok(&Confirmation { message: "Job cancellation requested" }))
}

#[cfg(test)]
mod tests {
    use once::{
        settlement::{JobId, State},
        testing::{Answer, Call, Cloud, Instance, sample},
    };
    use serde_json::json;

    use super::*;

    /// A settlement whose three transactions are three batches.
    async fn queued() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = 1);
        let instance = instance.at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        (cloud, instance, id)
    }

    async fn cancel(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("POST", &format!("/jobs/{id}/cancel")).to(instance, handle).await
    }

    async fn state(instance: &Instance, id: JobId) -> (State, u64) {
        let job_status = instance
            .app
            .settlement()
            .job_status(id, instance.app.now())
            .await
            .expect("a read")
            .expect("a job");
        (job_status.status, job_status.processed)
    }

    fn assert_not_cancellable(answer: &Answer, state: &str) {
        assert_eq!((answer.status, answer.code()), (409, "JOB_NOT_CANCELLABLE"));
        let message = format!("The job is {state}: it can no longer be cancelled");
        assert_eq!(answer.body["error"]["message"], message);
    }

    #[tokio::test]
    async fn a_queued_settlement_is_never_planned() {
        let (cloud, instance, id) = queued().await;
        let first = cancel(&instance, id).await;
        assert_eq!(
            (first.status, &first.body),
            (200, &json!({"message": "Job cancellation requested"}))
        );
        let second = cancel(&instance, id).await;
        assert_eq!((second.status, second.body), (200, first.body));
        cloud.deliver_all(&instance).await;
        assert_eq!(state(&instance, id).await, (State::Cancelled, 0));
        assert!(cloud.services().files().is_empty());
    }

    #[tokio::test]
    async fn a_running_settlement_sums_no_further_batch() {
        let (cloud, instance, id) = queued().await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        let batches = cloud.services().take_queued();
        instance.deliver(&batches[0]).await;
        assert_eq!(cancel(&instance, id).await.status, 200);
        for batch in &batches {
            instance.deliver(batch).await;
        }
        assert_eq!(state(&instance, id).await, (State::Cancelled, 1));
        assert!(cloud.services().take_queued().is_empty(), "there is nothing to finish");
    }

    #[tokio::test]
    async fn a_settlement_that_is_being_finished_or_has_ended_cannot_be_cancelled() {
        let (cloud, instance, id) = queued().await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        for batch in cloud.services().take_queued() {
            instance.deliver(&batch).await;
        }
        assert_not_cancellable(&cancel(&instance, id).await, "FINISHING");
        cloud.deliver_all(&instance).await;
        assert_not_cancellable(&cancel(&instance, id).await, "COMPLETED");
        assert_eq!(state(&instance, id).await, (State::Completed, 3));

        let failed = instance.create_settlement("2026-11-18", "2026-11-19").await;
        instance.handle_dead_letter(&cloud.services().take_queued()[0]).await;
        assert_not_cancellable(&cancel(&instance, failed).await, "FAILED");
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("settlement-cancel")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(error, ApiError::job_not_found(id));
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let cloud = Cloud::start().await;
        let answer = cancel(&cloud.instance(), "job_7").await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"));
    }
}
