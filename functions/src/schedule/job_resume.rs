//! `POST /scheduler/jobs/{id}/resume`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Resumes a job. What it would have done meanwhile is not done.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let job = app.schedules().resume(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{RunOutcome, ScheduledJobId},
        testing::{Answer, Call, Cloud, Fault, Instance, Queued},
    };
    use serde_json::{Value, json};

    use super::*;

    /// A job of every ten seconds, made at noon and paused at once, its messages, and half past the minute.
    async fn paused() -> (Cloud, Instance, ScheduledJobId, Vec<Queued>) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = instance.scheduled_job().await;
        instance.schedule(id, json!({"type": "fixed", "every_seconds": 10})).await;
        let queued = cloud.take_occurrences();
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        (cloud, instance.at("2026-11-20T12:00:35Z".parse().expect("a time")), id, queued)
    }

    fn resume(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/resume"))
    }

    #[tokio::test]
    async fn a_resumed_job_goes_on_at_the_times_of_its_schedule_after_this_moment() {
        let (cloud, instance, id, _) = paused().await;
        let answer = resume(id).to(&instance, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"4\"".as_slice()));
        assert_eq!(answer.body["state"], "ACTIVE");
        assert_eq!(answer.body["next_runs"][0], "2026-11-20T12:00:40.000Z");
        assert_eq!(json!(instance.view(id).await), answer.body);
        let due = |message: &Queued| {
            serde_json::from_str::<Value>(&message.body).expect("JSON")["due_at"].clone()
        };
        let queued = cloud.take_occurrences();
        assert_eq!(
            (queued.len(), queued[0].delay_seconds),
            (8, 5),
            "until the end of the next minute"
        );
        assert_eq!(due(&queued[0]), "2026-11-20T12:00:40.000Z");
    }

    #[tokio::test]
    async fn what_was_queued_before_the_pause_stays_taken_back() {
        let (cloud, instance, id, old) = paused().await;
        resume(id).to(&instance, handle).await;
        let new = cloud.take_occurrences();
        for message in &old {
            assert_eq!(instance.fire(message).await.expect("done"), RunOutcome::Unwanted);
        }
        assert_eq!(instance.fire(&new[0]).await.expect("done"), RunOutcome::Completed);
    }

    #[tokio::test]
    async fn to_resume_it_twice_changes_and_sends_nothing() {
        let (cloud, instance, id, _) = paused().await;
        let first = resume(id).to(&instance, handle).await;
        let _ = cloud.take_occurrences();
        let second = resume(id).to(&instance, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_resumption_whose_reply_was_lost_is_made_once() {
        let (cloud, instance, id, _) = paused().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = resume(id).header("if-match", "\"3\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(4)));
        assert_eq!(cloud.take_occurrences().len(), 8);
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_is_resumed() {
        let (cloud, instance, id, _) = paused().await;
        let before = instance.view(id).await;
        let stale = resume(id).header("if-match", "\"2\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = resume(id).header("if-match", "now").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(instance.view(id).await, before);
        assert!(cloud.services().take_queued().is_empty());
        for (tag, version) in [("\"3\"", 4), ("*", 4), ("\"4\"", 4)] {
            let answer = resume(id).header("if-match", tag).to(&instance, handle).await;
            assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{tag}");
        }
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = resume(id).to(&cloud.instance(), handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
    }

    #[tokio::test]
    async fn the_sample_resumes_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let answer = Answer::from(
            Call::sample("scheduled-job-resume").response(&cloud.instance(), handle).await,
        );
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }
}
