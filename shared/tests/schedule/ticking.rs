//! Ticks that are in time, late, duplicated, concurrent or missing: each occurrence fires once, or
//! as the policy of its schedule states.

use std::time::Duration;

use futures_util::future::join;
use once::schedule::{RunOutcome, RunState};
use serde_json::json;

use crate::schedule::clockwork::{World, at, due_seconds, every, history};

#[tokio::test]
async fn each_occurrence_fires_once_at_its_second() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(10, json!({}))).await;
    world.run_minutes(&instance, 5).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(due_seconds(&runs), (1..=30).map(|n| n * 10).collect::<Vec<_>>());
    for run in &runs {
        assert_eq!(
            (run.state, run.attempts, run.error.as_deref()),
            (RunState::Completed, 1, None),
            "{run:?}"
        );
        assert_eq!(run.started_at, Some(run.due_at), "{run:?}");
    }
    assert_eq!(world.receiver.counts().len(), 30);
    assert_eq!(world.receiver.received().len(), 30);
    assert!(world.receiver.received().iter().all(|(_, body)| body == r#"{"n":1}"#));
}

#[tokio::test]
async fn a_tick_that_is_a_minute_late_delays_no_occurrence() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(7, json!({}))).await;
    for late in [59, 119, 179] {
        world.run_until(at(late), &instance).await;
        world.tick(&instance, at(late)).await;
    }
    world.run_until(at(239), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(due_seconds(&runs), (1..=34).map(|n| n * 7).collect::<Vec<_>>());
    assert!(runs.iter().all(|run| run.started_at == Some(run.due_at)), "{runs:?}");
}

#[tokio::test]
async fn duplicate_and_concurrent_ticks_fire_no_occurrence_twice() {
    let mut world = World::new(at(0)).await;
    let (instance, other) = (world.instance(), world.instance());
    let id = world.schedule_job(&instance, every(10, json!({}))).await;
    for minute in 0..4 {
        world.now = at(minute * 60);
        let schedules = [&instance, &other].map(|instance| instance.app.schedules());
        let (first, second) =
            join(schedules[0].tick(world.now), schedules[1].tick(world.now)).await;
        first.expect("a tick");
        second.expect("a tick");
        world.tick(&instance, world.now).await;
        world.duplicate_messages();
        world.run_until(at(minute * 60 + 60), &instance).await;
    }
    let runs = history(&instance, id, world.now).await;
    assert_eq!(due_seconds(&runs), (1..=24).map(|n| n * 10).collect::<Vec<_>>());
    assert!(
        runs.iter().all(|run| (run.state, run.attempts) == (RunState::Completed, 1)),
        "{runs:?}"
    );
    assert_eq!(world.receiver.received().len(), 24);
}

/// Runs a job of every ten minutes, with these members of its schedule, through an outage of ticks
/// of two hours and a minute. Returns the due time, the state and `missed_since` of its runs.
async fn after_an_outage(members: serde_json::Value) -> (World, Vec<(i64, RunState, Option<i64>)>) {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(600, members)).await;
    // The tick of 12:09 has sent the occurrence of 12:10.
    world.run_minutes(&instance, 10).await;
    world.run_until(at(7_860), &instance).await;
    world.run_minutes(&instance, 10).await;
    let runs = history(&instance, id, world.now).await;
    let since = |run: &once::schedule::RunView| {
        run.missed_since.map(|since| (since.as_millis() - at(0).as_millis()) / 1_000)
    };
    let runs = runs
        .iter()
        .zip(due_seconds(&runs))
        .map(|(run, due)| (due, run.state, since(run)))
        .collect();
    (world, runs)
}

#[tokio::test]
async fn with_fire_once_the_missed_occurrences_fire_as_one() {
    let (world, runs) = after_an_outage(json!({})).await;
    // 14:10 was a minute ago and is not missed; 14:00 is.
    let expected = [(600, None), (7_200, Some(1_200)), (7_800, None), (8_400, None)];
    assert_eq!(runs, expected.map(|(due, since)| (due, RunState::Completed, since)));
    assert_eq!(world.receiver.received().len(), 4);
}

#[tokio::test]
async fn with_skip_the_missed_occurrences_are_recorded_as_skipped() {
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
    assert_eq!(world.receiver.received().len(), 3);
}

#[tokio::test]
async fn with_fire_all_each_missed_occurrence_fires() {
    let (world, runs) = after_an_outage(json!({"misfire": "fire_all"})).await;
    let expected: Vec<_> = (1..=14).map(|n| (n * 600, RunState::Completed, None)).collect();
    assert_eq!(runs, expected);
    assert_eq!(world.receiver.counts().len(), 14);
}

#[tokio::test]
async fn a_day_of_missed_seconds_fires_at_most_360_per_tick() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    world.schedule_job(&instance, every(1, json!({"misfire": "fire_all"}))).await;
    let day = Duration::from_hours(24);
    let tick = instance.app.schedules().tick(at(0).plus(day)).await.expect("a tick");
    assert_eq!((tick.jobs, tick.sent), (1, 360));
    let tick = instance.app.schedules().tick(at(0).plus(day)).await.expect("a tick");
    assert_eq!((tick.jobs, tick.sent), (1, 360), "the next occurrences");
    let messages = world.cloud.services().take_message_bodies();
    let unique: std::collections::BTreeSet<_> = messages.iter().collect();
    assert_eq!(unique.len(), messages.len());
}

#[tokio::test]
async fn occurrences_of_a_deleted_or_paused_job_are_revoked() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let deleted = world.schedule_job(&instance, every(30, json!({}))).await;
    let paused = world.schedule_job(&instance, every(30, json!({}))).await;
    let schedules = instance.app.schedules();
    world.run_until(at(10), &instance).await;
    schedules.delete(deleted, None).await.expect("deleted");
    schedules.pause(paused, None, at(10)).await.expect("paused");
    let outcomes = world.run_until(at(120), &instance).await;
    assert_eq!(outcomes, vec![RunOutcome::Revoked; 6]);
    assert_eq!(world.receiver.received(), []);
    world.tick(&instance, at(120)).await;
    assert_eq!(world.message_count(), 0);
}
