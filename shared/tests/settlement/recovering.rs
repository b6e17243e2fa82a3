//! What a dead process has left is asked for again, once it was quiet for long enough; what is alive is left alone.

use std::time::Duration;

use once::{
    settlement::{Recovered, State},
    testing::{Cloud, Instance},
    time::Timestamp,
};

use crate::ledger::{begin, deliver, deliver_all, noon, payments, record, stands, worker};

fn after(seconds: u64) -> Timestamp {
    noon().plus(Duration::from_secs(seconds))
}

/// The kinds of the messages that a tick sends.
async fn tick(cloud: &Cloud, instance: &Instance, now: Timestamp) -> Vec<String> {
    instance.app.settlement().resend_stalled(now).await.expect("a tick");
    kinds(cloud)
}

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
async fn a_queued_job_whose_message_was_lost_is_planned() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    begin(&instance, noon()).await;
    assert_eq!(kinds(&cloud), ["plan"]);
    assert!(tick(&cloud, &instance, after(60)).await.is_empty(), "it may be under way");
    assert_eq!(tick(&cloud, &instance, after(120)).await, ["plan"]);
    assert!(
        tick(&cloud, &instance, after(359)).await.is_empty(),
        "it may be under way for twice as long"
    );
    assert_eq!(tick(&cloud, &instance, after(360)).await, ["plan"]);
    assert!(tick(&cloud, &instance, after(839)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(840)).await, ["plan"]);
}

#[tokio::test]
async fn a_job_that_waits_for_the_ledger_is_not_disturbed() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let today = crate::ledger::days("2026-11-20", "2026-11-20");
    instance.app.settlement().create(today, false, noon()).await.expect("a job");
    assert_eq!(kinds(&cloud), ["plan"]);
    assert!(tick(&cloud, &instance, after(130)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(140)).await, ["plan"]);
}

#[tokio::test]
async fn batches_whose_messages_were_lost_are_sent_again_and_only_they() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    let job = begin(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let batches = cloud.services().take_queued();
    assert!(
        tick(&cloud, &instance, after(60)).await.is_empty(),
        "the batches are seen for the first time"
    );
    deliver(&instance, &batches[0], 1, after(100)).await.expect("summed");
    assert!(tick(&cloud, &instance, after(180)).await.is_empty(), "one was summed meanwhile");
    assert!(
        tick(&cloud, &instance, after(240)).await.is_empty(),
        "a minute of quiet is not enough"
    );
    let sent = tick(&cloud, &instance, after(300)).await;
    assert_eq!(sent, vec!["batch"; batches.len() - 1]);
    assert!(tick(&cloud, &instance, after(420)).await.is_empty(), "they may wait behind others");
    for batch in &batches[1..batches.len() - 1] {
        deliver(&instance, batch, 2, after(430)).await.expect("summed");
    }
    assert_eq!(stands(&instance, job, after(440)).await.status, State::Running);
    assert!(tick(&cloud, &instance, after(480)).await.is_empty(), "some were summed meanwhile");
    assert_eq!(tick(&cloud, &instance, after(600)).await, ["batch"]);
}

#[tokio::test]
async fn a_job_whose_last_worker_died_is_finished() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    let job = begin(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut batches = cloud.services().take_queued();
    let last = batches.pop().expect("batches");
    for batch in &batches {
        deliver(&instance, batch, 1, noon()).await.expect("summed");
    }
    // It dies after the move, the sixth call being the look for others.
    let doomed = worker(&cloud);
    doomed.transport.fail_at(6, once::testing::Fault::DieBefore);
    tokio::select! {
        () = doomed.transport.death() => {}
        done = deliver(&doomed, &last, 1, noon()) => panic!("{done:?}"),
    }
    let job_status = stands(&instance, job, noon()).await;
    assert_eq!((job_status.status, job_status.progress), (State::Running, 100.0));
    assert_eq!(tick(&cloud, &instance, after(121)).await, ["finish"]);
    assert_eq!(stands(&instance, job, noon()).await.status, State::Finishing);
    assert!(tick(&cloud, &instance, after(180)).await.is_empty());
    assert_eq!(tick(&cloud, &instance, after(300)).await, ["finish"], "it never came");
}

#[tokio::test]
async fn who_shows_that_it_is_at_work_is_left_alone() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    begin(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    // Somebody plans, and dies at its third call.
    let doomed = worker(&cloud);
    doomed.transport.fail_at(3, once::testing::Fault::DieBefore);
    tokio::select! {
        () = doomed.transport.death() => {}
        done = deliver(&doomed, &plan, 1, after(100)) => panic!("{done:?}"),
    }
    // Another delivery finds it held, and leaves it.
    deliver(&instance, &plan, 2, after(110)).await.expect("left");
    assert!(kinds(&cloud).is_empty());
    assert!(tick(&cloud, &instance, after(279)).await.is_empty(), "its lease ended at 160 s");
    assert_eq!(tick(&cloud, &instance, after(280)).await, ["plan"]);
}

#[tokio::test]
async fn work_that_failed_is_taken_up_by_the_next_delivery_at_once() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let job = crate::ledger::begin_a_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    // The work is held, eight shards are counted, and then the job cannot be told.
    let troubled = worker(&cloud);
    for call in 10..=12 {
        troubled.transport.fail_at(call, once::testing::Fault::Refuse);
    }
    deliver(&troubled, &plan, 1, noon()).await.expect_err("the store failed");
    deliver(&instance, &plan, 2, after(1)).await.expect("planned");
    assert_eq!(
        stands(&instance, job, after(1)).await.status,
        State::Finishing,
        "there was nothing to sum"
    );
}

#[tokio::test]
async fn jobs_that_are_over_are_not_looked_at() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    begin(&instance, noon()).await;
    let two = instance
        .app
        .settlement()
        .create(crate::ledger::days("2026-11-18", "2026-11-18"), false, noon())
        .await;
    instance.app.settlement().cancel(two.expect("a job").job_id, noon()).await.expect("cancelled");
    deliver_all(&cloud, &instance, noon()).await;
    drop(instance.transport.take_sent());
    let recovered = instance.app.settlement().resend_stalled(after(900)).await.expect("a tick");
    assert_eq!(recovered, Recovered { live: 0, resent: 0 });
    assert_eq!(instance.transport.take_sent().len(), 1);
}

#[tokio::test]
async fn a_job_that_cannot_be_looked_at_hides_no_other() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    for day in ["2026-11-17", "2026-11-18"] {
        instance
            .app
            .settlement()
            .create(crate::ledger::days(day, day), false, noon())
            .await
            .expect("a job");
    }
    kinds(&cloud);
    // The index, two jobs, and then the message of the first, three times.
    for call in 4..=6 {
        instance.transport.fail_at(call, once::testing::Fault::Refuse);
    }
    instance.app.settlement().resend_stalled(after(300)).await.expect_err("one of them");
    assert_eq!(kinds(&cloud), ["plan"], "the other was sent");
    assert_eq!(
        tick(&cloud, &instance, after(360)).await,
        ["plan"],
        "and the first by the next tick"
    );
}
