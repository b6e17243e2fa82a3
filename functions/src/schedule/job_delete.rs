//! `DELETE /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Deletes a job. Its queued occurrences are revoked.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    app.schedules().delete(id, version).await?;
    Ok(Reply::no_content())
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

    fn delete(id: impl std::fmt::Display) -> Call {
        Call::new("DELETE", &format!("/scheduler/jobs/{id}"))
    }

    #[tokio::test]
    async fn a_job_is_deleted_and_its_queued_occurrences_are_revoked() {
        let (cloud, instance, id) = job_with_schedule().await;
        let queued = cloud.take_occurrences();
        let answer = delete(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.body), (204, json!(null)));
        assert!(instance.job_view(id).await.is_none());
        for message in &queued {
            assert_eq!(
                instance.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::Revoked
            );
        }
        assert!(cloud.items(SETTLEMENTS_TABLE).await.is_empty());
        let later = at(&instance, "12:01:00");
        assert_eq!(later.app.schedules().tick(later.app.now()).await.expect("a tick").jobs, 0);
        let repeated = delete(id).to(&instance, handle).await;
        assert_eq!((repeated.status, repeated.code()), (404, "JOB_NOT_FOUND"));
    }

    #[tokio::test]
    async fn other_jobs_are_not_deleted() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let other = instance.create_scheduled_job().await;
        delete(id).to(&instance, handle).await;
        assert!(instance.job_view(other).await.is_some());
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_is_deleted() {
        let (_cloud, instance, id) = job_with_schedule().await;
        let before = instance.job_view(id).await;
        for stale in ["\"1\"", "\"3\""] {
            let answer = delete(id).header("if-match", stale).to(&instance, handle).await;
            assert_eq!((answer.status, answer.code()), (412, "VERSION_CHANGED"), "{stale}");
        }
        for garbage in ["", "2", "\"two\""] {
            let answer = delete(id).header("if-match", garbage).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "If-Match"), "{garbage}");
        }
        assert_eq!(instance.job_view(id).await, before);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 204);
        let any = instance.create_scheduled_job().await;
        assert_eq!(delete(any).header("if-match", "*").to(&instance, handle).await.status, 204);
    }

    #[tokio::test]
    async fn a_deletion_whose_reply_was_lost_succeeds() {
        let (_cloud, instance, id) = job_with_schedule().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        assert_eq!(delete(id).header("if-match", "\"2\"").to(&instance, handle).await.status, 204);
        assert!(instance.job_view(id).await.is_none());
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| delete(id), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-delete", handle).await;
    }
}
