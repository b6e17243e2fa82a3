//! Crashes between any two calls: the next tick or delivery fires each occurrence, and none twice.

use std::time::Duration;

use once::{
    json,
    schedule::{RunState, ScheduledJobId},
    testing::{Cloud, Instance, crash::at_every_call_with},
};
use serde_json::json;

use crate::schedule::clockwork::{
    Receiver, World, allow_private_receivers, at, create_job, due_seconds, every, history,
    receiver, set_schedule,
};

/// Creates a job of every 20 seconds, whose schedule was set at noon, and its receiver.
async fn arrange(cloud: &Cloud, members: serde_json::Value) -> (ScheduledJobId, Receiver) {
    let receiver = receiver(cloud).await;
    let instance = cloud.instance_with(allow_private_receivers);
    let id = create_job(&instance, &receiver, at(0)).await;
    set_schedule(&instance, id, every(20, members), at(0)).await;
    (id, receiver)
}

/// Lets two minutes pass from a moment on, with a tick at the start of each, and delivers all
/// messages.
async fn run_two_minutes(cloud: &Cloud, instance: &Instance, from: i64) {
    let mut world = World::with_cloud(cloud, at(from)).await;
    world.run_minutes(instance, 2).await;
    // The message of a dead worker is visible again after three minutes. Its claim has expired by
    // then.
    world.run_until(at(from + 600), instance).await;
    assert_eq!(world.message_count(), 0);
}

async fn assert_fired_once(
    instance: &Instance,
    id: ScheduledJobId,
    receiver: &Receiver,
    expected: &[i64],
) {
    let runs = history(instance, id, at(3_600)).await;
    assert_eq!(due_seconds(&runs), expected);
    assert!(runs.iter().all(|run| run.state == RunState::Completed), "{runs:?}");
    let ids: std::collections::BTreeSet<_> = receiver.counts().into_keys().collect();
    assert_eq!(ids, runs.iter().map(|run| run.run_id.to_string()).collect());
}

#[tokio::test]
async fn the_next_tick_repeats_a_tick_that_crashed() {
    let crashes = at_every_call_with(
        allow_private_receivers,
        async |cloud: &Cloud| arrange(cloud, json!({})).await,
        async |instance, _| drop(instance.app.schedules().tick(at(120)).await),
        async |cloud, next, (id, receiver)| {
            run_two_minutes(cloud, next, 120).await;
            assert_fired_once(next, *id, receiver, &(1..=14).map(|n| n * 20).collect::<Vec<_>>())
                .await;
        },
    )
    .await;
    // Eight shards, the messages, the advance.
    assert_eq!(crashes, 2 * 10);
}

#[tokio::test]
async fn missed_occurrences_fire_once_after_a_tick_that_crashed() {
    for (misfire, expected) in [
        ("fire_all", (1..=38).map(|n| n * 20).collect::<Vec<_>>()),
        ("fire_once", [1, 2, 3, 4, 5].into_iter().chain(26..=38).map(|n| n * 20).collect()),
        ("skip", [1, 2, 3, 4, 5].into_iter().chain(27..=38).map(|n| n * 20).collect()),
    ] {
        let crashes = at_every_call_with(
            allow_private_receivers,
            async |cloud: &Cloud| {
                arrange(cloud, json!({"misfire": misfire, "overlap": "allow"})).await
            },
            async |instance, _| drop(instance.app.schedules().tick(at(600)).await),
            async |cloud, next, (id, receiver)| {
                run_two_minutes(cloud, next, 600).await;
                let runs = history(next, *id, at(7_200)).await;
                let fired: Vec<_> =
                    runs.into_iter().filter(|run| run.state != RunState::Skipped).collect();
                assert_eq!(due_seconds(&fired), expected, "{misfire}");
                assert!(fired.iter().all(|run| run.state == RunState::Completed), "{fired:?}");
                assert_eq!(receiver.counts().len(), fired.len());
            },
        )
        .await;
        assert!(crashes >= 2 * 10, "{crashes}");
    }
}

