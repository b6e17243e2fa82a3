//! `POST /scheduler/jobs/{id}/pause`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Pauses a job. What is queued of it does not start.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().pause(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::RunOutcome,
        testing::{Answer, Call, Cloud, Fault, SETTLEMENTS_TABLE, job_with_schedule},
    };
    use serde_json::json;

    use super::*;

    fn pause(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/pause"))
    }

    #[tokio::test]
    async fn a_paused_job_keeps_its_schedule_and_has_no_next_times() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.view(id).await.expect("a job");
        let answer = pause(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"3\"".as_slice()));
        assert_eq!(
            (&answer.body["state"], &answer.body["next_runs"]),
            (&json!("PAUSED"), &json!([]))
        );
        assert_eq!(answer.body["schedule"], json!(before.schedule));
        assert_eq!(json!(instance.view(id).await), answer.body);
    }

    #[tokio::test]
    async fn what_was_queued_does_not_start_and_no_tick_sends_more() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        assert_eq!(queued.len(), 11);
        pause(id).to(&instance, handle).await;
        let instance = instance.at("2026-11-20T12:01:00Z".parse().expect("a time"));
        for message in &queued {
            assert_eq!(instance.fire(message).await.expect("done"), RunOutcome::Unwanted);
        }
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
        assert_eq!(
            instance.app.schedules().tick(instance.app.now()).await.expect("a tick").jobs,
            0
        );
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn to_pause_it_twice_changes_nothing() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let first = pause(id).to(&instance, handle).await;
        let later = instance.at("2026-11-20T12:00:05Z".parse().expect("a time"));
        let second = pause(id).to(&later, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
    }

    #[tokio::test]
    async fn a_job_without_a_schedule_can_be_paused() {
        let (_cloud, instance, _) = job_with_schedule().await;
        let answer = pause(instance.scheduled_job().await).to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["state"]), (200, &json!("PAUSED")));
    }

    #[tokio::test]
    async fn a_pause_whose_reply_was_lost_is_made_once() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = pause(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(3)));
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_is_paused() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.view(id).await;
        let stale = pause(id).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = pause(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.view(id).await, before);
        for (tag, version) in [("\"2\"", 3), ("*", 3), ("\"3\"", 3)] {
            let answer = pause(id).header("if-match", tag).to(&instance, handle).await;
            assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{tag}");
        }
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = pause(id).to(&cloud.instance(), handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn the_sample_pauses_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let answer = Answer::from(
            Call::sample("scheduled-job-pause").response(&cloud.instance(), handle).await,
        );
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }
}
