//! `GET /scheduler/jobs/{id}/schedule`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// The schedule of a job.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let job = app
        .schedules()
        .job(id, app.now())
        .await?
        .ok_or_else(|| ApiError::scheduled_job_not_found(id))?;
    let schedule = job.schedule.ok_or_else(|| ApiError::schedule_not_found(id))?;
    Ok(Reply::ok(&schedule).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Instance, sample};
    use serde_json::json;

    use super::*;

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        Call::new("GET", &format!("/scheduler/jobs/{id}/schedule")).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_schedule_tells_what_the_request_left_out() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00.750Z".parse().expect("a time"));
        let id = instance.scheduled_job().await;
        instance.schedule(id, json!({"type": "fixed", "every_seconds": 10})).await;
        let answer = get(&instance, id).await;
        assert_eq!(
            (answer.status, &answer.headers["etag"]),
            (200, &"\"2\"".parse().expect("ascii"))
        );
        assert_eq!(
            answer.body,
            json!({
                "type": "fixed", "every_seconds": 10, "start_at": "2026-11-20T12:00:10.000Z",
                "misfire": "fire_once", "overlap": "skip",
            })
        );
    }

    #[tokio::test]
    async fn a_job_without_one_has_none() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let answer = get(&instance, instance.scheduled_job().await).await;
        assert_eq!((answer.status, answer.code()), (404, "SCHEDULE_NOT_FOUND"));
    }

    #[tokio::test]
    async fn the_sample_asks_for_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("schedule-get")).await.expect_err("no job");
        let id = "scheduled_job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d".parse().expect("an id");
        assert_eq!(refused, ApiError::scheduled_job_not_found(id));
        let answer = get(&cloud.instance(), id).await;
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = get(&cloud.instance(), id).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }
}
