//! A cancellation against everything that a job does: one of them wins, and nothing is half published.

use std::time::Duration;

use futures_util::future::join;
use once::{
    settlement::{Accepted, CancelError, DownloadError, State},
    testing::{Cloud, Fault, Instance, Queued, SETTLEMENTS_TABLE},
};

use crate::ledger::{
    begin_a_day, deliver, deliver_all, downloaded, file, noon, payments_of_a_day, record, reports,
    stands, worker,
};

/// How often each race is run.
const RACES: u64 = 150;

/// Payments of a job.
const PAYMENTS: u64 = 12;

/// A process whose calls take their time, each race another.
fn slow(cloud: &Cloud, race: u64) -> Instance {
    let instance = worker(cloud);
    for (n, millis) in [(1, 1), (2, 2), (3, 4)] {
        instance.transport.fail_randomly(
            race * 8 + n,
            0.3,
            Fault::Delay(Duration::from_millis(millis)),
        );
    }
    instance
}

/// Ends when a process has sent so many calls.
async fn sent(instance: &Instance, calls: u64) {
    let mut seen = 0;
    while seen < calls {
        seen += u64::try_from(instance.transport.take_sent().len()).expect("few");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

async fn cancel(instance: &Instance, job: Accepted) -> Result<(), CancelError> {
    instance.app.settlement().cancel(job.job_id, noon()).await
}

/// Either the job is cancelled for good and nothing is published, or it is completed and all of it is.
async fn assert_one_winner(
    cloud: &Cloud,
    job: Accepted,
    cancelled: &Result<(), CancelError>,
    whole: &str,
) -> bool {
    let instance = worker(cloud);
    deliver_all(cloud, &instance, noon()).await;
    let state = stands(&instance, job, noon()).await.status;
    match cancelled {
        Ok(()) => {
            assert_eq!(state, State::Cancelled);
            assert!(reports(cloud).is_empty() && cloud.services().unfinished_uploads() == 0);
            let items = cloud.items(SETTLEMENTS_TABLE).await;
            assert!(
                !items
                    .iter()
                    .any(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("MERCHANT#")))
            );
            let gone = instance
                .app
                .settlement()
                .download(job.job_id, |_| false)
                .await
                .expect_err("nothing");
            assert!(matches!(gone, DownloadError::Ended(State::Cancelled)), "{gone}");
            cancel(&instance, job).await.expect("cancelled already");
        }
        Err(CancelError::TooLate(State::Finishing | State::Completed)) => {
            assert_eq!(
                (state, downloaded(&instance, job).await.as_str()),
                (State::Completed, whole)
            );
            let late = cancel(&instance, job).await.expect_err("too late");
            assert!(matches!(late, CancelError::TooLate(State::Completed)), "{late}");
        }
        Err(other) => panic!("{other}"),
    }
    cancelled.is_ok()
}

/// A job of which only so many batches are left.
async fn all_but(cloud: &Cloud, left: usize) -> (Accepted, Vec<Queued>) {
    let instance = worker(cloud);
    let job = begin_a_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut batches = cloud.services().take_queued();
    for batch in batches.drain(..batches.len() - left) {
        deliver(&instance, &batch, 1, noon()).await.expect("summed");
    }
    (job, batches)
}

#[tokio::test]
async fn against_the_last_batch_one_wins() {
    let entries = payments_of_a_day(PAYMENTS);
    let mut won = 0;
    for race in 0..RACES {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (job, last) = all_but(&cloud, 1).await;
        let (one, other) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let summed = async { deliver(&one, &last[0], 1, noon()).await.expect("done or unwanted") };
        let late = async {
            // At each of its calls in turn.
            sent(&one, race % 9).await;
            cancel(&other, job).await
        };
        let ((), cancelled) = Box::pin(join(summed, late)).await;
        won += u32::from(assert_one_winner(&cloud, job, &cancelled, &file(&entries)).await);
    }
    assert!((5..RACES - 5).contains(&won.into()), "both win sometimes: {won}");
}

#[tokio::test]
async fn against_the_plan_one_wins() {
    let entries = payments_of_a_day(PAYMENTS);
    let mut won = 0;
    for race in 0..RACES {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (one, other) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let job = begin_a_day(&worker(&cloud), noon()).await;
        let whole = async {
            loop {
                let messages = cloud.services().take_queued();
                if messages.is_empty() {
                    break;
                }
                for message in messages {
                    deliver(&one, &message, 1, noon()).await.expect("done or unwanted");
                }
            }
        };
        let late = async {
            // Up to the last batch: it has no more than one for each of the eight shards.
            sent(&one, race % 60).await;
            cancel(&other, job).await
        };
        let ((), cancelled) = Box::pin(join(whole, late)).await;
        won += u32::from(assert_one_winner(&cloud, job, &cancelled, &file(&entries)).await);
    }
    assert!((5..RACES - 5).contains(&won.into()), "both win sometimes: {won}");
}

#[tokio::test]
async fn against_the_file_the_file_wins() {
    let entries = payments_of_a_day(PAYMENTS);
    for race in 0..RACES / 3 {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (job, _) = all_but(&cloud, 0).await;
        let [finish] = cloud.services().take_queued().try_into().expect("one message");
        let (one, other) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let finished = async { deliver(&one, &finish, 1, noon()).await.expect("done") };
        let late = async {
            sent(&one, race % 25).await;
            cancel(&other, job).await
        };
        let ((), cancelled) = Box::pin(join(finished, late)).await;
        assert!(!assert_one_winner(&cloud, job, &cancelled, &file(&entries)).await);
    }
}

#[tokio::test]
async fn no_page_is_read_after_a_cancellation() {
    let cloud = Cloud::start().await;
    // A batch of more than a page of the store, which is a megabyte: some 3 000 entries of this size.
    let day = payments_of_a_day(2)[1].recorded_at;
    let entries: Vec<_> = (0..40_000_u128)
        .map(|n| once::ledger::Entry::sale(uuid::Uuid::from_u128(n), "merchant_001", 100, 3, day))
        .collect();
    record(&cloud, &entries).await;
    let instance = cloud.instance_with(|config| config.settlement.batch_size = 100_000);
    let job = begin_a_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let batches = cloud.services().take_queued();
    drop(instance.transport.take_sent());
    // The third call is the first page: it takes until the job is cancelled.
    instance.transport.fail_at(3, Fault::Delay(Duration::from_millis(300)));
    let reading = async { deliver(&instance, &batches[0], 1, noon()).await.expect("unwanted") };
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel(&worker(&cloud), job).await.expect("cancelled");
    };
    Box::pin(join(reading, cancelling)).await;
    let sent: Vec<_> =
        instance.transport.take_sent().into_iter().map(|call| call.operation).collect();
    assert_eq!(
        sent,
        ["GetItem", "GetItem", "Query", "GetItem"],
        "the page was under way, and no other followed"
    );
}
