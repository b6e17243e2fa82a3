//! `GET /jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Returns a settlement with its progress.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let job = app.settlement().job_status(id, app.now()).await?;
    job.map(|job| Reply::ok(&job)).ok_or_else(|| ApiError::job_not_found(id))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use once::{
        settlement::JobId,
        testing::{Answer, Call, Cloud, Instance, sample},
        time::Timestamp,
    };
    use serde_json::json;

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00Z";

    /// A settlement, requested at noon, whose three transactions are three batches.
    async fn queued() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = 1).at(noon());
        let id = instance.create_settlement("2026-11-18", "2026-11-19").await;
        (cloud, instance, id)
    }

    fn noon() -> Timestamp {
        NOON.parse().expect("a time")
    }

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("GET", &format!("/jobs/{id}")).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_queued_settlement_has_no_total_yet() {
        let (_cloud, instance, id) = queued().await;
        let answer = get(&instance, id).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            json!({
                "job_id": id, "status": "QUEUED",
                "from": "2026-11-18", "to": "2026-11-19", "cutoff": noon(),
                "progress": 0.0, "processed": 0, "total": null,
                "created_at": noon(), "updated_at": noon(),
            })
        );
    }

    #[tokio::test]
    async fn a_running_settlement_has_a_progress_a_rate_and_a_remaining_time() {
        let (cloud, instance, id) = queued().await;
        let plan = cloud.services().take_queued().pop().expect("a plan");
        instance.deliver(&plan).await;
        let planned = get(&instance, id).await.body;
        assert_eq!((&planned["status"], &planned["progress"]), (&json!("RUNNING"), &json!(0.0)));
        assert_eq!((&planned["processed"], &planned["total"]), (&json!(0), &json!(3)));
        assert!(planned.get("eta_seconds").is_none(), "no rate is known yet: {planned}");

        let batches = cloud.services().take_queued();
        assert_eq!(batches.len(), 3);
        instance.deliver(&batches[0]).await;
        let running = get(&instance.at(noon().plus(Duration::from_secs(10))), id).await.body;
        assert_eq!((&running["status"], &running["progress"]), (&json!("RUNNING"), &json!(33.3)));
        assert_eq!((&running["processed"], &running["total"]), (&json!(1), &json!(3)));
        assert_eq!(running["rate_per_second"], 0.1, "one in 10 s");
        // The plan was ready shortly after noon.
        assert!(
            running["eta_seconds"].as_u64().is_some_and(|eta| (15..=20).contains(&eta)),
            "{running}"
        );

        for batch in &batches[1..] {
            instance.deliver(batch).await;
        }
        let finishing = get(&instance, id).await.body;
        assert_eq!(
            (&finishing["status"], &finishing["progress"]),
            (&json!("FINISHING"), &json!(100.0))
        );
        assert!(finishing.get("download_url").is_none(), "{finishing}");
    }

    #[tokio::test]
    async fn a_completed_settlement_has_the_path_of_its_file() {
        let (cloud, instance, id) = queued().await;
        cloud.deliver_all(&instance).await;
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("COMPLETED"), &json!(100.0)));
        assert_eq!((&body["processed"], &body["total"]), (&json!(3), &json!(3)));
        assert_eq!(body["download_url"], format!("/downloads/{id}.csv"));
        assert!(body.get("eta_seconds").is_none() && body.get("error").is_none(), "{body}");
    }

    #[tokio::test]
    async fn a_settlement_of_days_without_transactions_completes() {
        let (cloud, instance, _) = queued().await;
        let empty = instance.create_settlement("2026-11-01", "2026-11-02").await;
        cloud.deliver_all(&instance).await;
        let body = get(&instance, empty).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("COMPLETED"), &json!(100.0)));
        assert_eq!((&body["processed"], &body["total"]), (&json!(0), &json!(0)));
    }

    #[tokio::test]
    async fn a_cancelled_settlement_keeps_its_progress() {
        let (cloud, instance, id) = queued().await;
        let plan = cloud.services().take_queued().pop().expect("a plan");
        instance.deliver(&plan).await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        instance.app.settlement().cancel(id, noon()).await.expect("cancelled");
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("CANCELLED"), &json!(33.3)));
        assert!(body.get("download_url").is_none() && body.get("eta_seconds").is_none(), "{body}");
    }

    #[tokio::test]
    async fn a_failed_settlement_has_its_cause() {
        let (cloud, instance, id) = queued().await;
        instance.handle_dead_letter(&cloud.services().take_queued()[0]).await;
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("FAILED"), &json!(0.0)));
        let message = "the plan failed in every attempt: see the log for the causes";
        assert_eq!(body["error"], json!({"code": "GIVEN_UP", "message": message}));
    }

    #[tokio::test]
    async fn the_sample_names_a_settlement_that_does_not_exist() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("settlement-get")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(error, ApiError::job_not_found(id));
        let answer = get(&cloud.instance(), id).await;
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn an_invalid_id_is_rejected() {
        let cloud = Cloud::start().await;
        for id in [
            "7",
            "job_",
            "job_7",
            "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "job_0199A3C4-5E6F-7A8B-9C0D-1E2F3A4B5C6D",
            "job_0199a3c45e6f7a8b9c0d1e2f3a4b5c6d",
            "JOB_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d.csv",
        ] {
            let answer = get(&cloud.instance(), id).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }
}
