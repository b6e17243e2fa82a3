//! `GET /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Returns a job with its next occurrences.
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
    use once::testing::{Answer, Call, Instance};
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{
        NOON, assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at, every, noon,
    };

    fn call(id: impl std::fmt::Display) -> Call {
        Call::new("GET", &format!("/scheduler/jobs/{id}"))
    }

    async fn get(instance: &Instance, id: impl std::fmt::Display) -> Answer {
        call(id).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_job_without_a_schedule_has_no_next_occurrences() {
        let (_cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        let answer = get(&instance, id).await;
        assert_eq!(
            (answer.status, &answer.headers["etag"]),
            (200, &"\"1\"".parse().expect("ascii"))
        );
        assert_eq!(
            answer.body,
            json!({
                "id": id, "name": "Settle yesterday",
                "action": {"type": "settlement", "range": "yesterday"}, "schedule": null,
                "state": "UNSCHEDULED", "version": 1, "next_runs": [], "created_at": NOON,
                "updated_at": NOON,
            })
        );
    }

    #[tokio::test]
    async fn a_job_shows_its_next_five_occurrences() {
        let (_cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        instance
            .set_schedule(
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
                "dst": {"gap": "after", "overlap": "first"}, "start_at": NOON,
                "misfire": "fire_once", "overlap": "skip",
            })
        );
    }

    #[tokio::test]
    async fn a_job_after_its_last_occurrence_has_ended() {
        let (_cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        let schedule =
            json!({"type": "fixed", "every_seconds": 60, "end_at": "2026-11-20T12:02:30Z"});
        instance.set_schedule(id, schedule).await;
        let times = |answer: &Answer| answer.body["next_runs"].clone();
        let answer = get(&instance, id).await;
        assert_eq!(times(&answer), json!(["2026-11-20T12:01:00.000Z", "2026-11-20T12:02:00.000Z"]));
        let answer = get(&at(&instance, "12:02:00"), id).await;
        assert_eq!((times(&answer), &answer.body["state"]), (json!([]), &json!("ENDED")));
    }

    #[tokio::test]
    async fn a_paused_job_has_no_next_occurrences() {
        let (_cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        instance.set_schedule(id, every(60)).await;
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        let answer = get(&instance, id).await;
        assert_eq!(
            (&answer.body["state"], &answer.body["next_runs"]),
            (&json!("PAUSED"), &json!([]))
        );
        assert_ne!(answer.body["schedule"], Value::Null, "it keeps its schedule");
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-get", handle).await;
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| call(id), handle).await;
    }
}
