//! The worker that a rule invokes each minute: sends the occurrences that are due until the end of
//! the next minute.

use once::{App, aws::ServiceError};

/// Sends a message for each occurrence, delayed until it is due, and then advances the jobs.
pub async fn handle(app: App) -> Result<(), ServiceError> {
    app.schedules().tick(app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, Fault};
    use serde_json::json;

    use super::*;
    use crate::schedule::testing::{at, every, noon};

    #[tokio::test]
    async fn each_occurrence_is_sent_once_and_delayed_until_it_is_due() {
        let (cloud, instance) = noon().await;
        instance
            .set_schedule(
                instance.create_scheduled_job().await,
                json!({"type": "cron", "expression": "* * * * *"}),
            )
            .await;
        let _ = cloud.take_occurrences();
        for (tick, delays) in [("12:01:00", vec![60]), ("12:01:30", vec![]), ("12:02:05", vec![55])]
        {
            handle(at(&instance, tick).app).await.expect("a tick");
            let queued: Vec<u64> =
                cloud.take_occurrences().iter().map(|message| message.delay_seconds).collect();
            assert_eq!(queued, delays, "{tick}");
        }
    }

    #[tokio::test]
    async fn the_next_tick_repeats_a_tick_that_failed_to_advance_a_job() {
        let (cloud, instance) = noon().await;
        instance
            .set_schedule(
                instance.create_scheduled_job().await,
                json!({"type": "cron", "expression": "* * * * *"}),
            )
            .await;
        let _ = cloud.take_occurrences();
        let tick = at(&instance, "12:01:00");
        // Eight queries and the call that sends the messages come first.
        for call in 10..=12 {
            tick.transport.fail_at(call, Fault::Refuse);
        }
        handle(tick.app).await.expect_err("the job was not advanced");
        let sent = cloud.take_occurrences();
        handle(at(&instance, "12:01:10").app).await.expect("a tick");
        let repeated = cloud.take_occurrences();
        assert_eq!((sent.len(), &repeated[0].body), (1, &sent[0].body));
    }

    #[tokio::test]
    async fn a_tick_without_due_jobs_sends_and_writes_nothing() {
        let (_cloud, instance) = noon().await;
        instance.create_scheduled_job().await;
        instance.set_schedule(instance.create_scheduled_job().await, every(3600)).await;
        let _ = instance.transport.take_calls();
        handle(at(&instance, "12:01:00").app).await.expect("a tick");
        let (calls, written, _) = instance.transport.take_cost();
        assert!(calls.iter().all(|call| call == "Query") && written == 0.0, "{calls:?}");
    }

    #[tokio::test]
    async fn a_tick_that_cannot_reach_the_store_fails() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
        handle(instance.app.clone()).await.expect_err("no store");
    }
}
