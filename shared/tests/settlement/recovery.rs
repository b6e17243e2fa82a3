//! Work of a dead process is resent once nothing has happened for the timeout; active work is not.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    settlement::{ResendSummary, State},
    testing::{Cloud, Instance, SETTLEMENTS_TABLE},
    time::Timestamp,
};

use crate::settlement::fixtures::{
    create, deliver, deliver_all, noon, payments, record, status_of, worker,
};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn after(seconds: u64) -> Timestamp {
    noon().plus(Duration::from_secs(seconds))
}

/// Resends stalled work, and returns the kinds of the messages sent.
async fn tick(cloud: &Cloud, instance: &Instance, now: Timestamp) -> Vec<String> {
    instance.app.settlement().resend_stalled(now).await.expect("a tick");
    kinds(cloud)
}

/// Takes the messages, and returns their kinds.
fn kinds(cloud: &Cloud) -> Vec<String> {
    let messages = cloud.services().take_queued().into_iter();
    let kind = |body: &str| {
        serde_json::from_str::<serde_json::Value>(body).expect("JSON")["kind"]
            .as_str()
            .map(str::to_owned)
    };
    messages.filter_map(|message| kind(&message.body)).collect()
}

#[tokio::test]
async fn a_queued_settlement_whose_message_was_lost_is_planned() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    create(&instance, noon()).await;
    assert_eq!(kinds(&cloud), ["plan"]);
    assert!(
        tick(&cloud, &instance, after(60)).await.is_empty(),
        "the message may still be in the queue"
    );
    assert_eq!(tick(&cloud, &instance, after(120)).await, ["plan"]);
    assert!(tick(&cloud, &instance, after(359)).await.is_empty(), "the timeout has doubled");
    assert_eq!(tick(&cloud, &instance, after(360)).await, ["plan"]);
    assert!(tick(&cloud, &instance, after(839)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(840)).await, ["plan"]);
}

#[tokio::test]
async fn a_settlement_that_waits_for_the_ledger_is_not_resent() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let today = crate::settlement::fixtures::days("2026-11-20", "2026-11-20");
    instance.app.settlement().create(today, false, noon()).await.expect("a job");
    assert_eq!(kinds(&cloud), ["plan"]);
    assert!(tick(&cloud, &instance, after(149)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(150)).await, ["plan"]);
}

#[tokio::test]
async fn only_batches_whose_messages_were_lost_are_resent() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    let job = create(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let batches = cloud.services().take_queued();
    assert!(
        tick(&cloud, &instance, after(60)).await.is_empty(),
        "the first check only records the pending batches"
    );
    deliver(&instance, &batches[0], 1, after(100)).await.expect("summed");
    assert!(tick(&cloud, &instance, after(180)).await.is_empty(), "one was summed since");
    assert!(
        tick(&cloud, &instance, after(240)).await.is_empty(),
        "a minute without progress is not enough"
    );
    let sent = tick(&cloud, &instance, after(300)).await;
    assert_eq!(sent, vec!["batch"; batches.len() - 1]);
    assert!(tick(&cloud, &instance, after(420)).await.is_empty(), "the timeout has doubled");
    for batch in &batches[1..batches.len() - 1] {
        deliver(&instance, batch, 2, after(430)).await.expect("summed");
    }
    assert_eq!(status_of(&instance, job, after(440)).await.status, State::Running);
    assert!(tick(&cloud, &instance, after(480)).await.is_empty(), "some were summed since");
    assert_eq!(tick(&cloud, &instance, after(600)).await, ["batch"]);
}

#[tokio::test]
async fn a_settlement_whose_last_batch_worker_died_is_finished() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    let job = create(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut batches = cloud.services().take_queued();
    let last = batches.pop().expect("batches");
    for batch in &batches {
        deliver(&instance, batch, 1, noon()).await.expect("summed");
    }
    // It dies after the move to DONE: the sixth call checks for pending batches.
    let crashing = worker(&cloud);
    crashing.transport.fail_at(6, once::testing::Fault::CrashBefore);
    tokio::select! {
        () = crashing.transport.crashed() => {}
        done = deliver(&crashing, &last, 1, noon()) => panic!("{done:?}"),
    }
    let job_status = status_of(&instance, job, noon()).await;
    assert_eq!((job_status.status, job_status.progress), (State::Running, 100.0));
    assert_eq!(tick(&cloud, &instance, after(121)).await, ["finish"]);
    assert_eq!(status_of(&instance, job, noon()).await.status, State::Finishing);
    assert!(tick(&cloud, &instance, after(180)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(300)).await, ["finish"], "the message was lost");
}

#[tokio::test]
async fn work_with_an_active_lease_is_not_resent() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    create(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    // A worker plans, and dies at its third call.
    let crashing = worker(&cloud);
    crashing.transport.fail_at(3, once::testing::Fault::CrashBefore);
    tokio::select! {
        () = crashing.transport.crashed() => {}
        done = deliver(&crashing, &plan, 1, after(100)) => panic!("{done:?}"),
    }
    // Another delivery finds the lease active, and skips the work.
    deliver(&instance, &plan, 2, after(110)).await.expect("skipped");
    assert!(kinds(&cloud).is_empty());
    assert!(tick(&cloud, &instance, after(279)).await.is_empty(), "its lease ended at 160 s");
    assert_eq!(tick(&cloud, &instance, after(280)).await, ["plan"]);
}

