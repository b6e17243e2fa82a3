//! `POST /scheduler/jobs/{id}/run`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Runs a job now, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::task_id(&request)?;
    let key = http::idempotency_key(&request)?;
    let run = app.schedules().run_now(id, key.as_ref(), app.now()).await?;
    Ok(Reply::accepted(&format!("/scheduler/jobs/{id}/runs"), &run))
}

#[cfg(test)]
mod tests {
    use once::{
        cursor::DEFAULT_LIMIT,
        schedule::{Left, RunView, TaskId},
        testing::{Answer, Call, Cloud, Fault, Process, sample},
    };
    use serde_json::json;

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";

    /// At noon, a job without a schedule.
    async fn job() -> (Cloud, Process, TaskId) {
        let cloud = Cloud::start().await;
        let process = cloud.process().at(NOON.parse().expect("a time"));
        let id = process.task().await;
        (cloud, process, id)
    }

    fn run(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/run"))
    }

    fn click(id: TaskId) -> Call {
        run(id).header("idempotency-key", "click")
    }

    async fn runs(process: &Process, id: TaskId) -> Vec<RunView> {
        process.app.schedules().runs(id, DEFAULT_LIMIT, None, process.app.now()).await.expect("a page").runs
    }

    #[tokio::test]
    async fn a_run_is_accepted_and_done_when_its_message_comes() {
        let (cloud, process, id) = job().await;
        let answer = run(id).to(&process, handle).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(answer.headers["location"], format!("/scheduler/jobs/{id}/runs"));
        let run_id = answer.body["run_id"].clone();
        assert_eq!(answer.body, json!({"run_id": run_id, "due_at": NOON, "state": "QUEUED"}));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(message.delay_seconds, 0);
        assert_eq!(process.fire(message).await.expect("done"), Left::Completed);
        let [run] = &runs(&process, id).await[..] else { panic!("one run") };
        assert_eq!((json!(run.run_id), json!(run.state)), (run_id, json!("COMPLETED")));
    }

    #[tokio::test]
    async fn a_paused_job_can_be_run_and_stays_paused() {
        let (cloud, process, id) = job().await;
        process.app.schedules().pause(id, None, process.app.now()).await.expect("paused");
        let before = process.standing(id).await;
        assert_eq!(run(id).to(&process, handle).await.status, 202);
        assert_eq!(process.fire(&cloud.take_occurrences()[0]).await.expect("done"), Left::Completed);
        assert_eq!(process.standing(id).await, before);
    }

    #[tokio::test]
    async fn a_second_click_with_the_same_key_runs_it_once() {
        let (cloud, process, id) = job().await;
        let first = click(id).to(&process, handle).await;
        let later = process.at("2026-11-20T12:00:05Z".parse().expect("a time"));
        let second = click(id).to(&later, handle).await;
        assert_eq!((second.status, second.body), (202, first.body));
        let queued = cloud.take_occurrences();
        assert_eq!(later.fire(&queued[0]).await.expect("done"), Left::Completed);
        for message in &queued[1..] {
            assert_eq!(later.fire(message).await.expect("done"), Left::Before);
        }
        assert_eq!(runs(&later, id).await.len(), 1);
        assert_eq!(cloud.outside().take_queued().len(), 1, "one settlement was begun");
    }

    #[tokio::test]
    async fn a_key_is_of_one_job() {
        let (_cloud, process, id) = job().await;
        let other = process.task().await;
        let (one, another) = (click(id).to(&process, handle).await, click(other).to(&process, handle).await);
        assert_ne!(one.body["run_id"], another.body["run_id"]);
    }

    #[tokio::test]
    async fn without_a_key_each_request_is_a_run() {
        let (cloud, process, id) = job().await;
        let (one, another) = (run(id).to(&process, handle).await, run(id).to(&process, handle).await);
        assert_ne!(one.body["run_id"], another.body["run_id"]);
        for message in cloud.take_occurrences() {
            assert_eq!(process.fire(&message).await.expect("done"), Left::Completed);
        }
        assert_eq!(runs(&process, id).await.len(), 2);
    }

    #[tokio::test]
    async fn a_run_whose_message_is_not_sent_is_not_accepted_and_the_same_request_sends_it() {
        let (cloud, process, id) = job().await;
        // The first two calls read the job and remember the key.
        for call in 3..=5 {
            process.wire.fail_at(call, Fault::Refuse);
        }
        let failed = click(id).to(&process, handle).await;
        assert_eq!((failed.status, failed.code()), (503, "STORE_UNAVAILABLE"));
        let later = process.at("2026-11-20T12:00:05Z".parse().expect("a time"));
        let again = click(id).to(&later, handle).await;
        assert_eq!((again.status, &again.body["due_at"]), (202, &json!(NOON)));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(later.fire(message).await.expect("done"), Left::Completed);
    }

    #[tokio::test]
    async fn a_run_whose_replies_were_lost_is_done_once() {
        let (cloud, process, id) = job().await;
        for call in [2, 4] {
            process.wire.fail_at(call, Fault::LoseReply);
        }
        assert_eq!(click(id).to(&process, handle).await.status, 202);
        let queued = cloud.take_occurrences();
        assert_eq!(queued.len(), 2, "it was sent again");
        assert_eq!(process.fire(&queued[0]).await.expect("done"), Left::Completed);
        assert_eq!(process.fire(&queued[1]).await.expect("done"), Left::Before);
    }

    #[tokio::test]
    async fn bad_input_is_refused_by_name_and_runs_nothing() {
        let (cloud, process, id) = job().await;
        for key in ["", "a b", &"k".repeat(256)] {
            let answer = run(id).header("idempotency-key", key).to(&process, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "Idempotency-Key"), "{key:?}");
        }
        for id in ["7", "task_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = run(id).to(&process, handle).await;
            assert_eq!((answer.status, answer.code(), answer.field()), (400, "INVALID_REQUEST", "id"), "{id}");
        }
        assert!(cloud.outside().take_queued().is_empty());
    }

    #[tokio::test]
    async fn the_sample_runs_nothing_where_there_is_no_job() {
        let cloud = Cloud::start().await;
        let answer = Answer::from(http::handle("task-run", &cloud.process().app, sample("task-run"), handle).await);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
        assert!(cloud.outside().take_queued().is_empty());
    }
}
