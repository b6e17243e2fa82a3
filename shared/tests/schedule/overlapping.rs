//! A run whose job has another that is not finished: it is skipped, it runs beside it, or it waits for its turn.

use once::{
    schedule::{RunError, RunOutcome, RunState, RunView, ScheduledJobId},
    testing::Instance,
    time::Timestamp,
};
use serde_json::json;

use crate::clockwork::{World, at, dues, every, history};

fn states(runs: &[RunView]) -> Vec<RunState> {
    runs.iter().map(|run| run.state).collect()
}

/// A job of every minute whose receiver fails: its first occurrence is tried again 10 to 15 s, 30 to 45 s and 90 to 135 s later.
async fn with_a_run_that_lasts(overlap: &str, tries: u32) -> (World, Instance, ScheduledJobId) {
    with_a_run_of_every(60, overlap, tries).await
}

async fn with_a_run_of_every(
    seconds: u32,
    overlap: &str,
    tries: u32,
) -> (World, Instance, ScheduledJobId) {
    let mut world = World::new(at(0)).await;
    let instance = world.cloud.instance_with(|config| {
        crate::clockwork::local(config);
        config.schedules.max_attempts = tries;
    });
    let id = world.scheduled(&instance, every(seconds, json!({"overlap": overlap}))).await;
    world.receiver.answer(503);
    (world, instance, id)
}

