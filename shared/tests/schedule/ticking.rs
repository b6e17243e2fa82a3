//! Ticks come in time, late, twice, at once or not at all: each occurrence fires once, or as the schedule's policy says.

use std::time::Duration;

use futures_util::future::join;
use once::schedule::{RunOutcome, RunState};
use serde_json::json;

use crate::clockwork::{World, at, dues, every, history};

#[tokio::test]
async fn each_occurrence_fires_once_at_its_second() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(10, json!({}))).await;
    world.minutes(&instance, 5).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(dues(&runs), (1..=30).map(|n| n * 10).collect::<Vec<_>>());
    for run in &runs {
        assert_eq!(
            (run.state, run.attempts, run.error.as_deref()),
            (RunState::Completed, 1, None),
            "{run:?}"
        );
        assert_eq!(run.started_at, Some(run.due_at), "{run:?}");
    }
    assert_eq!(world.receiver.counts().len(), 30);
    assert_eq!(world.receiver.taken().len(), 30);
    assert!(world.receiver.taken().iter().all(|(_, body)| body == r#"{"n":1}"#));
}

#[tokio::test]
async fn a_tick_that_comes_a_minute_late_is_late_for_nothing() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(7, json!({}))).await;
    for late in [59, 119, 179] {
        world.until(at(late), &instance).await;
        world.tick(&instance, at(late)).await;
    }
    world.until(at(239), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(dues(&runs), (1..=34).map(|n| n * 7).collect::<Vec<_>>());
    assert!(runs.iter().all(|run| run.started_at == Some(run.due_at)), "{runs:?}");
}

#[tokio::test]
async fn ticks_that_come_twice_or_at_once_fire_nothing_twice() {
    let mut world = World::new(at(0)).await;
    let (instance, other) = (world.instance(), world.instance());
    let id = world.scheduled(&instance, every(10, json!({}))).await;
    for minute in 0..4 {
        world.now = at(minute * 60);
        let schedules = [&instance, &other].map(|instance| instance.app.schedules());
        let (one, two) = join(schedules[0].tick(world.now), schedules[1].tick(world.now)).await;
        one.expect("a tick");
        two.expect("a tick");
        world.tick(&instance, world.now).await;
        world.double();
        world.until(at(minute * 60 + 60), &instance).await;
    }
    let runs = history(&instance, id, world.now).await;
    assert_eq!(dues(&runs), (1..=24).map(|n| n * 10).collect::<Vec<_>>());
    assert!(
        runs.iter().all(|run| (run.state, run.attempts) == (RunState::Completed, 1)),
        "{runs:?}"
    );
    assert_eq!(world.receiver.taken().len(), 24);
}

/// A job of every ten minutes, whose ticks are missing for two hours and a minute, with these members of its schedule.
async fn after_an_outage(others: serde_json::Value) -> (World, Vec<(i64, RunState, Option<i64>)>) {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(600, others)).await;
    // The tick of 12:09 has sent what is due at 12:10.
    world.minutes(&instance, 10).await;
    world.until(at(7_860), &instance).await;
    world.minutes(&instance, 10).await;
    let runs = history(&instance, id, world.now).await;
    let since = |run: &once::schedule::RunView| {
        run.missed_since.map(|since| (since.as_millis() - at(0).as_millis()) / 1_000)
    };
    let seen =
        runs.iter().zip(dues(&runs)).map(|(run, due)| (due, run.state, since(run))).collect();
    (world, seen)
}

#[tokio::test]
async fn what_was_missed_fires_once() {
    let (world, runs) = after_an_outage(json!({})).await;
    // 14:10 is a minute ago: that is not missed yet, and 14:00 is.
    let expected = [(600, None), (7_200, Some(1_200)), (7_800, None), (8_400, None)];
    assert_eq!(runs, expected.map(|(due, since)| (due, RunState::Completed, since)));
    assert_eq!(world.receiver.taken().len(), 4);
}

#[tokio::test]
async fn what_was_missed_is_skipped_and_said_to_be() {
    let (world, runs) = after_an_outage(json!({"misfire": "skip"})).await;
    let expected = [
        (600, RunState::Completed, None),
        (7_800, RunState::Completed, None),
        (8_400, RunState::Completed, None),
    ];
    let (skipped, fired): (Vec<_>, Vec<_>) =
        runs.into_iter().partition(|(_, state, _)| *state == RunState::Skipped);
    assert_eq!(fired, expected);
    assert_eq!(skipped, [(7_200, RunState::Skipped, Some(1_200))]);
    assert_eq!(world.receiver.taken().len(), 3);
}

#[tokio::test]
async fn what_was_missed_fires_all() {
    let (world, runs) = after_an_outage(json!({"misfire": "fire_all"})).await;
    let expected: Vec<_> = (1..=14).map(|n| (n * 600, RunState::Completed, None)).collect();
    assert_eq!(runs, expected);
    assert_eq!(world.receiver.counts().len(), 14);
}

#[tokio::test]
async fn a_day_of_seconds_is_caught_up_with_in_portions() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    world.scheduled(&instance, every(1, json!({"misfire": "fire_all"}))).await;
    let day = Duration::from_hours(24);
    let ticked = instance.app.schedules().tick(at(0).plus(day)).await.expect("a tick");
    assert_eq!((ticked.jobs, ticked.sent), (1, 360));
    let ticked = instance.app.schedules().tick(at(0).plus(day)).await.expect("a tick");
    assert_eq!((ticked.jobs, ticked.sent), (1, 360), "the next ones");
    let messages = world.cloud.services().take_messages();
    let unique: std::collections::BTreeSet<_> = messages.iter().collect();
    assert_eq!(unique.len(), messages.len());
}

#[tokio::test]
async fn a_job_that_was_deleted_or_paused_does_not_start() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let deleted = world.scheduled(&instance, every(30, json!({}))).await;
    let paused = world.scheduled(&instance, every(30, json!({}))).await;
    let schedules = instance.app.schedules();
    world.until(at(10), &instance).await;
    schedules.delete(deleted, None).await.expect("deleted");
    schedules.pause(paused, None, at(10)).await.expect("paused");
    let left = world.until(at(120), &instance).await;
    assert_eq!(left, vec![RunOutcome::Unwanted; 6]);
    assert_eq!(world.receiver.taken(), []);
    world.tick(&instance, at(120)).await;
    assert_eq!(world.messages(), 0);
}
