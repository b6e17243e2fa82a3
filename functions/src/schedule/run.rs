//! The worker of the queue of occurrences.

use once::{App, schedule::RunError, sqs::Delivery};

/// Performs the action of one occurrence, unless another delivery does or did.
pub async fn handle(app: App, message: Delivery) -> Result<(), RunError> {
    app.schedules().run(&message, app.action_context(), app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, SCHEDULES_TABLE, delivery, sample_message};
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{at, every, noon};

    #[tokio::test]
    async fn a_message_that_cannot_be_read_fails() {
        let cloud = Cloud::start().await;
        let sample = sample_message("schedule-run").body;
        let with = |name: &str, value: Value| {
            let mut body: Value = serde_json::from_str(&sample).expect("JSON");
            body[name] = value;
            body.to_string()
        };
        for body in [
            "",
            "{}",
            "[]",
            r#"{"kind":"plan"}"#,
            &with("job", "scheduled_job_7".into()),
            &with("due_at", "now".into()),
            &with("run", Value::Null),
            &with("action", json!({})),
        ] {
            let failure = handle(cloud.instance().app, delivery(body)).await.expect_err(body);
            assert!(matches!(failure, RunError::Unreadable(_)), "{body}: {failure}");
        }
    }

    #[tokio::test]
    async fn a_message_that_is_delivered_twice_is_executed_once() {
        let (cloud, instance) = noon().await;
        instance.set_schedule(instance.create_scheduled_job().await, every(60)).await;
        let message = cloud.take_occurrences()[0].delivery();
        let due = at(&instance, "12:01:00");
        for _ in 0..2 {
            handle(due.app.clone(), message.clone()).await.expect("consumed");
        }
        let [plan] = &cloud.services().take_queued()[..] else { panic!("one settlement") };
        assert!(plan.queue.ends_with("/plans"), "{plan:?}");
    }

    #[tokio::test]
    async fn a_retryable_failure_postpones_the_message() {
        let (cloud, instance) = noon().await;
        // The deployment has no webhook secret.
        let action = json!({"type": "webhook", "url": "https://example.com/"});
        let id =
            instance.create_scheduled_job_from(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("requested");
        let message = cloud.take_occurrences()[0].delivery();
        let failure = handle(instance.app.clone(), message.clone()).await.expect_err("a failure");
        assert!(matches!(failure, RunError::AttemptFailed { .. }), "{failure}");
        let early = handle(instance.app.clone(), message).await.expect_err("too early");
        assert!(matches!(early, RunError::NotYet(_)), "{early}");
        let [(_, first), (_, second)] = cloud.services().visibility_changes()[..] else {
            panic!("two postponements")
        };
        assert!((10..=15).contains(&first) && second <= first + 1, "{first} {second}");
    }

    #[tokio::test]
    async fn a_private_receiver_is_not_called_and_the_run_fails() {
        let cloud = Cloud::start().await;
        cloud.services().set_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let instance = cloud.instance();
        // As if it had been created while private receivers were allowed.
        let action = json!({"type": "webhook", "url": "http://127.0.0.1:9/"});
        let id =
            instance.create_scheduled_job_from(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("requested");
        let message = cloud.take_occurrences()[0].delivery();
        handle(instance.app.clone(), message).await.expect("consumed");
        let runs = instance
            .app
            .schedules()
            .runs(id, once::cursor::DEFAULT_LIMIT, None, instance.app.now())
            .await;
        let runs = json!(runs.expect("a page").rows);
        assert_eq!(runs[0]["state"], "FAILED");
        assert!(
            runs[0]["error"].as_str().is_some_and(|error| error.starts_with("WEBHOOK_REFUSED: ")),
            "{runs}"
        );
    }

    #[tokio::test]
    async fn the_sample_message_of_a_missing_job_is_consumed() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("schedule-run")).await.expect("consumed");
        assert!(
            cloud.items(SCHEDULES_TABLE).await.is_empty()
                && cloud.services().take_queued().is_empty()
        );
    }
}
