//! `POST /scheduler/jobs/{id}/run`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// Requests a run of a job, once per idempotency key.
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
        testing::{Call, Cloud, Fault, Instance},
    };
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{
        NOON, assert_bad_ids_are_rejected, assert_sample_job_is_not_found, at, noon,
    };

    /// A job without a schedule, at noon.
    async fn job() -> (Cloud, Instance, ScheduledJobId) {
        let (cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        (cloud, instance, id)
    }

    fn run(id: impl std::fmt::Display) -> Call {
        Call::new("POST", &format!("/scheduler/jobs/{id}/run"))
    }

    fn run_with_key(id: ScheduledJobId) -> Call {
        run(id).header("idempotency-key", "key")
    }

    async fn runs(instance: &Instance, id: ScheduledJobId) -> Vec<RunView> {
        instance
            .app
            .schedules()
            .runs(id, DEFAULT_LIMIT, None, instance.app.now())
            .await
            .expect("a page")
            .rows
    }

    #[tokio::test]
    async fn a_run_is_accepted_and_executed_when_its_message_is_delivered() {
        let (cloud, instance, id) = job().await;
        let answer = run(id).to(&instance, handle).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(answer.headers["location"], format!("/scheduler/jobs/{id}/runs"));
        let run_id = answer.body["run_id"].clone();
        assert_eq!(answer.body, json!({"run_id": run_id, "due_at": NOON, "state": "QUEUED"}));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(message.delay_seconds, 0);
        assert_eq!(
            instance.deliver_occurrence(message).await.expect("consumed"),
            RunOutcome::Completed
        );
        let [run] = &runs(&instance, id).await[..] else { panic!("one run") };
        assert_eq!((json!(run.run_id), json!(run.state)), (run_id, json!("COMPLETED")));
    }

    #[tokio::test]
    async fn a_paused_job_can_be_run_and_stays_paused() {
        let (cloud, instance, id) = job().await;
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        let before = instance.job_view(id).await;
        assert_eq!(run(id).to(&instance, handle).await.status, 202);
        assert_eq!(
            instance.deliver_occurrence(&cloud.take_occurrences()[0]).await.expect("consumed"),
            RunOutcome::Completed
        );
        assert_eq!(instance.job_view(id).await, before);
    }

    #[tokio::test]
    async fn repeats_with_the_same_key_run_it_once() {
        let (cloud, instance, id) = job().await;
        let first = run_with_key(id).to(&instance, handle).await;
        let later = at(&instance, "12:00:05");
        let second = run_with_key(id).to(&later, handle).await;
        assert_eq!((second.status, second.body), (202, first.body));
        let queued = cloud.take_occurrences();
        assert_eq!(
            later.deliver_occurrence(&queued[0]).await.expect("consumed"),
            RunOutcome::Completed
        );
        for message in &queued[1..] {
            assert_eq!(
                later.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::AlreadyFinished
            );
        }
        assert_eq!(runs(&later, id).await.len(), 1);
        assert_eq!(cloud.services().take_queued().len(), 1, "one settlement was started");
    }

    #[tokio::test]
    async fn a_key_belongs_to_one_job() {
        let (_cloud, instance, id) = job().await;
        let other = instance.create_scheduled_job().await;
        let (first, second) = (
            run_with_key(id).to(&instance, handle).await,
            run_with_key(other).to(&instance, handle).await,
        );
        assert_ne!(first.body["run_id"], second.body["run_id"]);
    }

    #[tokio::test]
    async fn without_a_key_each_request_is_a_run() {
        let (cloud, instance, id) = job().await;
        let (first, second) =
            (run(id).to(&instance, handle).await, run(id).to(&instance, handle).await);
        assert_ne!(first.body["run_id"], second.body["run_id"]);
        for message in cloud.take_occurrences() {
            assert_eq!(
                instance.deliver_occurrence(&message).await.expect("consumed"),
                RunOutcome::Completed
            );
        }
        assert_eq!(runs(&instance, id).await.len(), 2);
    }

    #[tokio::test]
    async fn a_run_whose_message_was_not_sent_is_not_accepted_until_a_repeat_sends_it() {
        let (cloud, instance, id) = job().await;
        // The first two calls read the job and record the key.
        for call in 3..=5 {
            instance.transport.fail_at(call, Fault::Refuse);
        }
        let failed = run_with_key(id).to(&instance, handle).await;
        assert_eq!((failed.status, failed.code()), (503, "OUTCOME_UNKNOWN"));
        let later = at(&instance, "12:00:05");
        let repeated = run_with_key(id).to(&later, handle).await;
        assert_eq!((repeated.status, &repeated.body["due_at"]), (202, &json!(NOON)));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(
            later.deliver_occurrence(message).await.expect("consumed"),
            RunOutcome::Completed
        );
    }

    #[tokio::test]
    async fn a_run_whose_replies_were_lost_is_executed_once() {
        let (cloud, instance, id) = job().await;
        for call in [2, 4] {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        assert_eq!(run_with_key(id).to(&instance, handle).await.status, 202);
        let queued = cloud.take_occurrences();
        assert_eq!(queued.len(), 2, "the message was sent twice");
        assert_eq!(
            instance.deliver_occurrence(&queued[0]).await.expect("consumed"),
            RunOutcome::Completed
        );
        assert_eq!(
            instance.deliver_occurrence(&queued[1]).await.expect("consumed"),
            RunOutcome::AlreadyFinished
        );
    }

    #[tokio::test]
    async fn bad_idempotency_keys_are_rejected_by_name() {
        let (cloud, instance, id) = job().await;
        for key in ["", "a b", &"k".repeat(256)] {
            let answer = run(id).header("idempotency-key", key).to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "Idempotency-Key"), "{key:?}");
        }
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| run(id), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-run", handle).await;
    }
}
