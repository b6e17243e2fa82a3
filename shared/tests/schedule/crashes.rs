//! The process dies between any two calls: what happens next in production fires each occurrence, and none twice.

use std::time::Duration;

use once::{
    schedule::{RunState, ScheduledJobId},
    testing::{Cloud, Instance, crash::at_every_call_with},
};
use serde_json::json;

use crate::clockwork::{Receiver, World, at, dues, every, history, job, local, put, receiver};

/// A job of every 20 seconds whose schedule is of noon, and its receiver.
async fn arrange(cloud: &Cloud, others: serde_json::Value) -> (ScheduledJobId, Receiver) {
    let receiver = receiver(cloud).await;
    let instance = cloud.instance_with(local);
    let id = job(&instance, &receiver, at(0)).await;
    put(&instance, id, every(20, others), at(0)).await;
    (id, receiver)
}

/// Two minutes go by, with a tick at the beginning of each, from a moment on. What is in the queue is delivered.
async fn minutes_go_by(cloud: &Cloud, instance: &Instance, from: i64) {
    let mut world = World::over(cloud, at(from)).await;
    world.minutes(instance, 2).await;
    // A message whose worker died is hidden for three minutes, and its claim lapses before.
    world.until(at(from + 600), instance).await;
    assert_eq!(world.messages(), 0);
}

async fn assert_fired_once(
    instance: &Instance,
    id: ScheduledJobId,
    receiver: &Receiver,
    expected: &[i64],
) {
    let runs = history(instance, id, at(3_600)).await;
    assert_eq!(dues(&runs), expected);
    assert!(runs.iter().all(|run| run.state == RunState::Completed), "{runs:?}");
    let names: std::collections::BTreeSet<_> = receiver.counts().into_keys().collect();
    assert_eq!(names, runs.iter().map(|run| run.run_id.to_string()).collect());
}

#[tokio::test]
async fn a_tick_whose_process_died_is_done_by_the_next() {
    let deaths = at_every_call_with(
        local,
        async |cloud: &Cloud| arrange(cloud, json!({})).await,
        async |instance, _| drop(instance.app.schedules().tick(at(120)).await),
        async |cloud, next, (id, receiver)| {
            minutes_go_by(cloud, next, 120).await;
            assert_fired_once(next, *id, receiver, &(1..=14).map(|n| n * 20).collect::<Vec<_>>())
                .await;
        },
    )
    .await;
    // Eight shards, the messages, the move.
    assert_eq!(deaths, 2 * 10);
}

#[tokio::test]
async fn a_catch_up_whose_process_died_misses_nothing_and_doubles_nothing() {
    for (misfire, expected) in [
        ("fire_all", (1..=38).map(|n| n * 20).collect::<Vec<_>>()),
        ("fire_once", [1, 2, 3, 4, 5].into_iter().chain(26..=38).map(|n| n * 20).collect()),
        ("skip", [1, 2, 3, 4, 5].into_iter().chain(27..=38).map(|n| n * 20).collect()),
    ] {
        let deaths = at_every_call_with(
            local,
            async |cloud: &Cloud| {
                arrange(cloud, json!({"misfire": misfire, "overlap": "allow"})).await
            },
            async |instance, _| drop(instance.app.schedules().tick(at(600)).await),
            async |cloud, next, (id, receiver)| {
                minutes_go_by(cloud, next, 600).await;
                let runs = history(next, *id, at(7_200)).await;
                let fired: Vec<_> =
                    runs.into_iter().filter(|run| run.state != RunState::Skipped).collect();
                assert_eq!(dues(&fired), expected, "{misfire}");
                assert!(fired.iter().all(|run| run.state == RunState::Completed), "{fired:?}");
                assert_eq!(receiver.counts().len(), fired.len());
            },
        )
        .await;
        assert!(deaths >= 2 * 10, "{deaths}");
    }
}

