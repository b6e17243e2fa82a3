//! `POST /jobs/{id}/retry`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Starts another run of a failed settlement, from the beginning.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let job = app.settlement().retry(http::path_parameter(&request, "id")?, app.now()).await?;
    Ok(Reply::accepted(&format!("/jobs/{}", job.job_id), &job))
}

#[cfg(test)]
mod tests {
    use once::{
        settlement::{JobId, State},
        testing::{Answer, Call, Cloud, Instance, QueuedMessage, sample},
    };
    use serde_json::json;

    use super::*;

    /// A settlement of three transactions, and its plan message.
    async fn queued() -> (Cloud, Instance, JobId, QueuedMessage) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        let plan = cloud.services().take_queued().pop().expect("a plan");
        (cloud, instance, id, plan)
    }

    async fn retry(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("POST", &format!("/jobs/{id}/retry")).to(instance, handle).await
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

    fn assert_not_failed(answer: &Answer, state: &str) {
        assert_eq!((answer.status, answer.code()), (409, "JOB_NOT_FAILED"));
        let message = format!("The job is {state}: only a failed job can be retried");
        assert_eq!(answer.body["error"]["message"], message);
    }

    #[tokio::test]
    async fn a_failed_settlement_that_is_retried_twice_has_one_more_run_and_completes() {
        let (cloud, instance, id, plan) = queued().await;
        instance.handle_dead_letter(&plan).await;
        for _ in 0..2 {
            let answer = retry(&instance, id).await;
            assert_eq!(
                (answer.status, &answer.body),
                (202, &json!({"job_id": id, "status": "QUEUED"}))
            );
            assert_eq!(answer.headers["location"], format!("/jobs/{id}"));
        }
        // Both messages request the same run: its plan takes effect once.
        let again = cloud.services().take_queued();
        assert!(
            again.iter().all(|message| *message == again[0] && message.body != plan.body),
            "{again:?}"
        );
        // A late message of the first run is ignored.
        instance.deliver(&plan).await;
        assert_eq!(state(&instance, id).await, (State::Queued, 0));
        for message in &again {
            instance.deliver(message).await;
        }
        cloud.deliver_all(&instance).await;
        assert_eq!(state(&instance, id).await, (State::Completed, 3));
        assert_not_failed(&retry(&instance, id).await, "COMPLETED");
    }

    #[tokio::test]
    async fn a_cancelled_settlement_is_not_retried() {
        let (cloud, instance, id, _) = queued().await;
        instance.app.settlement().cancel(id, instance.app.now()).await.expect("cancelled");
        assert_not_failed(&retry(&instance, id).await, "CANCELLED");
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("settlement-retry")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(error, ApiError::job_not_found(id));
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let cloud = Cloud::start().await;
        let answer = retry(&cloud.instance(), "job_7").await;
        assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"));
    }
}
