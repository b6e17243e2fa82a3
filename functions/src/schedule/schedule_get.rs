//! `GET /scheduler/jobs/{id}/schedule`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Returns the schedule of a job.
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
    use once::testing::{Answer, Call, Cloud, Instance};
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at, every, noon,
    };

    fn call(id: impl std::fmt::Display) -> Call {
        Call::new("GET", &format!("/scheduler/jobs/{id}/schedule"))
    }

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        call(id).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_schedule_shows_the_defaults_of_omitted_members() {
        let cloud = Cloud::start().await;
        let instance = at(&cloud.instance(), "12:00:00.750");
        let id = instance.create_scheduled_job().await;
        instance.set_schedule(id, every(10)).await;
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
    async fn a_job_without_a_schedule_is_answered_with_404() {
        let (_cloud, instance) = noon().await;
        let answer = get(&instance, instance.create_scheduled_job().await).await;
        assert_eq!((answer.status, answer.code()), (404, "SCHEDULE_NOT_FOUND"));
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("schedule-get", handle).await;
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| call(id), handle).await;
    }
}
