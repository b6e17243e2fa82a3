//! `POST /scheduler/jobs/{id}/resume`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Resumes a job. What it would have done meanwhile is not done.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::task_id(&request)?, http::if_match(&request)?);
    let job = app.schedules().resume(id, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{Left, TaskId},
        testing::{Answer, Call, Cloud, Fault, Process, Queued, sample},
    };
    use serde_json::{Value, json};

    use super::*;

    /// A job of every ten seconds, made at noon and paused at once, its messages, and half past the minute.
    async fn paused() -> (Cloud, Process, TaskId, Vec<Queued>) {
        let cloud = Cloud::start().await;
        let process = cloud.process().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        let id = process.task().await;
        process.schedule(id, json!({"type": "fixed", "every_seconds": 10})).await;
        let queued = cloud.take_occurrences();
        process.app.schedules().pause(id, None, process.app.now()).await.expect("paused");
        (cloud, process.at("2026-11-20T12:00:35Z".parse().expect("a time")), id, queued)
    }

    fn resume(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/resume"))
    }

    #[tokio::test]
    async fn a_resumed_job_goes_on_at_the_times_of_its_schedule_after_this_moment() {
        let (cloud, process, id, _) = paused().await;
        let answer = resume(id).to(&process, handle).await;
        assert_eq!((answer.status, answer.headers["etag"].as_bytes()), (200, b"\"4\"".as_slice()));
        assert_eq!(answer.body["state"], "ACTIVE");
        assert_eq!(answer.body["next_runs"][0], "2026-11-20T12:00:40.000Z");
        assert_eq!(json!(process.standing(id).await), answer.body);
        let due = |message: &Queued| serde_json::from_str::<Value>(&message.body).expect("JSON")["due_at"].clone();
        let queued = cloud.take_occurrences();
        assert_eq!((queued.len(), queued[0].delay_seconds), (8, 5), "until the end of the next minute");
        assert_eq!(due(&queued[0]), "2026-11-20T12:00:40.000Z");
    }

    #[tokio::test]
    async fn what_was_queued_before_the_pause_stays_taken_back() {
        let (cloud, process, id, old) = paused().await;
        resume(id).to(&process, handle).await;
        let new = cloud.take_occurrences();
        for message in &old {
            assert_eq!(process.fire(message).await.expect("done"), Left::Unwanted);
        }
        assert_eq!(process.fire(&new[0]).await.expect("done"), Left::Completed);
    }

    #[tokio::test]
    async fn to_resume_it_twice_changes_and_sends_nothing() {
        let (cloud, process, id, _) = paused().await;
        let first = resume(id).to(&process, handle).await;
        let _ = cloud.take_occurrences();
        let second = resume(id).to(&process, handle).await;
        assert_eq!((second.status, second.body), (200, first.body));
        assert!(cloud.outside().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_resumption_whose_reply_was_lost_is_made_once() {
        let (cloud, process, id, _) = paused().await;
        // The first call reads the job.
        process.wire.fail_at(2, Fault::LoseReply);
        let answer = resume(id).header("if-match", "\"3\"").to(&process, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(4)));
        assert_eq!(cloud.take_occurrences().len(), 8);
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_is_resumed() {
        let (cloud, process, id, _) = paused().await;
        let before = process.standing(id).await;
        let stale = resume(id).header("if-match", "\"2\"").to(&process, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = resume(id).header("if-match", "now").to(&process, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(process.standing(id).await, before);
        assert!(cloud.outside().take_queued().is_empty());
        for (tag, version) in [("\"3\"", 4), ("*", 4), ("\"4\"", 4)] {
            let answer = resume(id).header("if-match", tag).to(&process, handle).await;
            assert_eq!((answer.status, &answer.body["version"]), (200, &json!(version)), "{tag}");
        }
    }

    #[tokio::test]
    async fn a_bad_id_is_refused_by_name() {
        let cloud = Cloud::start().await;
        for id in ["7", "task_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = resume(id).to(&cloud.process(), handle).await;
            assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"), "{id}");
        }
    }

    #[tokio::test]
    async fn the_sample_resumes_a_job_that_is_not_there() {
        let cloud = Cloud::start().await;
        let answer =
            Answer::from(http::handle("task-resume", &cloud.process().app, sample("task-resume"), handle).await);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
    }
}
