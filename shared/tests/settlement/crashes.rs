//! The process dies between any two calls: what production does next completes the job, with the right bytes.

use std::time::Duration;

use once::{
    settlement::{Accepted, State},
    testing::{Cloud, Instance, Queued, crash::at_every_call_with},
};

use crate::ledger::{
    FROM, begin_a_day, days, deliver, deliver_all, downloaded, file, noon, payments_of_a_day,
    record, reports, stands,
};

const PAYMENTS: u64 = 12;

/// When `recover` has found a job quiet for long enough, whatever its lease.
fn later() -> once::time::Timestamp {
    noon().plus(Duration::from_mins(10))
}

async fn arrange(cloud: &Cloud) {
    record(cloud, &payments_of_a_day(PAYMENTS)).await;
}

/// Everything up to the message of a kind; answers the job and that message.
async fn up_to(cloud: &Cloud, instance: &Instance, kind: &str) -> (Accepted, Queued) {
    let job = begin_a_day(instance, noon()).await;
    loop {
        let mut messages = cloud.services().take_queued();
        assert!(!messages.is_empty(), "no {kind}");
        // The last batch is the one that sees that none is left.
        let wanted = messages
            .iter()
            .rposition(|message| message.body.contains(&format!(r#""kind":"{kind}""#)));
        let wanted = wanted.map(|place| messages.remove(place));
        for message in messages {
            deliver(instance, &message, 1, noon()).await.expect("done");
        }
        if let Some(wanted) = wanted {
            return (job, wanted);
        }
    }
}

/// The message comes again, and the minutes go by, twice: all there is left to do is done.
async fn recovered(cloud: &Cloud, instance: &Instance, message: Option<&Queued>) {
    if let Some(message) = message {
        deliver(instance, message, 2, later()).await.expect("done");
    }
    for minutes in [0, 1, 3, 6] {
        let now = later().plus(Duration::from_mins(minutes));
        deliver_all(cloud, instance, now).await;
        instance.app.settlement().resend_stalled(now).await.expect("a tick");
    }
    deliver_all(cloud, instance, later()).await;
}

async fn assert_completed(cloud: &Cloud, instance: &Instance, job: Accepted) {
    let job_status = stands(instance, job, later()).await;
    assert_eq!(
        (job_status.status, job_status.processed),
        (State::Completed, PAYMENTS),
        "{:?}",
        job_status.error
    );
    assert_eq!(downloaded(instance, job).await, file(&payments_of_a_day(PAYMENTS)));
    assert_eq!(reports(cloud).len(), 1);
}

fn settings(config: &mut once::config::Config) {
    config.settlement.batch_size = 7;
}

/// The worker of a message dies; the message comes again (`true`) or is lost with it.
async fn survives(kind: &'static str, again: bool) -> usize {
    at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            arrange(cloud).await;
            up_to(cloud, &cloud.instance_with(settings), kind).await
        },
        async |instance, (_, message)| drop(deliver(instance, message, 1, noon()).await),
        async |cloud, next, (job, message)| {
            recovered(cloud, next, again.then_some(message)).await;
            assert_completed(cloud, next, *job).await;
        },
    )
    .await
}

#[tokio::test]
async fn a_plan_whose_process_died_is_made_again() {
    for again in [true, false] {
        assert!(survives("plan", again).await > 2 * 8, "each shard is counted");
    }
}

#[tokio::test]
async fn a_batch_whose_process_died_is_summed_again_and_counts_once() {
    for again in [true, false] {
        // Job, batch, page, part, the move, the look for others, the job's state, the message.
        assert_eq!(survives("batch", again).await, 2 * 8);
    }
}

#[tokio::test]
async fn a_file_whose_process_died_is_written_again() {
    for again in [true, false] {
        assert!(survives("finish", again).await > 2 * 10, "each part is read twice");
    }
}

#[tokio::test]
async fn a_request_whose_process_died_leaves_a_whole_job_or_none() {
    let deaths = at_every_call_with(
        settings,
        arrange,
        async |instance, ()| {
            drop(instance.app.settlement().create(days(FROM, FROM), false, noon()).await);
        },
        async |cloud, next, ()| {
            recovered(cloud, next, None).await;
            // The caller asks again, and gets that job or, if it is over, another.
            let job = begin_a_day(next, later()).await;
            recovered(cloud, next, None).await;
            let job_status = stands(next, job, later()).await;
            assert_eq!(job_status.status, State::Completed);
            assert_eq!(downloaded(next, job).await, file(&payments_of_a_day(PAYMENTS)));
        },
    )
    .await;
    assert_eq!(deaths, 2 * 3, "who settles the days, the job, the message");
}

#[tokio::test]
async fn a_cancellation_whose_process_died_has_happened_or_not() {
    let deaths = at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            arrange(cloud).await;
            up_to(cloud, &cloud.instance_with(settings), "batch").await
        },
        async |instance, (job, _)| drop(instance.app.settlement().cancel(job.job_id, noon()).await),
        async |cloud, next, (job, _)| {
            next.app.settlement().cancel(job.job_id, later()).await.expect("cancelled");
            recovered(cloud, next, None).await;
            assert_eq!(stands(next, *job, later()).await.status, State::Cancelled);
            assert!(reports(cloud).is_empty());
        },
    )
    .await;
    assert_eq!(deaths, 2);
}

#[tokio::test]
async fn another_try_whose_process_died_is_made() {
    at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            arrange(cloud).await;
            let instance = cloud.instance_with(settings);
            let (job, batch) = up_to(cloud, &instance, "batch").await;
            let delivery = once::sqs::Delivery {
                body: batch.body.clone(),
                receipt: String::new(),
                attempt: 6,
            };
            instance.app.settlement().handle_dead_letter(&delivery, noon()).await.expect("failed");
            job
        },
        async |instance, job| drop(instance.app.settlement().retry(job.job_id, noon()).await),
        async |cloud, next, job| {
            // The caller asks again, or not: then it is as it was, or goes on by itself.
            if stands(next, *job, later()).await.status == State::Failed {
                next.app.settlement().retry(job.job_id, later()).await.expect("another run");
            }
            recovered(cloud, next, None).await;
            assert_completed(cloud, next, *job).await;
        },
    )
    .await;
}

#[tokio::test]
async fn a_tick_whose_process_died_is_done_by_the_next_one() {
    for kind in ["plan", "batch", "finish"] {
        let deaths = at_every_call_with(
            settings,
            async |cloud: &Cloud| {
                arrange(cloud).await;
                // Its message is lost.
                up_to(cloud, &cloud.instance_with(settings), kind).await.0
            },
            async |instance, _| drop(instance.app.settlement().resend_stalled(later()).await),
            async |cloud, next, job| {
                recovered(cloud, next, None).await;
                assert_completed(cloud, next, *job).await;
            },
        )
        .await;
        assert!(deaths >= 2 * 3, "{kind}: {deaths}");
    }
}
