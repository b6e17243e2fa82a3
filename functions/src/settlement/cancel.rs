//! `POST /jobs/{id}/cancel`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};
use serde::Serialize;

/// What the caller is told.
#[derive(Debug, Serialize)]
struct Cancelled {
    message: &'static str,
}

/// Cancels a job; cancelled before, it is answered the same.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    app.settlement().cancel(http::path_parameter(&request, "id")?, app.now()).await?;
    Ok(Reply::ok(&Cancelled { message: "Job cancellation requested" }))
}

#[cfg(test)]
mod tests {
    use once::{
        settlement::{JobId, State},
        testing::{Answer, Call, Cloud, Instance, sample},
    };
    use serde_json::json;

    use super::*;

    /// A job whose three transactions are three batches.
    async fn job() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = 1);
        let instance = instance.at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.job("2026-11-18", "2026-11-19").await;
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

    fn is_too_late(answer: &Answer, state: &str) {
        assert_eq!((answer.status, answer.code()), (409, "JOB_NOT_CANCELLABLE"));
        let message = format!("The job is {state}: it can no longer be cancelled");
        assert_eq!(answer.body["error"]["message"], message);
    }

    #[tokio::test]
    async fn a_queued_job_is_never_planned() {
        let (cloud, instance, id) = job().await;
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
    async fn a_running_job_stops_where_it_is() {
        let (cloud, instance, id) = job().await;
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
    async fn what_is_being_finished_or_is_over_cannot_be_cancelled() {
        let (cloud, instance, id) = job().await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        for batch in cloud.services().take_queued() {
            instance.deliver(&batch).await;
        }
        is_too_late(&cancel(&instance, id).await, "FINISHING");
        cloud.deliver_all(&instance).await;
        is_too_late(&cancel(&instance, id).await, "COMPLETED");
        assert_eq!(state(&instance, id).await, (State::Completed, 3));

        let failed = instance.job("2026-11-18", "2026-11-19").await;
        instance.handle_dead_letter(&cloud.services().take_queued()[0]).await;
        is_too_late(&cancel(&instance, failed).await, "FAILED");
    }

    #[tokio::test]
    async fn the_sample_asks_for_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("settlement-cancel")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(refused, ApiError::job_not_found(id));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        let answer = cancel(&cloud.instance(), "job_7").await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"));
    }
}
