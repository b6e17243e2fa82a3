//! The cost of each operation, as `docs/COSTS.md` states it.

use once::{
    schedule::RunOutcome,
    testing::{Instance, cost},
};
use serde_json::json;

use crate::schedule::clockwork::{World, at, create_job, every, set_schedule};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn take_cost(instance: &Instance) -> (Vec<String>, f64, f64) {
    instance.transport.take_cost()
}

#[tokio::test]
async fn a_change_costs_a_read_and_a_write() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = create_job(&instance, &world.receiver, at(0)).await;
    // The item, and its entry in the list.
    assert_eq!(take_cost(&instance), (calls(&["PutItem"]), 2.0, 0.0), "created");
    let schedules = instance.app.schedules();
    // The item, its entry in the list, and its entry in the index `due`.
    set_schedule(&instance, id, every(3_600, json!({})), at(0)).await;
    assert_eq!(
        take_cost(&instance),
        (calls(&["GetItem", "UpdateItem"]), 3.0, 1.0),
        "a schedule that is not due soon"
    );
    // The messages, and the advance.
    set_schedule(&instance, id, every(30, json!({})), at(0)).await;
    let first = ["GetItem", "UpdateItem", "SendMessageBatch", "UpdateItem"];
    assert_eq!(take_cost(&instance).0, calls(&first), "a schedule that is due soon");
    schedules.pause(id, None, at(0)).await.expect("paused");
    assert_eq!(take_cost(&instance), (calls(&["GetItem", "UpdateItem"]), 3.0, 1.0), "paused");
    schedules.pause(id, None, at(0)).await.expect("paused");
    assert_eq!(take_cost(&instance), (calls(&["GetItem"]), 0.0, 1.0), "paused again");
    schedules.job(id, at(0)).await.expect("a read");
    assert_eq!(take_cost(&instance), (calls(&["GetItem"]), 0.0, 1.0), "read");
    schedules.run_now(id, None, at(0)).await.expect("requested");
    assert_eq!(
        take_cost(&instance),
        (calls(&["GetItem", "SendMessageBatch"]), 0.0, 1.0),
        "run requested"
    );
    schedules.delete(id, None).await.expect("deleted");
    assert_eq!(take_cost(&instance), (calls(&["GetItem", "DeleteItem"]), 2.0, 1.0), "deleted");
}

#[tokio::test]
async fn a_run_costs_a_read_and_two_writes_and_its_slot_two_more() {
    for (overlap, expected, units) in [
        ("allow", calls(&["GetItem", "UpdateItem", "GetSecretValue", "UpdateItem"]), 2.0),
        (
            "skip",
            calls(&[
                "GetItem",
                "UpdateItem",
                "UpdateItem",
                "GetSecretValue",
                "UpdateItem",
                "UpdateItem",
            ]),
            4.0,
        ),
        (
            "queue_one",
            calls(&[
                "GetItem",
                "UpdateItem",
                "UpdateItem",
                "GetSecretValue",
                "UpdateItem",
                "UpdateItem",
            ]),
            4.0,
        ),
    ] {
        let mut world = World::new(at(0)).await;
        let instance = world.instance();
        world.schedule_job(&instance, every(60, json!({"overlap": overlap}))).await;
        let message = world.next_message(at(60)).expect("a message");
        take_cost(&instance);
        assert_eq!(
            message.deliver_to(&instance, at(60)).await.expect("consumed"),
            RunOutcome::Completed
        );
        assert_eq!(take_cost(&instance), (expected.clone(), units, 1.0), "{overlap}");
        // A duplicate delivery: the job, its slot, the occupied claim, its slot.
        assert_eq!(
            message.deliver_to(&instance, at(61)).await.expect("consumed"),
            RunOutcome::AlreadyFinished
        );
        let (duplicate, ..) = take_cost(&instance);
        assert_eq!(duplicate.len(), expected.len() - 2, "{duplicate:?}");
    }
}

#[tokio::test]
async fn a_revoked_occurrence_costs_two_reads() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.schedule_job(&instance, every(60, json!({}))).await;
    let message = world.next_message(at(60)).expect("a message");
    instance.app.schedules().pause(id, None, at(30)).await.expect("paused");
    take_cost(&instance);
    assert_eq!(message.deliver_to(&instance, at(60)).await.expect("consumed"), RunOutcome::Revoked);
    assert_eq!(take_cost(&instance), (calls(&["GetItem", "GetItem"]), 0.0, 2.0));
}

#[tokio::test]
async fn a_tick_without_due_jobs_costs_eight_queries() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    world.schedule_job(&instance, every(3_600, json!({}))).await;
    take_cost(&instance);
    world.tick(&instance, at(0)).await;
    assert_eq!(take_cost(&instance), (calls(&["Query"; 8]), 0.0, 4.0));
}

/// The number of jobs.
const JOBS: u32 = 20_000;
/// The number of jobs that are due in the minute.
const DUE: u32 = 1_000;

#[tokio::test]
async fn of_twenty_thousand_jobs_a_tick_reads_the_thousand_that_are_due() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let due = |n| if n % (JOBS / DUE) == 0 { at(30) } else { at(7_200 + i64::from(n)) };
    world.cloud.record_scheduled_jobs(JOBS, every(86_400, json!({})), at(0), due).await;
    let tick = instance.app.schedules().tick(at(0)).await.expect("a tick");
    assert_eq!((tick.jobs, tick.sent), (1_000, 1_000));
    let calls = instance.transport.take_calls();
    let of = |operation: &str| {
        calls.iter().filter(|call| call.operation == operation).cloned().collect::<Vec<_>>()
    };
    let (queries, sends, advances) = (of("Query"), of("SendMessageBatch"), of("UpdateItem"));
    assert_eq!(calls.len(), queries.len() + sends.len() + advances.len());
    // A full page of each shard, and the rest of it; half a read unit per 4 KB.
    assert!((9..=24).contains(&queries.len()), "{} queries", queries.len());
    let (_, _, read) = cost(&queries);
    assert!((30.0..=60.0).contains(&read), "{read} read units");
    // Ten messages per call, and for each page a call that is not full.
    assert!((100..=116).contains(&sends.len()), "{} calls", sends.len());
    let (_, written, _) = cost(&advances);
    // The job, and its old and its new entry in the index `due`.
    assert_eq!((advances.len(), written), (1_000, 3_000.0));
}
