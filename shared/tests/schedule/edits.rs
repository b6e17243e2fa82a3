//! Jobs are changed while ticks run and by many at once: nothing of an old schedule fires, and nothing of the new one is lost.

use std::{collections::BTreeSet, time::Duration};

use futures_util::future::{join, join_all};
use once::{
    dynamo::{keys, text},
    schedule::{EditError, NewScheduledJob, RunState, State},
    testing::{Fault, SCHEDULES_TABLE},
};
use serde_json::json;

use crate::clockwork::{World, at, dues, every, history, job, put};

fn named(name: &str, url: &str) -> NewScheduledJob {
    let new = json!({"name": name, "action": {"type": "webhook", "url": url}});
    serde_json::from_value(new).expect("a fit job")
}

#[tokio::test]
async fn a_change_while_a_tick_runs_fires_the_new_schedule_and_nothing_of_the_old() {
    for seed in 0..40 {
        let mut world = World::new(at(0)).await;
        let (instance, ticker, editor) = (world.instance(), world.instance(), world.instance());
        let id = world.scheduled(&instance, every(30, json!({}))).await;
        for (instance, seed) in [(&ticker, seed), (&editor, seed + 1_000)] {
            instance.transport.fail_randomly(seed, 0.5, Fault::Delay(Duration::from_millis(2)));
        }
        world.until(at(61), &instance).await;
        world.now = at(61);
        let change = put(&editor, id, every(25, json!({})), at(61));
        let (done, _) = join(ticker.app.schedules().tick(at(61)), change).await;
        done.expect("a tick");
        world.until(at(120), &instance).await;
        world.minutes(&instance, 2).await;
        // The new one begins at 12:01:01.
        let expected: Vec<i64> = [30, 60].into_iter().chain((1..=7).map(|n| 61 + n * 25)).collect();
        let runs = history(&instance, id, world.now).await;
        assert_eq!(dues(&runs), expected, "seed {seed}");
        assert!(runs.iter().all(|run| run.state == RunState::Completed), "seed {seed}: {runs:?}");
    }
}

#[tokio::test]
async fn a_new_name_while_a_tick_runs_sends_nothing_twice() {
    for seed in 0..20 {
        let mut world = World::new(at(0)).await;
        let (instance, ticker, editor) = (world.instance(), world.instance(), world.instance());
        let id = world.scheduled(&instance, every(30, json!({}))).await;
        for (instance, seed) in [(&ticker, seed), (&editor, seed + 1_000)] {
            instance.transport.fail_randomly(seed, 0.5, Fault::Delay(Duration::from_millis(2)));
        }
        let schedules = editor.app.schedules();
        let new = named("other", &world.receiver.url);
        let (done, changed) =
            join(ticker.app.schedules().tick(at(60)), schedules.replace(id, new, None, at(60)))
                .await;
        done.expect("a tick");
        assert_eq!(changed.expect("changed").version, 3);
        world.collect();
        instance.app.schedules().tick(at(61)).await.expect("a tick");
        let messages = world.cloud.services().take_messages();
        assert_eq!(
            messages,
            Vec::<String>::new(),
            "seed {seed}: the job was moved on, and is still there"
        );
        world.until(at(200), &instance).await;
        let runs = history(&instance, id, world.now).await;
        assert_eq!(dues(&runs), [30, 60, 90, 120, 150], "seed {seed}");
    }
}

#[tokio::test]
async fn of_many_who_change_the_same_version_one_does() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = job(&instance, &world.receiver, at(0)).await;
    let editors: Vec<_> = (0..8).map(|_| world.instance()).collect();
    let changes = editors.iter().enumerate().map(|(n, editor)| {
        let new = named(&format!("by {n}"), &world.receiver.url);
        editor.app.schedules().replace(id, new, Some(1), at(1))
    });
    let outcomes = join_all(changes).await;
    let won: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(won.len(), 1);
    let lost =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(EditError::VersionChanged(2))));
    assert_eq!(lost.count(), 7);
    let job = instance.app.schedules().job(id, at(2)).await.expect("a read").expect("a job");
    assert_eq!(&job, won[0]);
}

