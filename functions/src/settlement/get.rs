//! `GET /jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// A job with its progress.
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

    /// At noon, a job whose three transactions are three batches.
    async fn job() -> (Cloud, Instance, JobId) {
        let cloud = Cloud::start().await;
        cloud.sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = 1).at(noon());
        let id = instance.job("2026-11-18", "2026-11-19").await;
        (cloud, instance, id)
    }

    fn noon() -> Timestamp {
        NOON.parse().expect("a time")
    }

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("GET", &format!("/jobs/{id}")).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_queued_job_has_no_total_yet() {
        let (_cloud, instance, id) = job().await;
        let answer = get(&instance, id).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.body,
            json!({
                "job_id": id, "status": "QUEUED", "from": "2026-11-18", "to": "2026-11-19", "cutoff": noon(),
                "progress": 0.0, "processed": 0, "total": null, "created_at": noon(), "updated_at": noon(),
            })
        );
    }

    #[tokio::test]
    async fn a_running_job_tells_how_far_it_is_and_how_long_it_goes_on() {
        let (cloud, instance, id) = job().await;
        let plan = cloud.services().take_queued().pop().expect("a plan");
        instance.deliver(&plan).await;
        let planned = get(&instance, id).await.body;
        assert_eq!((&planned["status"], &planned["progress"]), (&json!("RUNNING"), &json!(0.0)));
        assert_eq!((&planned["processed"], &planned["total"]), (&json!(0), &json!(3)));
        assert!(planned.get("eta_seconds").is_none(), "nothing is known yet: {planned}");

        let batches = cloud.services().take_queued();
        assert_eq!(batches.len(), 3);
        instance.deliver(&batches[0]).await;
        let running = get(&instance.at(noon().plus(Duration::from_secs(10))), id).await.body;
        assert_eq!((&running["status"], &running["progress"]), (&json!("RUNNING"), &json!(33.3)));
        assert_eq!((&running["processed"], &running["total"]), (&json!(1), &json!(3)));
        assert_eq!(running["rate_per_second"], 0.1, "one in 10 s");
        // The plan was ready a moment after noon.
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
    async fn a_completed_job_tells_where_its_file_is() {
        let (cloud, instance, id) = job().await;
        cloud.deliver_all(&instance).await;
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("COMPLETED"), &json!(100.0)));
        assert_eq!((&body["processed"], &body["total"]), (&json!(3), &json!(3)));
        assert_eq!(body["download_url"], format!("/downloads/{id}.csv"));
        assert!(body.get("eta_seconds").is_none() && body.get("error").is_none(), "{body}");
    }

    #[tokio::test]
    async fn a_job_of_days_without_transactions_is_completed_all_the_same() {
        let (cloud, instance, _) = job().await;
        let empty = instance.job("2026-11-01", "2026-11-02").await;
        cloud.deliver_all(&instance).await;
        let body = get(&instance, empty).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("COMPLETED"), &json!(100.0)));
        assert_eq!((&body["processed"], &body["total"]), (&json!(0), &json!(0)));
    }

    #[tokio::test]
    async fn a_cancelled_job_keeps_the_progress_it_had() {
        let (cloud, instance, id) = job().await;
        let plan = cloud.services().take_queued().pop().expect("a plan");
        instance.deliver(&plan).await;
        instance.deliver(&cloud.services().take_queued()[0]).await;
        instance.app.settlement().cancel(id, noon()).await.expect("cancelled");
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("CANCELLED"), &json!(33.3)));
        assert!(body.get("download_url").is_none() && body.get("eta_seconds").is_none(), "{body}");
    }

    #[tokio::test]
    async fn a_failed_job_tells_why() {
        let (cloud, instance, id) = job().await;
        instance.handle_dead_letter(&cloud.services().take_queued()[0]).await;
        let body = get(&instance, id).await.body;
        assert_eq!((&body["status"], &body["progress"]), (&json!("FAILED"), &json!(0.0)));
        let message = "the plan was given up after its last try; the log tells why each one failed";
        assert_eq!(body["error"], json!({"code": "GIVEN_UP", "message": message}));
    }

    #[tokio::test]
    async fn the_sample_asks_for_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("settlement-get")).await.expect_err("no job");
        let id = "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(refused, ApiError::job_not_found(id));
        let answer = get(&cloud.instance(), id).await;
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
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
