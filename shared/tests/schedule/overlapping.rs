//! Runs that are due while another run of their job is live: they are skipped, run concurrently, or
//! wait for the slot.

use once::{
    schedule::{RunError, RunOutcome, RunState, RunView, ScheduledJobId},
    testing::Instance,
    time::Timestamp,
};
use serde_json::json;

use crate::schedule::clockwork::{World, at, due_seconds, every, history};

fn states(runs: &[RunView]) -> Vec<RunState> {
    runs.iter().map(|run| run.state).collect()
}

/// A job of every minute whose receiver fails. The pauses after its first three attempts are 10 to
/// 15 s, 30 to 45 s and 90 to 135 s.
async fn with_failing_receiver(
    overlap: &str,
    max_attempts: u32,
) -> (World, Instance, ScheduledJobId) {
    with_failing_receiver_every(60, overlap, max_attempts).await
}

async fn with_failing_receiver_every(
    seconds: u32,
    overlap: &str,
    max_attempts: u32,
) -> (World, Instance, ScheduledJobId) {
    let mut world = World::new(at(0)).await;
    let instance = world.cloud.instance_with(|config| {
        crate::schedule::clockwork::allow_private_receivers(config);
        config.schedules.max_attempts = max_attempts;
    });
    let id = world.schedule_job(&instance, every(seconds, json!({"overlap": overlap}))).await;
    world.receiver.respond_with(503);
    (world, instance, id)
}

