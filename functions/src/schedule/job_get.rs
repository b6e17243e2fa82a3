//! `GET /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// A job with its next times.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let job = app
        .schedules()
        .job(id, app.now())
        .await?
        .ok_or_else(|| ApiError::scheduled_job_not_found(id))?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Instance, sample};
    use serde_json::{Value, json};

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";

    async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at(NOON.parse().expect("a time"));
        (cloud, instance)
    }

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs/{id}")).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_job_without_a_schedule_has_no_next_times() {
        let (_cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        let answer = get(&instance, id).await;
        assert_eq!(
            (answer.status, &answer.headers["etag"]),
            (200, &"\"1\"".parse().expect("ascii"))
        );
        assert_eq!(
            answer.body,
            json!({
                "id": id, "name": "Settle yesterday", "action": {"type": "settlement", "range": "yesterday"},
                "schedule": null, "state": "UNSCHEDULED", "version": 1, "next_runs": [], "created_at": NOON, "updated_at": NOON,
            })
        );
    }

    #[tokio::test]
    async fn a_scheduled_job_tells_its_next_five_times() {
        let (_cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        instance
            .schedule(
                id,
                json!({"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"}),
            )
            .await;
        let answer = get(&instance, id).await;
        assert_eq!(answer.headers["etag"], "\"2\"");
        assert_eq!(answer.body["state"], "ACTIVE");
        let times: Vec<String> =
            (21..=25).map(|day| format!("2026-11-{day}T01:30:00.000Z")).collect();
        assert_eq!(answer.body["next_runs"], json!(times));
        assert_eq!(
            answer.body["schedule"],
            json!({
                "type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin",
                "dst": {"gap": "after", "overlap": "first"}, "start_at": NOON, "misfire": "fire_once", "overlap": "skip",
            })
        );
    }

    #[tokio::test]
    async fn a_job_after_its_last_time_has_ended() {
        let (_cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        let schedule =
            json!({"type": "fixed", "every_seconds": 60, "end_at": "2026-11-20T12:02:30Z"});
        instance.schedule(id, schedule).await;
        let times = |answer: &Answer| answer.body["next_runs"].clone();
        let answer = get(&instance, id).await;
        assert_eq!(times(&answer), json!(["2026-11-20T12:01:00.000Z", "2026-11-20T12:02:00.000Z"]));
        let answer = get(&instance.at("2026-11-20T12:02:00Z".parse().expect("a time")), id).await;
        assert_eq!((times(&answer), &answer.body["state"]), (json!([]), &json!("ENDED")));
    }

    #[tokio::test]
    async fn a_paused_job_has_no_next_times() {
        let (_cloud, instance) = noon().await;
        let id = instance.scheduled_job().await;
        instance.schedule(id, json!({"type": "fixed", "every_seconds": 60})).await;
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        let answer = get(&instance, id).await;
        assert_eq!(
            (&answer.body["state"], &answer.body["next_runs"]),
            (&json!("PAUSED"), &json!([]))
        );
        assert_ne!(answer.body["schedule"], Value::Null, "it keeps its schedule");
    }

    #[tokio::test]
    async fn the_sample_asks_for_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("settlement-get")).await.expect_err("no job");
        let id = "scheduled_job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(refused, ApiError::scheduled_job_not_found(id));
        let answer = get(&cloud.instance(), id).await;
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in [
            "7",
            "scheduled_job_",
            "scheduled_job_7",
            "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
            "scheduled_job_0199A3C4-5E6F-7A8B-9C0D-1E2F3A4B5C6D",
            "scheduled_job_0199a3c45e6f7a8b9c0d1e2f3a4b5c6d",
            "SCHEDULED_JOB_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d",
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
