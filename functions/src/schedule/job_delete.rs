//! `DELETE /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Deletes a job. What is queued of it does not start.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    app.schedules().delete(id, version).await?;
    Ok(Reply::no_content())
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::RunOutcome,
        testing::{Answer, Call, Cloud, Fault, SETTLEMENTS_TABLE, job_with_schedule},
    };
    use serde_json::json;

    use super::*;

    fn delete(id: impl std::fmt::Display) -> Call {
        Call::new("DELETE", &format!("/scheduler/jobs/{id}"))
    }

    #[tokio::test]
    async fn a_job_is_gone_and_what_was_queued_does_not_start() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        let answer = delete(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.body), (204, json!(null)));
        assert!(instance.view(id).await.is_none());
        for message in &queued {
            assert_eq!(instance.fire(message).await.expect("done"), RunOutcome::Unwanted);
        }
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
        let later = instance.at("2026-11-20T12:01:00Z".parse().expect("a time"));
        assert_eq!(later.app.schedules().tick(later.app.now()).await.expect("a tick").jobs, 0);
        let again = delete(id).to(&instance, handle).await;
        assert_eq!((again.status, again.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn another_job_is_left_alone() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let other = instance.scheduled_job().await;
        delete(id).to(&instance, handle).await;
        assert!(instance.view(other).await.is_some());
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_is_deleted() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.view(id).await;
        for stale in ["\"1\"", "\"3\""] {
            let answer = delete(id).header("if-match", stale).to(&instance, handle).await;
            assert_eq!((answer.status, answer.code()), (412, "VERSION_CHANGED"), "{stale}");
        }
        for garbage in ["", "2", "\"two\""] {
            let answer = delete(id).header("if-match", garbage).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "If-Match"), "{garbage}");
        }
        assert_eq!(instance.view(id).await, before);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 204);
        let any = instance.scheduled_job().await;
        assert_eq!(delete(any).header("if-match", "*").to(&instance, handle).await.status, 204);
    }

    #[tokio::test]
    async fn a_deletion_whose_reply_was_lost_is_no_failure() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 204);
        assert!(instance.view(id).await.is_none());
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
    async fn the_sample_deletes_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let response =
            Call::sample("scheduled-job-delete").response(&cloud.instance(), handle).await;
        let answer = Answer::from(response);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }
}
