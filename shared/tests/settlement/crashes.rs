//! A process dies between any two calls: redelivery or `settlement-recover` completes the
//! settlement, with the right bytes.

use std::time::Duration;

use once::{
    settlement::{AcceptedJob, State},
    testing::{Cloud, Instance, QueuedMessage, crash::at_every_call_with},
};

use crate::settlement::fixtures::{
    FROM, create_one_day, days, deliver, deliver_all, download, expected_file, noon,
    payments_of_one_day, record, reports, status_of,
};

const PAYMENTS: u64 = 12;

/// When `settlement-recover` considers a settlement stalled, regardless of its lease.
fn later() -> once::time::Timestamp {
    noon().plus(Duration::from_mins(10))
}

async fn record_payments(cloud: &Cloud) {
    record(cloud, &payments_of_one_day(PAYMENTS)).await;
}

/// Creates a settlement and processes it up to a message of this kind. Returns that message.
async fn process_until(
    cloud: &Cloud,
    instance: &Instance,
    kind: &str,
) -> (AcceptedJob, QueuedMessage) {
    let job = create_one_day(instance, noon()).await;
    loop {
        let mut messages = cloud.services().take_queued();
        assert!(!messages.is_empty(), "no {kind}");
        // The last batch is the one that finds none pending.
        let index = messages
            .iter()
            .rposition(|message| message.body.contains(&format!(r#""kind":"{kind}""#)));
        let wanted = index.map(|index| messages.remove(index));
        for message in messages {
            deliver(instance, &message, 1, noon()).await.expect("done");
        }
        if let Some(wanted) = wanted {
            return (job, wanted);
        }
    }
}

/// Delivers the message again, if there is one, and then resends stalled work for some minutes.
async fn recover(cloud: &Cloud, instance: &Instance, message: Option<&QueuedMessage>) {
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

async fn assert_completed(cloud: &Cloud, instance: &Instance, job: AcceptedJob) {
    let job_status = status_of(instance, job, later()).await;
    assert_eq!(
        (job_status.status, job_status.processed),
        (State::Completed, PAYMENTS),
        "{:?}",
        job_status.error
    );
    assert_eq!(download(instance, job).await, expected_file(&payments_of_one_day(PAYMENTS)));
    assert_eq!(reports(cloud).len(), 1);
}

fn settings(config: &mut once::config::Config) {
    config.settlement.batch_size = 7;
}

/// Asserts that a settlement completes although the worker of a message of this kind dies at any of
/// its calls, after which the message is redelivered or lost. Returns the number of crashes.
async fn assert_survives(kind: &'static str, is_redelivered: bool) -> usize {
    at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            record_payments(cloud).await;
            process_until(cloud, &cloud.instance_with(settings), kind).await
        },
        async |instance, (_, message)| drop(deliver(instance, message, 1, noon()).await),
        async |cloud, next, (job, message)| {
            recover(cloud, next, is_redelivered.then_some(message)).await;
            assert_completed(cloud, next, *job).await;
        },
    )
    .await
}

#[tokio::test]
async fn a_plan_whose_worker_died_is_repeated() {
    for is_redelivered in [true, false] {
        assert!(assert_survives("plan", is_redelivered).await > 2 * 8, "each shard is counted");
    }
}

#[tokio::test]
async fn a_batch_whose_worker_died_is_summed_again_and_counts_once() {
    for is_redelivered in [true, false] {
        // Settlement, batch, page, part, move to DONE, pending batches, transition, message.
        assert_eq!(assert_survives("batch", is_redelivered).await, 2 * 8);
    }
}

#[tokio::test]
async fn a_file_whose_worker_died_is_written_again() {
    for is_redelivered in [true, false] {
        assert!(
            assert_survives("finish", is_redelivered).await > 2 * 10,
            "each part is read twice"
        );
    }
}

#[tokio::test]
async fn a_request_whose_process_died_leaves_a_complete_settlement_or_none() {
    let crashes = at_every_call_with(
        settings,
        record_payments,
        async |instance, ()| {
            drop(instance.app.settlement().create(days(FROM, FROM), false, noon()).await);
        },
        async |cloud, next, ()| {
            recover(cloud, next, None).await;
            // The caller repeats the request, and joins that settlement or, if it has ended, starts
            // another.
            let job = create_one_day(next, later()).await;
            recover(cloud, next, None).await;
            let job_status = status_of(next, job, later()).await;
            assert_eq!(job_status.status, State::Completed);
            assert_eq!(download(next, job).await, expected_file(&payments_of_one_day(PAYMENTS)));
        },
    )
    .await;
    assert_eq!(crashes, 2 * 3, "the latest settlement of the days, the new one, the message");
}

#[tokio::test]
async fn a_cancellation_whose_process_died_can_be_repeated() {
    let crashes = at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            record_payments(cloud).await;
            process_until(cloud, &cloud.instance_with(settings), "batch").await
        },
        async |instance, (job, _)| drop(instance.app.settlement().cancel(job.job_id, noon()).await),
        async |cloud, next, (job, _)| {
            next.app.settlement().cancel(job.job_id, later()).await.expect("cancelled");
            recover(cloud, next, None).await;
            assert_eq!(status_of(next, *job, later()).await.status, State::Cancelled);
            assert!(reports(cloud).is_empty());
        },
    )
    .await;
    assert_eq!(crashes, 2);
}

#[tokio::test]
async fn a_retry_whose_process_died_takes_effect_or_can_be_repeated() {
    at_every_call_with(
        settings,
        async |cloud: &Cloud| {
            record_payments(cloud).await;
            let instance = cloud.instance_with(settings);
            let (job, batch) = process_until(cloud, &instance, "batch").await;
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
            // The settlement has still failed, and the caller retries it, or it continues by
            // itself.
            if status_of(next, *job, later()).await.status == State::Failed {
                next.app.settlement().retry(job.job_id, later()).await.expect("another run");
            }
            recover(cloud, next, None).await;
            assert_completed(cloud, next, *job).await;
        },
    )
    .await;
}

#[tokio::test]
async fn resending_that_died_is_completed_by_the_next_tick() {
    for kind in ["plan", "batch", "finish"] {
        let crashes = at_every_call_with(
            settings,
            async |cloud: &Cloud| {
                record_payments(cloud).await;
                // The message is lost.
                process_until(cloud, &cloud.instance_with(settings), kind).await.0
            },
            async |instance, _| drop(instance.app.settlement().resend_stalled(later()).await),
            async |cloud, next, job| {
                recover(cloud, next, None).await;
                assert_completed(cloud, next, *job).await;
            },
        )
        .await;
        assert!(crashes >= 2 * 3, "{kind}: {crashes}");
    }
}
