//! The queue of occurrences.

use once::{App, schedule::RunError, sqs::Delivery};

/// Does the action of one occurrence, if nobody has.
pub async fn handle(app: App, message: Delivery) -> Result<(), RunError> {
    app.schedules().run(&message, app.action_context(), app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, Instance, SCHEDULES_TABLE, delivery, sample_message};
    use serde_json::{Value, json};

    use super::*;

    async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        (cloud, instance)
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_read_is_a_failure() {
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
    async fn a_message_that_is_delivered_twice_is_done_once() {
        let (cloud, instance) = noon().await;
        instance
            .schedule(instance.scheduled_job().await, json!({"type": "fixed", "every_seconds": 60}))
            .await;
        let message = cloud.take_occurrences()[0].delivery();
        let due = instance.at("2026-11-20T12:01:00Z".parse().expect("a time"));
        for _ in 0..2 {
            handle(due.app.clone(), message.clone()).await.expect("nothing to do again");
        }
        let [plan] = &cloud.services().take_queued()[..] else { panic!("one settlement") };
        assert!(plan.queue.ends_with("/plans"), "{plan:?}");
    }

    #[tokio::test]
    async fn an_action_that_has_failed_for_now_comes_again() {
        let (cloud, instance) = noon().await;
        // There is no secret to sign with.
        let action = json!({"type": "webhook", "url": "https://example.com/"});
        let id = instance.scheduled_job_of(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("asked for");
        let message = cloud.take_occurrences()[0].delivery();
        let failed =
            handle(instance.app.clone(), message.clone()).await.expect_err("it comes again");
        assert!(matches!(failed, RunError::Failed { .. }), "{failed}");
        let early = handle(instance.app.clone(), message).await.expect_err("not yet");
        assert!(matches!(early, RunError::NotYet(_)), "{early}");
        let [(_, first), (_, second)] = cloud.services().postponed()[..] else { panic!("twice") };
        assert!((10..=15).contains(&first) && second <= first + 1, "{first} {second}");
    }

    #[tokio::test]
    async fn a_private_receiver_is_not_called_and_that_is_final() {
        let cloud = Cloud::start().await;
        cloud
            .services()
            .set_parameter("/once/webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let instance = cloud.instance();
        // As if it had been made where private receivers are allowed.
        let action = json!({"type": "webhook", "url": "http://127.0.0.1:9/"});
        let id = instance.scheduled_job_of(json!({"name": "Call", "action": action})).await;
        instance.app.schedules().run_now(id, None, instance.app.now()).await.expect("asked for");
        let message = cloud.take_occurrences()[0].delivery();
        handle(instance.app.clone(), message).await.expect("nothing to do again");
        let runs = instance
            .app
            .schedules()
            .runs(id, once::cursor::DEFAULT_LIMIT, None, instance.app.now())
            .await;
        let runs = json!(runs.expect("a page").runs);
        assert_eq!(runs[0]["state"], "FAILED");
        assert!(
            runs[0]["error"].as_str().is_some_and(|error| error.starts_with("WEBHOOK_REFUSED: ")),
            "{runs}"
        );
    }

    #[tokio::test]
    async fn the_sample_is_about_a_job_that_is_not_there_and_is_left_alone() {
        let cloud = Cloud::start().await;
        handle(cloud.instance().app, sample_message("schedule-run"))
            .await
            .expect("nothing to do again");
        assert!(
            cloud.items(SCHEDULES_TABLE).await.is_empty()
                && cloud.services().take_queued().is_empty()
        );
    }
}