#[tokio::test]
async fn a_run_whose_process_died_is_done_by_the_next_delivery() {
    for overlap in ["skip", "allow", "queue_one"] {
        let deaths = at_every_call_with(
            local,
            async |cloud: &Cloud| {
                let (id, receiver) =
                    arrange(cloud, json!({"end_at": at(30), "overlap": overlap})).await;
                let mut world = World::over(cloud, at(0)).await;
                world.collect();
                let message = world.next(at(20)).expect("a message");
                assert_eq!(world.messages(), 0);
                (id, receiver, message)
            },
            async |instance, (_, _, message)| drop(message.to(instance, at(20)).await),
            async |cloud, next, (id, receiver, message)| {
                let mut world = World::over(cloud, at(200)).await;
                world.again(message);
                world.until(at(1_000), next).await;
                assert_fired_once(next, *id, receiver, &[20]).await;
                let times = receiver.counts().into_values().max();
                assert!(times <= Some(2), "{times:?}");
            },
        )
        .await;
        // The job, its turn, the claim, the secret, the end, its turn again.
        let turns = if overlap == "allow" { 0 } else { 2 };
        assert_eq!(deaths, 2 * (4 + turns), "{overlap}");
    }
}

#[tokio::test]
async fn a_schedule_whose_process_died_is_kept_whole_or_not_at_all() {
    let deaths = at_every_call_with(
        local,
        async |cloud: &Cloud| arrange(cloud, json!({})).await,
        async |instance, (id, _)| {
            let schedule = serde_json::from_value(every(50, json!({}))).expect("fit");
            drop(instance.app.schedules().schedule(*id, schedule, None, at(30)).await);
        },
        async |cloud, next, (id, receiver)| {
            // Nobody has begun anything yet: what is queued of the old schedule comes late, and is done if that still holds.
            minutes_go_by(cloud, next, 60).await;
            let old: Vec<i64> = (1..=11).map(|n| n * 20).collect();
            let new: Vec<i64> = (1..=4).map(|n| 30 + n * 50).filter(|due| *due < 240).collect();
            let runs = history(next, *id, at(3_600)).await;
            let kept = dues(&runs);
            assert!(kept == old || kept == new, "{kept:?}");
            assert_fired_once(next, *id, receiver, &kept).await;
        },
    )
    .await;
    // The job, its change, the first messages, the move.
    assert_eq!(deaths, 2 * 4);
}

#[tokio::test]
async fn a_request_to_run_whose_process_died_runs_once_when_it_comes_again() {
    let key = || "click-1".as_bytes().try_into().expect("a key");
    let deaths = at_every_call_with(
        local,
        async |cloud: &Cloud| {
            let receiver = receiver(cloud).await;
            (job(&cloud.instance_with(local), &receiver, at(0)).await, receiver)
        },
        async |instance, (id, _)| {
            drop(instance.app.schedules().run_now(*id, Some(&key()), at(5)).await);
        },
        async |cloud, next, (id, receiver)| {
            let asked =
                next.app.schedules().run_now(*id, Some(&key()), at(7)).await.expect("asked");
            minutes_go_by(cloud, next, 60).await;
            let runs = history(next, *id, at(3_600)).await;
            assert_eq!(runs.iter().map(|run| run.run_id).collect::<Vec<_>>(), [asked.run_id]);
            assert_eq!(receiver.counts().into_values().collect::<Vec<_>>(), [1]);
        },
    )
    .await;
    // The job, the key, the message.
    assert_eq!(deaths, 2 * 3);
}

#[tokio::test]
async fn a_tick_whose_store_never_answers_is_done_by_the_next() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(60, json!({}))).await;
    let deaf = world.instance();
    deaf.transport.fail_randomly(1, 1.0, once::testing::Fault::Refuse);
    deaf.app.schedules().tick(at(60)).await.expect_err("no answer");
    world.until(at(60), &instance).await;
    world.tick(&instance, at(120)).await;
    world.until(at(120).plus(Duration::from_mins(1)), &instance).await;
    assert_eq!(dues(&history(&instance, id, world.now).await), [60, 120, 180]);
}
