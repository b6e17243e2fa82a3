//! What each operation costs: `docs/COSTS.md` states these numbers.

use once::{
    schedule::RunOutcome,
    testing::{Instance, cost},
};
use serde_json::json;

use crate::clockwork::{World, at, every, job, put};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn spent(instance: &Instance) -> (Vec<String>, f64, f64) {
    instance.transport.take_cost()
}

#[tokio::test]
async fn a_change_costs_a_read_and_a_write() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let id = job(&instance, &world.receiver, at(0)).await;
    // The item, and its place in the list.
    assert_eq!(spent(&instance), (calls(&["PutItem"]), 2.0, 0.0), "made");
    let schedules = instance.app.schedules();
    // The item, its place in the list, and its place among those that are due.
    put(&instance, id, every(3_600, json!({})), at(0)).await;
    assert_eq!(
        spent(&instance),
        (calls(&["GetItem", "UpdateItem"]), 3.0, 1.0),
        "a schedule that is not due soon"
    );
    // The messages, and the next place.
    put(&instance, id, every(30, json!({})), at(0)).await;
    let first = ["GetItem", "UpdateItem", "SendMessageBatch", "UpdateItem"];
    assert_eq!(spent(&instance).0, calls(&first), "a schedule that is due soon");
    schedules.pause(id, None, at(0)).await.expect("paused");
    assert_eq!(spent(&instance), (calls(&["GetItem", "UpdateItem"]), 3.0, 1.0), "paused");
    schedules.pause(id, None, at(0)).await.expect("paused");
    assert_eq!(spent(&instance), (calls(&["GetItem"]), 0.0, 1.0), "paused again");
    schedules.job(id, at(0)).await.expect("a read");
    assert_eq!(spent(&instance), (calls(&["GetItem"]), 0.0, 1.0), "looked at");
    schedules.run_now(id, None, at(0)).await.expect("asked");
    assert_eq!(
        spent(&instance),
        (calls(&["GetItem", "SendMessageBatch"]), 0.0, 1.0),
        "run by hand"
    );
    schedules.delete(id, None).await.expect("deleted");
    assert_eq!(spent(&instance), (calls(&["GetItem", "DeleteItem"]), 2.0, 1.0), "deleted");
}

#[tokio::test]
async fn a_run_costs_a_read_and_two_writes_and_its_turn_two_more() {
    for (overlap, expected, units) in [
        ("allow", calls(&["GetItem", "UpdateItem", "GetParameter", "UpdateItem"]), 2.0),
        (
            "skip",
            calls(&[
                "GetItem",
                "UpdateItem",
                "UpdateItem",
                "GetParameter",
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
                "GetParameter",
                "UpdateItem",
                "UpdateItem",
            ]),
            4.0,
        ),
    ] {
        let mut world = World::new(at(0)).await;
        let instance = world.instance();
        world.scheduled(&instance, every(60, json!({"overlap": overlap}))).await;
        let message = world.next(at(60)).expect("a message");
        spent(&instance);
        assert_eq!(message.to(&instance, at(60)).await.expect("done"), RunOutcome::Completed);
        assert_eq!(spent(&instance), (expected.clone(), units, 1.0), "{overlap}");
        // A delivery that comes twice: the job, its turn, the claim that is refused, its turn.
        assert_eq!(message.to(&instance, at(61)).await.expect("done"), RunOutcome::Before);
        let (again, ..) = spent(&instance);
        assert_eq!(again.len(), expected.len() - 2, "{again:?}");
    }
}

#[tokio::test]
async fn a_run_that_is_not_wanted_costs_two_reads() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let id = world.scheduled(&instance, every(60, json!({}))).await;
    let message = world.next(at(60)).expect("a message");
    instance.app.schedules().pause(id, None, at(30)).await.expect("paused");
    spent(&instance);
    assert_eq!(message.to(&instance, at(60)).await.expect("done"), RunOutcome::Unwanted);
    assert_eq!(spent(&instance), (calls(&["GetItem", "GetItem"]), 0.0, 2.0));
}

#[tokio::test]
async fn a_tick_that_finds_nothing_costs_eight_queries() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    world.scheduled(&instance, every(3_600, json!({}))).await;
    spent(&instance);
    world.tick(&instance, at(0)).await;
    assert_eq!(spent(&instance), (calls(&["Query"; 8]), 0.0, 4.0));
}

/// Jobs that are there, and those of them that are due in the minute.
const JOBS: u32 = 100_000;
const DUE: u32 = 1_000;

#[tokio::test]
async fn of_a_hundred_thousand_jobs_a_tick_reads_the_thousand_that_are_due() {
    let world = World::new(at(0)).await;
    let instance = world.instance();
    let due = |n| if n % (JOBS / DUE) == 0 { at(30) } else { at(7_200 + i64::from(n)) };
    world.cloud.jobs(JOBS, every(86_400, json!({})), at(0), due).await;
    let ticked = instance.app.schedules().tick(at(0)).await.expect("a tick");
    assert_eq!((ticked.jobs, ticked.sent), (1_000, 1_000));
    let sent = instance.transport.take_sent();
    let of = |operation: &str| {
        sent.iter().filter(|call| call.operation == operation).cloned().collect::<Vec<_>>()
    };
    let (queries, sends, moves) = (of("Query"), of("SendMessageBatch"), of("UpdateItem"));
    assert_eq!(sent.len(), queries.len() + sends.len() + moves.len());
    // Of each shard a full page, and what is left of it; half a read unit for 4 KB.
    assert!((9..=24).contains(&queries.len()), "{} queries", queries.len());
    let (_, _, read) = cost(&queries);
    assert!((30.0..=60.0).contains(&read), "{read} read units");
    // Ten messages a call, and for each page a call that is not full.
    assert!((100..=116).contains(&sends.len()), "{} calls", sends.len());
    let (_, written, _) = cost(&moves);
    // The job, and its old and its new place among those that are due.
    assert_eq!((moves.len(), written), (1_000, 3_000.0));
}