#[tokio::test]
async fn a_run_is_tried_until_its_receiver_takes_it() {
    let (mut world, instance, id) = with_a_run_that_lasts("allow", 5).await;
    world.until(at(61), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(
        (runs[0].state, runs[0].attempts, runs[0].finished_at),
        (RunState::Retrying, 1, None)
    );
    assert_eq!(runs[0].error.as_deref(), Some("WEBHOOK_NOT_TAKEN: answered 503"));
    world.receiver.answer(200);
    world.until(at(80), &instance).await;
    let runs = history(&instance, id, world.now).await;
    let run = &runs[0];
    assert_eq!((run.state, run.attempts, run.error.as_deref()), (RunState::Completed, 2, None));
    assert_eq!(run.result.as_deref(), Some("delivered"));
    assert_eq!((run.due_at, run.started_at), (at(60), Some(at(60))));
    assert!(run.finished_at.is_some_and(|end| end >= at(70)), "{run:?}");
    assert_eq!(world.receiver.counts().into_values().collect::<Vec<_>>(), [2], "under one id");
}

#[tokio::test]
async fn a_run_that_was_tried_often_enough_has_failed() {
    let (mut world, instance, id) = with_a_run_that_lasts("skip", 3).await;
    // The third attempt is at 12:02:00 at the latest; the second occurrence waits for the next tick.
    world.until(at(120), &instance).await;
    world.receiver.answer(200);
    let runs = history(&instance, id, world.now).await;
    assert_eq!((runs[0].state, runs[0].attempts), (RunState::Failed, 3), "{:?}", runs[0]);
    assert!(runs[0].finished_at.is_some());
    // Its turn is over.
    world.tick(&instance, at(120)).await;
    world.until(at(121), &instance).await;
    assert_eq!(
        states(&history(&instance, id, world.now).await),
        [RunState::Failed, RunState::Completed]
    );
}

#[tokio::test]
async fn the_next_run_is_skipped() {
    let (mut world, instance, id) = with_a_run_that_lasts("skip", 5).await;
    world.tick(&instance, at(60)).await;
    let left = world.until(at(121), &instance).await;
    assert_eq!(left, [RunOutcome::Skipped]);
    world.receiver.answer(200);
    world.minutes(&instance, 5).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(runs[1].state, RunState::Skipped);
    assert_eq!(runs[1].error.as_deref(), Some("OVERLAP: another run of the job was live"));
    assert_eq!((runs[1].attempts, runs[1].started_at), (0, None));
    assert_eq!(states(&runs[2..]).last(), Some(&RunState::Completed), "{runs:?}");
    assert_eq!(runs[0].state, RunState::Completed);
}

#[tokio::test]
async fn the_next_run_is_done_beside_it() {
    // The first is tried from 12:01:10 to 12:02:10, and then not before 12:03:20; the second is due at 12:02:20.
    let (mut world, instance, id) = with_a_run_of_every(70, "allow", 5).await;
    world.tick(&instance, at(60)).await;
    world.until(at(139), &instance).await;
    world.receiver.answer(200);
    world.until(at(141), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(states(&runs), [RunState::Retrying, RunState::Completed]);
}

#[tokio::test]
async fn one_run_waits_for_its_turn_and_the_others_are_skipped() {
    let (mut world, instance, id) = with_a_run_that_lasts("queue_one", 5).await;
    for minute in 1..=3 {
        world.tick(&instance, at(minute * 60)).await;
        world.until(at(minute * 60 + 59), &instance).await;
    }
    // The first is tried again at 12:01:10, :40 and 12:03:10 at the earliest; the second waits, so the third is skipped.
    let runs = history(&instance, id, world.now).await;
    assert_eq!(
        (dues(&runs), states(&runs)),
        (vec![60, 180], vec![RunState::Retrying, RunState::Skipped])
    );
    world.receiver.answer(200);
    // The fifth attempt is up to seven minutes after the fourth.
    world.minutes(&instance, 12).await;
    let runs = history(&instance, id, world.now).await;
    let second = runs.iter().find(|run| run.due_at == at(120)).expect("it had its turn");
    assert_eq!(second.state, RunState::Completed);
    // Both may be of one second of the world's: an attempt's end is its second and what it really took.
    let second_of = |moment: Option<Timestamp>| moment.expect("it is over").as_seconds();
    assert!(second_of(second.started_at) >= second_of(runs[0].finished_at), "{runs:?}");
    assert_eq!(runs[0].state, RunState::Completed);
    let later = states(&runs[2..]);
    let skipped = later.iter().take_while(|state| **state == RunState::Skipped).count();
    assert!((1..later.len()).contains(&skipped), "{runs:?}");
    assert!(later[skipped..].iter().all(|state| *state == RunState::Completed), "{runs:?}");
}

#[tokio::test]
async fn a_run_by_hand_takes_its_turn_too() {
    let (mut world, instance, id) = with_a_run_that_lasts("skip", 5).await;
    world.until(at(61), &instance).await;
    instance.app.schedules().run_now(id, None, at(62)).await.expect("asked");
    assert_eq!(world.until(at(63), &instance).await, [RunOutcome::Skipped]);
}

#[tokio::test]
async fn a_run_that_is_to_be_tried_again_ends_with_a_pause_of_its_job() {
    let (mut world, instance, id) = with_a_run_that_lasts("skip", 5).await;
    world.until(at(61), &instance).await;
    instance.app.schedules().pause(id, None, at(62)).await.expect("paused");
    // A queue may deliver it before its time: were it done then, nobody would end the run.
    let early = world.next(at(300)).expect("it comes again");
    assert!(matches!(early.to(&instance, at(63)).await, Err(RunError::NotYet(_))));
    world.done(early, false);
    assert_eq!(world.until(at(300), &instance).await, [RunOutcome::Unwanted]);
    let runs = history(&instance, id, world.now).await;
    assert_eq!(states(&runs), [RunState::Failed]);
    assert!(
        runs[0].error.as_deref().is_some_and(|error| error.starts_with("TAKEN_BACK: ")),
        "{runs:?}"
    );
    // Nobody holds its turn.
    world.receiver.answer(200);
    instance.app.schedules().run_now(id, None, world.now).await.expect("a paused job runs by hand");
    assert_eq!(world.until(at(301), &instance).await, [RunOutcome::Completed]);
}

#[tokio::test]
async fn a_run_whose_worker_is_silent_keeps_its_turn_until_it_is_delivered_again() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(60, json!({}))).await;
    let message = world.next(at(60)).expect("the first");
    let doomed = world.instance();
    // It has its turn and the claim, and dies at the end.
    doomed.transport.fail_at(5, once::testing::Fault::DieBefore);
    tokio::select! {
        biased;
        () = doomed.transport.death() => {}
        _ = message.to(&doomed, at(60)) => panic!("it outlived its death"),
    }
    world.done(message, false);
    world.tick(&instance, at(60)).await;
    assert_eq!(world.until(at(200), &instance).await, [RunOutcome::Skipped]);
    assert_eq!(world.until(at(241), &instance).await, [RunOutcome::Completed]);
    let runs = history(&instance, id, world.now).await;
    assert_eq!((runs[0].state, runs[0].attempts), (RunState::Completed, 2));
    assert_eq!(world.receiver.counts()[&runs[0].run_id.to_string()], 2, "done again, under one id");
}
