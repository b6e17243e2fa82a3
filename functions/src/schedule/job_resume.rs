//! `POST /scheduler/jobs/{id}/resume`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Resumes a job. Occurrences that were due while it was paused do not run.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().resume(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{RunOutcome, ScheduledJobId},
        testing::{Call, Cloud, Fault, Instance, QueuedMessage},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at, every, noon,
    };

    /// A job of every ten seconds that was created at noon and paused at once, its messages, and an
    /// instance 35 s later.
    async fn paused() -> (Cloud, Instance, ScheduledJobId, Vec<QueuedMessage>) {
        let (cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        instance.set_schedule(id, every(10)).await;
        let queued = cloud.take_occurrences();
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        (cloud, at(&instance, "12:00:35"), id, queued)
    }

    fn resume(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/resume"))
    }

    #[tokio::test]
    async fn a_resumed_job_continues_with_the_next_occurrence_of_its_schedule() {
        let (cloud, instance, id, _) = paused().await;
        let answer = resume(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"4\"".as_slice()));
        assert_eq!(answer.body["state"], "ACTIVE");
        assert_eq!(answer.body["next_runs"][0], "2026-11-20T12:00:40.000Z");
        assert_eq!(json!(instance.job_view(id).await), answer.body);
        let due = |message: &QueuedMessage| {
            serde_json::from_str::<Value>(&message.body).expect("JSON")["due_at"].clone()
        };
        let queued = cloud.take_occurrences();
        assert_eq!(
            (queued.len(), queued[0].delay_seconds),
            (8, 5),
            "due until the end of the next minute"
        );
        assert_eq!(due(&queued[0]), "2026-11-20T12:00:40.000Z");
    }

    #[tokio::test]
    async fn occurrences_queued_before_the_pause_stay_revoked() {
        let (cloud, instance, id, old) = paused().await;
        resume(id).to(&instance, handle).await;
        let new = cloud.take_occurrences();
        for message in &old {
            assert_eq!(
                instance.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::Revoked
            );
        }
        assert_eq!(
            instance.deliver_occurrence(&new[0]).await.expect("consumed"),
            RunOutcome::Completed
        );
    }

    #[tokio::test]
    async fn a_second_resumption_changes_and_sends_nothing() {
        let (cloud, instance, id, _) = paused().await;
        let first = resume(id).to(&instance, handle).await;
        let _ = cloud.take_occurrences();
        let second = resume(id).to(&instance, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_resumption_whose_reply_was_lost_is_applied_once() {
        let (cloud, instance, id, _) = paused().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = resume(id).header("if-match", "\"3\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(4)));
        assert_eq!(cloud.take_occurrences().len(), 8);
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_is_resumed() {
        let (cloud, instance, id, _) = paused().await;
        let before = instance.job_view(id).await;
        let stale = resume(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = resume(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.job_view(id).await, before);
        assert!(cloud.services().take_queued().is_empty());
        for (tag, version) in [("\"3\"", 4), ("*", 4), ("\"4\"", 4)] {
            let answer = resume(id).header("if-match", tag).to(&instance, handle).await;
            assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{tag}");
        }
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| resume(id), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-resume", handle).await;
    }
}
