//! `POST /scheduler/jobs/{id}/pause`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Pauses a job. Its queued occurrences are revoked.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().pause(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::RunOutcome,
        testing::{Call, Fault, SETTLEMENTS_TABLE, job_with_schedule},
    };
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at,
    };

    fn pause(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/pause"))
    }

    #[tokio::test]
    async fn a_paused_job_keeps_its_schedule_and_has_no_next_occurrences() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.job_view(id).await.expect("a job");
        let answer = pause(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"3\"".as_slice()));
        assert_eq!(
            (&answer.body["state"], &answer.body["next_runs"]),
            (&json!("PAUSED"), &json!([]))
        );
        assert_eq!(answer.body["schedule"], json!(before.schedule));
        assert_eq!(json!(instance.job_view(id).await), answer.body);
    }

    #[tokio::test]
    async fn queued_occurrences_are_revoked_and_no_tick_sends_more() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        assert_eq!(queued.len(), 11);
        pause(id).to(&instance, handle).await;
        let instance = at(&instance, "12:01:00");
        for message in &queued {
            assert_eq!(
                instance.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::Revoked
            );
        }
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
        assert_eq!(
            instance.app.schedules().tick(instance.app.now()).await.expect("a tick").jobs,
            0
        );
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_second_pause_changes_nothing() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let first = pause(id).to(&instance, handle).await;
        let later = at(&instance, "12:00:05");
        let second = pause(id).to(&later, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
    }

    #[tokio::test]
    async fn a_job_without_a_schedule_can_be_paused() {
        let (_cloud, instance, _) = job_with_schedule().await;
        let answer = pause(instance.create_scheduled_job().await).to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["state"]), (200, &json!("PAUSED")));
    }

    #[tokio::test]
    async fn a_pause_whose_reply_was_lost_is_applied_once() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = pause(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(3)));
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_is_paused() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.job_view(id).await;
        let stale = pause(id).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = pause(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.job_view(id).await, before);
        for (tag, version) in [("\"2\"", 3), ("*", 3), ("\"3\"", 3)] {
            let answer = pause(id).header("if-match", tag).to(&instance, handle).await;
            assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{tag}");
        }
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| pause(id), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-pause", handle).await;
    }
}
