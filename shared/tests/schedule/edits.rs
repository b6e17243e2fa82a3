//! Concurrent changes of jobs, and changes during ticks: no occurrence of the old schedule fires,
//! and none of the new one is lost.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::{join, join_all};
use once::{
    dynamo::{keys, text},
    json,
    schedule::{EditError, NewScheduledJob, RunState, State},
    testing::{Fault, SCHEDULES_TABLE},
};
use serde_json::json;

use crate::schedule::clockwork::{
    World, at, create_job, due_seconds, every, history, set_schedule,
};

fn named(name: &str, url: &str) -> NewScheduledJob {
    let new = json!({"name": name, "action": {"type": "webhook", "url": url}});
    json::parse(&new.to_string()).expect("a job")
}

#[tokio::test]
async fn a_schedule_set_during_a_tick_replaces_the_old_one() {
    for seed in 0..40 {
        let mut world = World::new(at(0)).await;
        let (instance, ticker, editor) = (world.instance(), world.instance(), world.instance());
        let id = world.schedule_job(&instance, every(30, json!({}))).await;
        for (instance, seed) in [(&ticker, seed), (&editor, seed + 1_000)] {
            instance.transport.fail_randomly(seed, 0.5, Fault::Delay(Duration::from_millis(2)));
        }
        world.run_until(at(61), &instance).await;
        world.now = at(61);
        let change = set_schedule(&editor, id, every(25, json!({})), at(61));
        let (tick, _) = join(ticker.app.schedules().tick(at(61)), change).await;
        tick.expect("a tick");
        world.run_until(at(120), &instance).await;
        world.run_minutes(&instance, 2).await;
        // The new schedule begins at 12:01:01.
        let expected: Vec<i64> = [30, 60].into_iter().chain((1..=7).map(|n| 61 + n * 25)).collect();
        let runs = history(&instance, id, world.now).await;
        assert_eq!(due_seconds(&runs), expected, "seed {seed}");
        assert!(runs.iter().all(|run| run.state == RunState::Completed), "seed {seed}: {runs:?}");
    }
}

#[tokio::test]
async fn a_job_replaced_during_a_tick_sends_no_message_twice() {
    for seed in 0..20 {
        let mut world = World::new(at(0)).await;
        let (instance, ticker, editor) = (world.instance(), world.instance(), world.instance());
        let id = world.schedule_job(&instance, every(30, json!({}))).await;
        for (instance, seed) in [(&ticker, seed), (&editor, seed + 1_000)] {
            instance.transport.fail_randomly(seed, 0.5, Fault::Delay(Duration::from_millis(2)));
        }
        let schedules = editor.app.schedules();
        let new = named("other", &world.receiver.url);
        let (tick, changed) =
            join(ticker.app.schedules().tick(at(60)), schedules.replace(id, new, None, at(60)))
                .await;
        tick.expect("a tick");
        assert_eq!(changed.expect("changed").version, 3);
        world.collect_messages();
        instance.app.schedules().tick(at(61)).await.expect("a tick");
        let messages = world.cloud.services().take_message_bodies();
        assert_eq!(
            messages,
            Vec::<String>::new(),
            "seed {seed}: the job was advanced, and still exists"
        );
        world.run_until(at(200), &instance).await;
        let runs = history(&instance, id, world.now).await;
        assert_eq!(due_seconds(&runs), [30, 60, 90, 120, 150], "seed {seed}");
    }
}

#[tokio::test]
async fn of_concurrent_changes_of_the_same_version_one_succeeds() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = create_job(&instance, &world.receiver, at(0)).await;
    let editors: Vec<_> = (0..8).map(|_| world.instance()).collect();
    let changes = editors.iter().enumerate().map(|(n, editor)| {
        let new = named(&format!("by {n}"), &world.receiver.url);
        editor.app.schedules().replace(id, new, Some(1), at(1))
    });
    let outcomes = join_all(changes).await;
    let successes: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(successes.len(), 1);
    let rejected =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(EditError::VersionChanged(2))));
    assert_eq!(rejected.count(), 7);
    let job = instance.app.schedules().job(id, at(2)).await.expect("a read").expect("a job");
    assert_eq!(&job, successes[0]);
}

#[tokio::test]
async fn concurrent_changes_without_a_version_all_succeed() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = create_job(&instance, &world.receiver, at(0)).await;
    let editors: Vec<_> = (0..8).map(|_| world.instance()).collect();
    let changes = editors.iter().enumerate().map(|(n, editor)| {
        let new = named(&format!("by {n}"), &world.receiver.url);
        editor.app.schedules().replace(id, new, None, at(1))
    });
    let versions =
        join_all(changes).await.into_iter().map(|change| change.expect("changed").version);
    assert_eq!(versions.collect::<BTreeSet<_>>(), (2..=9).collect());
}