#[tokio::test]
async fn a_run_is_attempted_until_its_receiver_accepts_it() {
    let (mut world, instance, id) = with_failing_receiver("allow", 5).await;
    world.run_until(at(61), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(
        (runs[0].state, runs[0].attempts, runs[0].finished_at),
        (RunState::Retrying, 1, None)
    );
    assert_eq!(runs[0].error.as_deref(), Some("WEBHOOK_NOT_TAKEN: answered 503"));
    world.receiver.respond_with(200);
    world.run_until(at(80), &instance).await;
    let runs = history(&instance, id, world.now).await;
    let run = &runs[0];
    assert_eq!((run.state, run.attempts, run.error.as_deref()), (RunState::Completed, 2, None));
    assert_eq!(run.result.as_deref(), Some("delivered"));
    assert_eq!((run.due_at, run.started_at), (at(60), Some(at(60))));
    assert!(run.finished_at.is_some_and(|end| end >= at(70)), "{run:?}");
    assert_eq!(world.receiver.counts().into_values().collect::<Vec<_>>(), [2], "both with one id");
}

#[tokio::test]
async fn a_run_fails_after_its_last_attempt() {
    let (mut world, instance, id) = with_failing_receiver("skip", 3).await;
    // The third attempt is at 12:02:00 at the latest; no tick has sent the second occurrence yet.
    world.run_until(at(120), &instance).await;
    world.receiver.respond_with(200);
    let runs = history(&instance, id, world.now).await;
    assert_eq!((runs[0].state, runs[0].attempts), (RunState::Failed, 3), "{:?}", runs[0]);
    assert!(runs[0].finished_at.is_some());
    // Its slot is free.
    world.tick(&instance, at(120)).await;
    world.run_until(at(121), &instance).await;
    assert_eq!(
        states(&history(&instance, id, world.now).await),
        [RunState::Failed, RunState::Completed]
    );
}

#[tokio::test]
async fn with_skip_the_next_run_is_skipped() {
    let (mut world, instance, id) = with_failing_receiver("skip", 5).await;
    world.tick(&instance, at(60)).await;
    let outcomes = world.run_until(at(121), &instance).await;
    assert_eq!(outcomes, [RunOutcome::Skipped]);
    world.receiver.respond_with(200);
    world.run_minutes(&instance, 5).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(runs[1].state, RunState::Skipped);
    assert_eq!(runs[1].error.as_deref(), Some("OVERLAP: another run of the job was live"));
    assert_eq!((runs[1].attempts, runs[1].started_at), (0, None));
    assert_eq!(states(&runs[2..]).last(), Some(&RunState::Completed), "{runs:?}");
    assert_eq!(runs[0].state, RunState::Completed);
}

#[tokio::test]
async fn with_allow_the_next_run_is_concurrent() {
    // The first run has attempts from 12:01:10 to 12:02:10, and then none before 12:03:20; the
    // second run is due at 12:02:20.
    let (mut world, instance, id) = with_failing_receiver_every(70, "allow", 5).await;
    world.tick(&instance, at(60)).await;
    world.run_until(at(139), &instance).await;
    world.receiver.respond_with(200);
    world.run_until(at(141), &instance).await;
    let runs = history(&instance, id, world.now).await;
    assert_eq!(states(&runs), [RunState::Retrying, RunState::Completed]);
}

#[tokio::test]
async fn with_queue_one_one_run_waits_for_the_slot_and_the_others_are_skipped() {
    let (mut world, instance, id) = with_failing_receiver("queue_one", 5).await;
    for minute in 1..=3 {
        world.tick(&instance, at(minute * 60)).await;
        world.run_until(at(minute * 60 + 59), &instance).await;
    }
    // The first run has attempts at 12:01:10, :40 and 12:03:10 at the earliest; the second one
    // waits, so the third one is skipped.
    let runs = history(&instance, id, world.now).await;
    assert_eq!(
        (due_seconds(&runs), states(&runs)),
        (vec![60, 180], vec![RunState::Retrying, RunState::Skipped])
    );
    world.receiver.respond_with(200);
    // The fifth attempt is up to seven minutes after the fourth.
    world.run_minutes(&instance, 12).await;
    let runs = history(&instance, id, world.now).await;
    let second = runs.iter().find(|run| run.due_at == at(120)).expect("the second run");
    assert_eq!(second.state, RunState::Completed);
    // Compared by second: the end of an attempt is the world's time plus the real time that the
    // attempt took.
    let second_of = |moment: Option<Timestamp>| moment.expect("a time").as_seconds();
    assert!(second_of(second.started_at) >= second_of(runs[0].finished_at), "{runs:?}");
    assert_eq!(runs[0].state, RunState::Completed);
    let later = states(&runs[2..]);
    let skipped = later.iter().take_while(|state| **state == RunState::Skipped).count();
    assert!((1..later.len()).contains(&skipped), "{runs:?}");
    assert!(later[skipped..].iter().all(|state| *state == RunState::Completed), "{runs:?}");
}

#[tokio::test]
async fn a_requested_run_needs_the_slot_too() {
    let (mut world, instance, id) = with_failing_receiver("skip", 5).await;
    world.run_until(at(61), &instance).await;
    instance.app.schedules().run_now(id, None, at(62)).await.expect("requested");
    assert_eq!(world.run_until(at(63), &instance).await, [RunOutcome::Skipped]);
}

#[tokio::test]
async fn a_pause_of_the_job_ends_a_run_between_attempts() {
    let (mut world, instance, id) = with_failing_receiver("skip", 5).await;
    world.run_until(at(61), &instance).await;
    instance.app.schedules().pause(id, None, at(62)).await.expect("paused");
    // A queue may deliver the message early. If it were consumed then, no other message would end
    // the run.
    let early = world.next_message(at(300)).expect("a message");
    assert!(matches!(early.deliver_to(&instance, at(63)).await, Err(RunError::NotYet(_))));
    world.acknowledge(early, false);
    assert_eq!(world.run_until(at(300), &instance).await, [RunOutcome::Revoked]);
    let runs = history(&instance, id, world.now).await;
    assert_eq!(states(&runs), [RunState::Failed]);
    assert!(
        runs[0].error.as_deref().is_some_and(|error| error.starts_with("TAKEN_BACK: ")),
        "{runs:?}"
    );
    // The slot is free.
    world.receiver.respond_with(200);
    instance.app.schedules().run_now(id, None, world.now).await.expect("requested");
    assert_eq!(world.run_until(at(301), &instance).await, [RunOutcome::Completed]);
}

#[tokio::test]
async fn a_run_whose_worker_crashed_keeps_its_slot_until_its_message_is_delivered_again() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(60, json!({}))).await;
    let message = world.next_message(at(60)).expect("a message");
    let crashing = world.instance();
    // It acquires the slot and the claim, and crashes when it records the result.
    crashing.transport.fail_at(5, once::testing::Fault::CrashBefore);
    tokio::select! {
        biased;
        () = crashing.transport.crashed() => {}
        _ = message.deliver_to(&crashing, at(60)) => panic!("the process did not crash"),
    }
    world.acknowledge(message, false);
    world.tick(&instance, at(60)).await;
    assert_eq!(world.run_until(at(200), &instance).await, [RunOutcome::Skipped]);
    assert_eq!(world.run_until(at(241), &instance).await, [RunOutcome::Completed]);
    let runs = history(&instance, id, world.now).await;
    assert_eq!((runs[0].state, runs[0].attempts), (RunState::Completed, 2));
    assert_eq!(
        world.receiver.counts()[&runs[0].run_id.to_string()],
        2,
        "performed again, with one id"
    );
}
