//! The process dies between any two calls: what production does next completes the job, with the right bytes.

use std::time::Duration;

use once::{
    settlement::{Accepted, State},
    testing::{Cloud, Process, Queued, crash::at_every_call_with},
};

use crate::ledger::{
    FROM, begin_a_day, days, deliver, deliver_all, downloaded, file, noon, payments_of_a_day, record, reports, stands,
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
async fn up_to(cloud: &Cloud, process: &Process, kind: &str) -> (Accepted, Queued) {
    let job = begin_a_day(process, noon()).await;
    loop {
        let mut messages = cloud.outside().take_queued();
        assert!(!messages.is_empty(), "no {kind}");
        // The last batch is the one that sees that none is left.
        let wanted = messages.iter().rposition(|message| message.body.contains(&format!(r#""kind":"{kind}""#)));
        let wanted = wanted.map(|place| messages.remove(place));
        for message in messages {
            deliver(process, &message, 1, noon()).await.expect("done");
        }
        if let Some(wanted) = wanted {
            return (job, wanted);
        }
    }
}

/// The message comes again, and the minutes go by, twice: all there is left to do is done.
async fn recovered(cloud: &Cloud, process: &Process, message: Option<&Queued>) {
    if let Some(message) = message {
        deliver(process, message, 2, later()).await.expect("done");
    }
    for minutes in [0, 1, 3, 6] {
        let now = later().plus(Duration::from_mins(minutes));
        deliver_all(cloud, process, now).await;
        process.app.settlement().recover(now).await.expect("a tick");
    }
    deliver_all(cloud, process, later()).await;
}

async fn assert_completed(cloud: &Cloud, process: &Process, job: Accepted) {
    let standing = stands(process, job, later()).await;
    assert_eq!((standing.status, standing.processed), (State::Completed, PAYMENTS), "{:?}", standing.error);
    assert_eq!(downloaded(process, job).await, file(&payments_of_a_day(PAYMENTS)));
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
            up_to(cloud, &cloud.process_with(settings), kind).await
        },
        async |process, (_, message)| drop(deliver(process, message, 1, noon()).await),
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
        async |process, ()| {
            drop(process.app.settlement().create(days(FROM, FROM), false, noon()).await);
        },
        async |cloud, next, ()| {
            recovered(cloud, next, None).await;
            // The caller asks again, and gets that job or, if it is over, another.
            let job = begin_a_day(next, later()).await;
            recovered(cloud, next, None).await;
            let standing = stands(next, job, later()).await;
            assert_eq!(standing.status, State::Completed);
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
            up_to(cloud, &cloud.process_with(settings), "batch").await
        },
        async |process, (job, _)| drop(process.app.settlement().cancel(job.job_id, noon()).await),
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
            let process = cloud.process_with(settings);
            let (job, batch) = up_to(cloud, &process, "batch").await;
            let delivery = once::sqs::Delivery { body: batch.body.clone(), receipt: String::new(), attempt: 6 };
            process.app.settlement().give_up(&delivery, noon()).await.expect("failed");
            job
        },
        async |process, job| drop(process.app.settlement().retry(job.job_id, noon()).await),
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
                up_to(cloud, &cloud.process_with(settings), kind).await.0
            },
            async |process, _| drop(process.app.settlement().recover(later()).await),
            async |cloud, next, job| {
                recovered(cloud, next, None).await;
                assert_completed(cloud, next, *job).await;
            },
        )
        .await;
        assert!(deaths >= 2 * 3, "{kind}: {deaths}");
    }
}