#[tokio::test]
async fn the_next_delivery_finishes_a_run_whose_worker_crashed() {
    for overlap in ["skip", "allow", "queue_one"] {
        let crashes = at_every_call_with(
            allow_private_receivers,
            async |cloud: &Cloud| {
                let (id, receiver) =
                    arrange(cloud, json!({"end_at": at(30), "overlap": overlap})).await;
                let mut world = World::with_cloud(cloud, at(0)).await;
                world.collect_messages();
                let message = world.next_message(at(20)).expect("a message");
                assert_eq!(world.message_count(), 0);
                (id, receiver, message)
            },
            async |instance, (_, _, message)| drop(message.deliver_to(instance, at(20)).await),
            async |cloud, next, (id, receiver, message)| {
                let mut world = World::with_cloud(cloud, at(200)).await;
                world.redeliver(message);
                world.run_until(at(1_000), next).await;
                assert_fired_once(next, *id, receiver, &[20]).await;
                let times = receiver.counts().into_values().max();
                assert!(times <= Some(2), "{times:?}");
            },
        )
        .await;
        // The job, its slot, the claim, the secret, the result, its slot again.
        let slot_calls = if overlap == "allow" { 0 } else { 2 };
        assert_eq!(crashes, 2 * (4 + slot_calls), "{overlap}");
    }
}

#[tokio::test]
async fn a_change_that_crashed_is_applied_completely_or_not_at_all() {
    let crashes = at_every_call_with(
        allow_private_receivers,
        async |cloud: &Cloud| arrange(cloud, json!({})).await,
        async |instance, (id, _)| {
            let schedule = every(50, json!({})).to_string();
            let schedule = json::parse(&schedule).expect("a schedule");
            drop(instance.app.schedules().schedule(*id, schedule, None, at(30)).await);
        },
        async |cloud, next, (id, receiver)| {
            // No run has started: queued occurrences of the old schedule are delivered late, and
            // run if it is still the current one.
            run_two_minutes(cloud, next, 60).await;
            let old: Vec<i64> = (1..=11).map(|n| n * 20).collect();
            let new: Vec<i64> = (1..=4).map(|n| 30 + n * 50).filter(|due| *due < 240).collect();
            let runs = history(next, *id, at(3_600)).await;
            let due = due_seconds(&runs);
            assert!(due == old || due == new, "{due:?}");
            assert_fired_once(next, *id, receiver, &due).await;
        },
    )
    .await;
    // The job, its change, the first messages, the advance.
    assert_eq!(crashes, 2 * 4);
}

#[tokio::test]
async fn a_repeated_run_request_runs_once_after_a_crash() {
    let key = || "click-1".as_bytes().try_into().expect("a key");
    let crashes = at_every_call_with(
        allow_private_receivers,
        async |cloud: &Cloud| {
            let receiver = receiver(cloud).await;
            (
                create_job(&cloud.instance_with(allow_private_receivers), &receiver, at(0)).await,
                receiver,
            )
        },
        async |instance, (id, _)| {
            drop(instance.app.schedules().run_now(*id, Some(&key()), at(5)).await);
        },
        async |cloud, next, (id, receiver)| {
            let requested =
                next.app.schedules().run_now(*id, Some(&key()), at(7)).await.expect("requested");
            run_two_minutes(cloud, next, 60).await;
            let runs = history(next, *id, at(3_600)).await;
            assert_eq!(runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), [requested.run_id]);
            assert_eq!(receiver.counts().into_values().collect::<Vec<_>>(), [1]);
        },
    )
    .await;
    // The job, the key, the message.
    assert_eq!(crashes, 2 * 3);
}

#[tokio::test]
async fn the_next_tick_repeats_a_tick_that_did_not_reach_the_store() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(60, json!({}))).await;
    let unreachable = world.instance();
    unreachable.transport.fail_randomly(1, 1.0, once::testing::Fault::Refuse);
    unreachable.app.schedules().tick(at(60)).await.expect_err("a failure");
    world.run_until(at(60), &instance).await;
    world.tick(&instance, at(120)).await;
    world.run_until(at(120).plus(Duration::from_mins(1)), &instance).await;
    assert_eq!(due_seconds(&history(&instance, id, world.now).await), [60, 120, 180]);
}