#[tokio::test]
async fn a_process_that_is_the_only_one_continues_the_work_of_the_one_before() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let job = crate::settlement::fixtures::create_one_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    let crashing = worker(&cloud);
    crashing.transport.fail_at(3, once::testing::Fault::CrashBefore);
    tokio::select! {
        () = crashing.transport.crashed() => {}
        done = deliver(&crashing, &plan, 1, noon()) => panic!("{done:?}"),
    }
    // Its message is lost, too.
    let settlement = instance.app.settlement();
    assert_eq!(settlement.resume(after(1)).await.expect("resent"), 1);
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, after(1)).await.expect("planned, without a lease in the way");
    assert_eq!(status_of(&instance, job, after(1)).await.status, State::Finishing);
    let [_lost] = cloud.services().take_queued().try_into().expect("one message");
    assert_eq!(settlement.resume(after(2)).await.expect("resent"), 1);
    let [finish] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &finish, 1, after(2)).await.expect("finished");
    assert_eq!(settlement.resume(after(3)).await.expect("nothing to do"), 0);
}

#[tokio::test]
async fn the_next_delivery_of_failed_work_need_not_wait_for_the_lease() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let job = crate::settlement::fixtures::create_one_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    // Acquires the lease, counts eight shards, and then fails to record the plan.
    let faulty = worker(&cloud);
    for call in 10..=12 {
        faulty.transport.fail_at(call, once::testing::Fault::Refuse);
    }
    deliver(&faulty, &plan, 1, noon()).await.expect_err("the store failed");
    deliver(&instance, &plan, 2, after(1)).await.expect("planned");
    assert_eq!(
        status_of(&instance, job, after(1)).await.status,
        State::Finishing,
        "there was nothing to sum"
    );
}

#[tokio::test]
async fn settlements_that_have_ended_are_not_checked() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    create(&instance, noon()).await;
    let other = instance
        .app
        .settlement()
        .create(crate::settlement::fixtures::days("2026-11-18", "2026-11-18"), false, noon())
        .await;
    instance
        .app
        .settlement()
        .cancel(other.expect("a job").job_id, noon())
        .await
        .expect("cancelled");
    deliver_all(&cloud, &instance, noon()).await;
    drop(instance.transport.take_calls());
    let summary = instance.app.settlement().resend_stalled(after(900)).await.expect("a tick");
    assert_eq!(summary, ResendSummary { live: 0, resent: 0 });
    assert_eq!(instance.transport.take_calls().len(), 1);
}

#[tokio::test]
async fn a_settlement_whose_check_fails_does_not_affect_others() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    create_two(&instance).await;
    kinds(&cloud);
    refuse_the_first_message(&instance);
    instance.app.settlement().resend_stalled(after(300)).await.expect_err("one of them");
    assert_eq!(kinds(&cloud), ["plan"], "the other was sent");
    assert_eq!(
        tick(&cloud, &instance, after(360)).await,
        ["plan"],
        "and the first one by the next tick"
    );
}

#[tokio::test]
async fn a_settlement_that_cannot_be_resumed_does_not_affect_others() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    create_two(&instance).await;
    kinds(&cloud);
    refuse_the_first_message(&instance);
    let resumed = instance.app.settlement().resume(after(1)).await;
    assert_eq!(resumed.expect("a list"), 1);
    assert_eq!(kinds(&cloud), ["plan"], "the other was sent");
    assert_eq!(
        tick(&cloud, &instance, after(300)).await,
        ["plan", "plan"],
        "and both if they stall"
    );
}

#[tokio::test]
async fn a_settlement_that_cannot_be_read_does_not_affect_others() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let [first, _] = create_two(&instance).await;
    kinds(&cloud);
    let key = cloud
        .items(SETTLEMENTS_TABLE)
        .await
        .into_iter()
        .find(|item| item.contains_key("state") && item["id"] == text(&first))
        .map(|item| ["pk", "sk"].map(|name| (name.to_owned(), item[name].clone())));
    let update = cloud.client().update_item().table_name(SETTLEMENTS_TABLE);
    let update = update.set_key(key.map(HashMap::from)).update_expression("SET #s = :none");
    let update = update.expression_attribute_names("#s", "state");
    update.expression_attribute_values(":none", text("none")).send().await.expect("an update");
    let settlement = instance.app.settlement();
    assert_eq!(settlement.resume(after(1)).await.expect("a list"), 1);
    settlement.resend_stalled(after(300)).await.expect_err("one of them");
    assert_eq!(kinds(&cloud), ["plan", "plan"], "the other was sent each time");
}

async fn create_two(instance: &Instance) -> [String; 2] {
    let create = async |day| {
        let days = crate::settlement::fixtures::days(day, day);
        let created = instance.app.settlement().create(days, false, noon()).await;
        created.expect("a job").job_id.to_string()
    };
    [create("2026-11-17").await, create("2026-11-18").await]
}

/// Fails the calls after the index and the first settlement: three attempts to send its message.
fn refuse_the_first_message(instance: &Instance) {
    for call in 3..=5 {
        instance.transport.fail_at(call, once::testing::Fault::Refuse);
    }
}
