//! `POST /scheduler/jobs/{id}/run`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Runs a job now, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let id = http::path_parameter(&request, "id")?;
    let key = http::idempotency_key(&request)?;
    let run = app.schedules().run_now(id, key.as_ref(), app.now()).await?;
    Ok(Reply::accepted(&format!("/scheduler/jobs/{id}/runs"), &run))
}

#[cfg(test)]
mod tests {
    use once::{
        cursor::DEFAULT_LIMIT,
        schedule::{RunOutcome, RunView, ScheduledJobId},
        testing::{Answer, Call, Cloud, Fault, Instance},
    };
    use serde_json::json;

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00.000Z";

    /// At noon, a job without a schedule.
    async fn job() -> (Cloud, Instance, ScheduledJobId) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at(NOON.parse().expect("a time"));
        let id = instance.scheduled_job().await;
        (cloud, instance, id)
    }

    fn run(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/run"))
    }

    fn click(id: ScheduledJobId) -> Call {
        run(id).header("idempotency-key", "click")
    }

    async fn runs(instance: &Instance, id: ScheduledJobId) -> Vec<RunView> {
        instance
            .app
            .schedules()
            .runs(id, DEFAULT_LIMIT, None, instance.app.now())
            .await
            .expect("a page")
            .runs
    }

    #[tokio::test]
    async fn a_run_is_accepted_and_done_when_its_message_comes() {
        let (cloud, instance, id) = job().await;
        let answer = run(id).to(&instance, handle).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(answer.headers["location"], format!("/scheduler/jobs/{id}/runs"));
        let run_id = answer.body["run_id"].clone();
        assert_eq!(answer.body, json!({"run_id": run_id, "due_at": NOON, "state": "QUEUED"}));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(message.delay_seconds, 0);
        assert_eq!(instance.fire(message).await.expect("done"), RunOutcome::Completed);
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        assert_eq!((json!(run.run_id), json!(run.state)), (run_id, json!("COMPLETED")));
    }

    #[tokio::test]
    async fn a_paused_job_can_be_run_and_stays_paused() {
        let (cloud, instance, id) = job().await;
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        let before = instance.view(id).await;
        assert_eq!(run(id).to(&instance, handle).await.status, 202);
        assert_eq!(
            instance.fire(&cloud.take_occurrences()[0]).await.expect("done"),
            RunOutcome::Completed
        );
        assert_eq!(instance.view(id).await, before);
    }

    #[tokio::test]
    async fn a_second_click_with_the_same_key_runs_it_once() {
        let (cloud, instance, id) = job().await;
        let first = click(id).to(&instance, handle).await;
        let later = instance.at("2026-11-20T12:00:05Z".parse().expect("a time"));
        let second = click(id).to(&later, handle).await;
        assert_eq!((second.status, second.body), (202, first.body));
        let queued = cloud.take_occurrences();
        assert_eq!(later.fire(&queued[0]).await.expect("done"), RunOutcome::Completed);
        for message in &queued[1..] {
            assert_eq!(later.fire(message).await.expect("done"), RunOutcome::Before);
        }
        assert_eq!(runs(&later, id).await.len(), 1);
        assert_eq!(cloud.services().take_queued().len(), 1, "one settlement was begun");
    }

    #[tokio::test]
    async fn a_key_is_of_one_job() {
        let (_cloud, instance, id) = job().await;
        let other = instance.scheduled_job().await;
        let (one, another) =
            (click(id).to(&instance, handle).await, click(other).to(&instance, handle).await);
        assert_ne!(one.body["run_id"], another.body["run_id"]);
    }

    #[tokio::test]
    async fn without_a_key_each_request_is_a_run() {
        let (cloud, instance, id) = job().await;
        let (one, another) =
            (run(id).to(&instance, handle).await, run(id).to(&instance, handle).await);
        assert_ne!(one.body["run_id"], another.body["run_id"]);
        for message in cloud.take_occurrences() {
            assert_eq!(instance.fire(&message).await.expect("done"), RunOutcome::Completed);
        }
        assert_eq!(runs(&instance, id).await.len(), 2);
    }

    #[tokio::test]
    async fn a_run_whose_message_is_not_sent_is_not_accepted_and_the_same_request_sends_it() {
        let (cloud, instance, id) = job().await;
        // The first two calls read the job and remember the key.
        for call in 3..=5 {
            instance.transport.fail_at(call, Fault::Refuse);
        }
        let failed = click(id).to(&instance, handle).await;
        assert_eq!((failed.status, failed.code()), (503, "STORE_UNAVAILABLE"));
        let later = instance.at("2026-11-20T12:00:05Z".parse().expect("a time"));
        let again = click(id).to(&later, handle).await;
        assert_eq!((again.status, &again.body["due_at"]), (202, &json!(NOON)));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(later.fire(message).await.expect("done"), RunOutcome::Completed);
    }

    #[tokio::test]
    async fn a_run_whose_replies_were_lost_is_done_once() {
        let (cloud, instance, id) = job().await;
        for call in [2, 4] {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        assert_eq!(click(id).to(&instance, handle).await.status, 202);
        let queued = cloud.take_occurrences();
        assert_eq!(queued.len(), 2, "it was sent again");
        assert_eq!(instance.fire(&queued[0]).await.expect("done"), RunOutcome::Completed);
        assert_eq!(instance.fire(&queued[1]).await.expect("done"), RunOutcome::Before);
    }

    #[tokio::test]
    async fn bad_input_is_refused_by_name_and_runs_nothing() {
        let (cloud, instance, id) = job().await;
        for key in ["", "a b", &"k".repeat(256)] {
            let answer = run(id).header("idempotency-key", key).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "Idempotency-Key"), "{key:?}");
        }
        for id in ["7", "scheduled_job_7", "job_0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d"] {
            let answer = run(id).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", "id"),
                "{id}"
            );
        }
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn the_sample_runs_nothing_where_there_is_no_job() {
        let cloud = Cloud::start().await;
        let answer = Answer::from(
            Call::sample("scheduled-job-run").response(&cloud.instance(), handle).await,
        );
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
        assert!(cloud.services().take_queued().is_empty());
    }
}
