//! `DELETE /scheduler/jobs/{id}/schedule`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Takes a job's schedule away. What is queued of it does not start.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().unschedule(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::RunOutcome,
        testing::{Answer, Call, Cloud, Fault, job_with_schedule},
    };
    use serde_json::json;

    use super::*;

    fn delete(id: impl std::fmt::Display) -> Call {
        Call::new("DELETE", &format!("/scheduler/jobs/{id}/schedule"))
    }

    #[tokio::test]
    async fn a_job_without_its_schedule_waits_for_another_and_what_was_queued_does_not_start() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        let answer = delete(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"3\"".as_slice()));
        assert_eq!(
            (&answer.body["schedule"], &answer.body["state"]),
            (&json!(null), &json!("UNSCHEDULED"))
        );
        assert_eq!(answer.body["next_runs"], json!([]));
        assert_eq!(json!(instance.view(id).await), answer.body);
        for message in &queued {
            assert_eq!(instance.fire(message).await.expect("done"), RunOutcome::Unwanted);
        }
        let later = instance.at("2026-11-20T12:01:00Z".parse().expect("a time"));
        assert_eq!(later.app.schedules().tick(later.app.now()).await.expect("a tick").jobs, 0);
    }

    #[tokio::test]
    async fn a_deletion_whose_reply_was_lost_is_made_once() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = delete(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(3)));
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_loses_its_schedule() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.view(id).await;
        let stale = delete(id).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = delete(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.view(id).await, before);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 200);
        assert_eq!(delete(id).header("if-match", "*").to(&instance, handle).await.status, 200);
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = delete(id).to(&cloud.instance(), handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn the_sample_takes_nothing_away_where_there_is_no_job() {
        let cloud = Cloud::start().await;
        let response = Call::sample("schedule-delete").response(&cloud.instance(), handle).await;
        let answer = Answer::from(response);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }
}