#[tokio::test]
async fn many_who_change_whatever_there_is_all_do() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = job(&instance, &world.receiver, at(0)).await;
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
async fn a_change_whose_reply_was_lost_is_made_once() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = job(&instance, &world.receiver, at(0)).await;
    // The first call reads the job.
    instance.transport.fail_at(2, Fault::LoseReply);
    let view = put(&instance, id, every(3_600, json!({})), at(0)).await;
    assert_eq!((view.version, view.state), (2, State::Active));
    instance.transport.fail_at(2, Fault::LoseReply);
    instance.app.schedules().delete(id, Some(2)).await.expect("deleted, as it was");
    assert!(instance.app.schedules().job(id, at(0)).await.expect("a read").is_none());
}

#[tokio::test]
async fn what_was_paused_goes_on_after_it_is_resumed_and_not_before() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(20, json!({}))).await;
    world.until(at(50), &instance).await;
    let schedules = instance.app.schedules();
    let paused = schedules.pause(id, None, at(50)).await.expect("paused");
    assert_eq!(
        (paused.state, paused.next_runs.as_slice(), paused.version),
        (State::Paused, [].as_slice(), 3)
    );
    world.minutes(&instance, 1).await;
    world.until(at(130), &instance).await;
    let resumed = schedules.resume(id, None, at(130)).await.expect("resumed");
    assert_eq!((resumed.state, resumed.next_runs[0]), (State::Active, at(140)));
    world.until(at(185), &instance).await;
    assert_eq!(dues(&history(&instance, id, world.now).await), [20, 40, 140, 160, 180]);
}

#[tokio::test]
async fn a_schedule_that_is_taken_away_or_over_fires_no_more() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let taken = world.scheduled(&instance, every(20, json!({}))).await;
    let over = world.scheduled(&instance, every(20, json!({"end_at": at(40)}))).await;
    let view = instance.app.schedules().unschedule(taken, None, at(30)).await.expect("taken away");
    assert_eq!((view.state, view.schedule), (State::Unscheduled, None));
    world.minutes(&instance, 2).await;
    assert_eq!(dues(&history(&instance, taken, world.now).await), [20; 0]);
    assert_eq!(
        dues(&history(&instance, over, world.now).await),
        [20, 40],
        "both ends are included"
    );
    let view = instance.app.schedules().job(over, world.now).await.expect("a read").expect("a job");
    assert_eq!((view.state, view.next_runs.len()), (State::Ended, 0));
    world.tick(&instance, world.now).await;
    assert_eq!(world.messages(), 0);
}

#[tokio::test]
async fn a_job_that_cannot_be_read_keeps_no_other_from_its_times() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    // So many that one is in the same shard.
    let mut jobs = Vec::new();
    for _ in 0..40 {
        jobs.push(world.scheduled(&instance, every(60, json!({}))).await);
    }
    let broken = jobs.pop().expect("one");
    let key = keys::scheduled_job(&broken.to_string()).attributes();
    let update = world.cloud.client().update_item().table_name(SCHEDULES_TABLE).set_key(Some(key));
    let update = update
        .update_expression("SET schedule = :bad")
        .expression_attribute_values(":bad", text("* *"));
    update.send().await.expect("broken");
    world.minutes(&instance, 2).await;
    for id in jobs {
        assert_eq!(dues(&history(&instance, id, world.now).await), [60, 120]);
    }
}

#[tokio::test]
async fn a_request_that_comes_again_finds_its_job_whatever_has_become_of_it() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let schedules = instance.app.schedules();
    let key = "a-job".as_bytes().try_into().expect("a key");
    let new = || named("first", &world.receiver.url);
    let id = schedules.create(new(), Some(&key), at(0)).await.expect("made").job.id;
    let renamed = schedules
        .replace(id, named("other", &world.receiver.url), None, at(1))
        .await
        .expect("renamed");
    let again = schedules.create(new(), Some(&key), at(2)).await.expect("found");
    assert_eq!((again.replayed, again.job), (true, renamed));
    schedules
        .create(named("other", &world.receiver.url), Some(&key), at(2))
        .await
        .expect_err("another request");

    // Once it is deleted, the same request makes another one, whose history is its own.
    schedules.run_now(id, None, at(3)).await.expect("asked");
    world.until(at(4), &instance).await;
    assert_eq!(history(&instance, id, at(5)).await.len(), 1);
    schedules.delete(id, None).await.expect("deleted");
    let new = named("first", &world.receiver.url);
    let born = instance.app.schedules().create(new, Some(&key), at(10)).await.expect("made");
    assert_eq!((born.replayed, born.job.id), (false, id));
    assert_eq!(history(&instance, id, at(11)).await, []);
}