#[tokio::test]
async fn a_change_whose_reply_was_lost_is_applied_once() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = create_job(&instance, &world.receiver, at(0)).await;
    // The first call reads the job.
    instance.transport.fail_at(2, Fault::LoseReply);
    let view = set_schedule(&instance, id, every(3_600, json!({})), at(0)).await;
    assert_eq!((view.version, view.state), (2, State::Active));
    instance.transport.fail_at(2, Fault::LoseReply);
    instance.app.schedules().delete(id, Some(2)).await.expect("deleted");
    assert!(instance.app.schedules().job(id, at(0)).await.expect("a read").is_none());
}

#[tokio::test]
async fn a_paused_job_fires_no_occurrence_until_it_is_resumed() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(20, json!({}))).await;
    world.run_until(at(50), &instance).await;
    let schedules = instance.app.schedules();
    let paused = schedules.pause(id, None, at(50)).await.expect("paused");
    assert_eq!(
        (paused.state, paused.next_runs.as_slice(), paused.version),
        (State::Paused, [].as_slice(), 3)
    );
    world.run_minutes(&instance, 1).await;
    world.run_until(at(130), &instance).await;
    let resumed = schedules.resume(id, None, at(130)).await.expect("resumed");
    assert_eq!((resumed.state, resumed.next_runs[0]), (State::Active, at(140)));
    world.run_until(at(185), &instance).await;
    assert_eq!(due_seconds(&history(&instance, id, world.now).await), [20, 40, 140, 160, 180]);
}

#[tokio::test]
async fn a_removed_or_ended_schedule_fires_no_occurrence() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let removed = world.schedule_job(&instance, every(20, json!({}))).await;
    let ended = world.schedule_job(&instance, every(20, json!({"end_at": at(40)}))).await;
    let view = instance.app.schedules().unschedule(removed, None, at(30)).await.expect("removed");
    assert_eq!((view.state, view.schedule), (State::Unscheduled, None));
    world.run_minutes(&instance, 2).await;
    assert_eq!(due_seconds(&history(&instance, removed, world.now).await), [20; 0]);
    assert_eq!(
        due_seconds(&history(&instance, ended, world.now).await),
        [20, 40],
        "both ends are included"
    );
    let view =
        instance.app.schedules().job(ended, world.now).await.expect("a read").expect("a job");
    assert_eq!((view.state, view.next_runs.len()), (State::Ended, 0));
    world.tick(&instance, world.now).await;
    assert_eq!(world.message_count(), 0);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_does_not_delay_the_others() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    // Enough jobs that one is in the same shard.
    let mut jobs = Vec::new();
    for _ in 0..40 {
        jobs.push(world.schedule_job(&instance, every(60, json!({}))).await);
    }
    let broken = jobs.pop().expect("a job");
    let key = keys::scheduled_job(&broken.to_string()).attributes();
    let update = world.cloud.client().update_item().table_name(SCHEDULES_TABLE).set_key(Some(key));
    let update = update
        .update_expression("SET schedule = :bad")
        .expression_attribute_values(":bad", text("* *"));
    update.send().await.expect("broken");
    world.run_minutes(&instance, 2).await;
    for id in jobs {
        assert_eq!(due_seconds(&history(&instance, id, world.now).await), [60, 120]);
    }
}

#[tokio::test]
async fn a_repeated_request_finds_its_job_even_after_a_change() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let schedules = instance.app.schedules();
    let key = "a-job".as_bytes().try_into().expect("a key");
    let new = || named("first", &world.receiver.url);
    let id = schedules.create(new(), Some(&key), at(0)).await.expect("created").job.id;
    let replaced = schedules
        .replace(id, named("other", &world.receiver.url), None, at(1))
        .await
        .expect("replaced");
    let repeated = schedules.create(new(), Some(&key), at(2)).await.expect("found");
    assert_eq!((repeated.replayed, repeated.job), (true, replaced));
    schedules
        .create(named("other", &world.receiver.url), Some(&key), at(2))
        .await
        .expect_err("another request");

    // After a deletion, the same request creates a new job with a history of its own.
    schedules.run_now(id, None, at(3)).await.expect("requested");
    world.run_until(at(4), &instance).await;
    assert_eq!(history(&instance, id, at(5)).await.len(), 1);
    schedules.delete(id, None).await.expect("deleted");
    let new = named("first", &world.receiver.url);
    let recreated =
        instance.app.schedules().create(new, Some(&key), at(10)).await.expect("created");
    assert_eq!((recreated.replayed, recreated.job.id), (false, id));
    assert_eq!(history(&instance, id, at(11)).await, []);
}
