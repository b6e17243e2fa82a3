//! `DELETE /scheduler/jobs/{id}/schedule`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Removes the schedule of a job. Its queued occurrences are revoked.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().unschedule(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::RunOutcome,
        testing::{Call, Fault, job_with_schedule},
    };
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at,
    };

    fn delete(id: impl std::fmt::Display) -> Call {
        Call::new("DELETE", &format!("/scheduler/jobs/{id}/schedule"))
    }

    #[tokio::test]
    async fn a_job_loses_its_schedule_and_its_queued_occurrences_are_revoked() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        let answer = delete(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"3\"".as_slice()));
        assert_eq!(
            (&answer.body["schedule"], &answer.body["state"]),
            (&json!(null), &json!("UNSCHEDULED"))
        );
        assert_eq!(answer.body["next_runs"], json!([]));
        assert_eq!(json!(instance.job_view(id).await), answer.body);
        for message in &queued {
            assert_eq!(
                instance.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::Revoked
            );
        }
        let later = at(&instance, "12:01:00");
        assert_eq!(later.app.schedules().tick(later.app.now()).await.expect("a tick").jobs, 0);
    }

    #[tokio::test]
    async fn a_deletion_whose_reply_was_lost_is_applied_once() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = delete(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(3)));
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_loses_its_schedule() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.job_view(id).await;
        let stale = delete(id).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = delete(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.job_view(id).await, before);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 200);
        assert_eq!(delete(id).header("if-match", "*").to(&instance, handle).await.status, 200);
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| delete(id), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("schedule-delete", handle).await;
    }
}
