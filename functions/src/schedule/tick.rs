//! Each minute, by a rule: sends what is due until the end of the next minute.

use once::{App, aws::ServiceError};

/// Sends a message for each occurrence, to be delivered at its time, and moves the jobs on.
pub async fn handle(app: App) -> Result<(), ServiceError> {
    app.schedules().tick(app.now()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use once::testing::{Cloud, Fault, Instance};
    use serde_json::json;

    use super::*;

    fn at(instance: &Instance, time: &str) -> Instance {
        instance.at(format!("2026-11-20T{time}Z").parse().expect("a time"))
    }

    #[tokio::test]
    async fn each_minute_of_a_job_is_sent_once_and_delayed_until_it_is_due() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let noon = at(&instance, "12:00:00");
        noon.schedule(
            noon.scheduled_job().await,
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
    async fn a_tick_that_dies_before_it_has_moved_on_is_done_again_by_the_next() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let noon = at(&instance, "12:00:00");
        noon.schedule(
            noon.scheduled_job().await,
            json!({"type": "cron", "expression": "* * * * *"}),
        )
        .await;
        let _ = cloud.take_occurrences();
        let tick = at(&instance, "12:01:00");
        // All shards are asked first, and then the messages are sent.
        for call in 10..=12 {
            tick.transport.fail_at(call, Fault::Refuse);
        }
        handle(tick.app).await.expect_err("the job was not moved on");
        let sent = cloud.take_occurrences();
        handle(at(&instance, "12:01:10").app).await.expect("a tick");
        let again = cloud.take_occurrences();
        assert_eq!((sent.len(), &again[0].body), (1, &sent[0].body));
    }

    #[tokio::test]
    async fn where_nothing_is_due_nothing_is_sent_or_written() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let noon = at(&instance, "12:00:00");
        noon.scheduled_job().await;
        noon.schedule(noon.scheduled_job().await, json!({"type": "fixed", "every_seconds": 3600}))
            .await;
        let _ = instance.transport.take_sent();
        handle(at(&instance, "12:01:00").app).await.expect("a tick");
        let (calls, written, _) = instance.transport.take_cost();
        assert!(calls.iter().all(|call| call == "Query") && written == 0.0, "{calls:?}");
    }

    #[tokio::test]
    async fn a_tick_that_cannot_reach_the_store_is_a_failure() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.transport.fail_randomly(1, 1.0, Fault::Refuse);
        handle(instance.app.clone()).await.expect_err("the next tick does it");
    }
}
