//! A cancellation races with each step of a settlement: exactly one of them is applied, and nothing
//! is published partially.

use std::time::Duration;

use futures_util::future::join;
use once::{
    settlement::{AcceptedJob, CancelError, DownloadError, State},
    testing::{Cloud, Fault, Instance, QueuedMessage, SETTLEMENTS_TABLE},
};

use crate::settlement::fixtures::{
    create_one_day, deliver, deliver_all, download, expected_file, noon, payments_of_one_day,
    record, reports, status_of, worker,
};

/// Number of repetitions of each race.
const RACES: u64 = 150;

/// Payments of a settlement.
const PAYMENTS: u64 = 12;

/// An instance whose calls are delayed at random, seeded by the race.
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

/// Waits until an instance has sent `calls` calls.
async fn wait_for_calls(instance: &Instance, calls: u64) {
    let mut sent = 0;
    while sent < calls {
        sent += u64::try_from(instance.transport.take_calls().len()).expect("few");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

async fn cancel(instance: &Instance, job: AcceptedJob) -> Result<(), CancelError> {
    instance.app.settlement().cancel(job.job_id, noon()).await
}

/// Asserts that the settlement is cancelled and nothing is published, or that it is completed and
/// all of it is published. Returns whether it is cancelled.
async fn assert_exactly_one_applied(
    cloud: &Cloud,
    job: AcceptedJob,
    cancelled: &Result<(), CancelError>,
    expected: &str,
) -> bool {
    let instance = worker(cloud);
    deliver_all(cloud, &instance, noon()).await;
    let state = status_of(&instance, job, noon()).await.status;
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
            let error = instance
                .app
                .settlement()
                .download(job.job_id, |_| false)
                .await
                .expect_err("no file");
            assert!(matches!(error, DownloadError::Ended(State::Cancelled)), "{error}");
            cancel(&instance, job).await.expect("cancelled already");
        }
        Err(CancelError::NotCancellable(State::Finishing | State::Completed)) => {
            assert_eq!(
                (state, download(&instance, job).await.as_str()),
                (State::Completed, expected)
            );
            let late = cancel(&instance, job).await.expect_err("too late");
            assert!(matches!(late, CancelError::NotCancellable(State::Completed)), "{late}");
        }
        Err(other) => panic!("{other}"),
    }
    cancelled.is_ok()
}

/// Creates a settlement and sums its batches except the last `pending`, whose messages it returns.
async fn with_pending(cloud: &Cloud, pending: usize) -> (AcceptedJob, Vec<QueuedMessage>) {
    let instance = worker(cloud);
    let job = create_one_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut batches = cloud.services().take_queued();
    for batch in batches.drain(..batches.len() - pending) {
        deliver(&instance, &batch, 1, noon()).await.expect("summed");
    }
    (job, batches)
}

#[tokio::test]
async fn a_cancellation_and_the_last_batch_exclude_each_other() {
    let entries = payments_of_one_day(PAYMENTS);
    let mut cancellations = 0;
    for race in 0..RACES {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (job, last) = with_pending(&cloud, 1).await;
        let (working, cancelling) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let summed =
            async { deliver(&working, &last[0], 1, noon()).await.expect("done or skipped") };
        let cancelled = async {
            // Before each of the worker's calls in turn.
            wait_for_calls(&working, race % 9).await;
            cancel(&cancelling, job).await
        };
        let ((), cancelled) = Box::pin(join(summed, cancelled)).await;
        cancellations += u32::from(
            assert_exactly_one_applied(&cloud, job, &cancelled, &expected_file(&entries)).await,
        );
    }
    let happened = (5..RACES - 5).contains(&cancellations.into());
    assert!(happened, "each is applied sometimes, but {cancellations} were cancelled");
}

#[tokio::test]
async fn a_cancellation_and_a_whole_run_exclude_each_other() {
    let entries = payments_of_one_day(PAYMENTS);
    let mut cancellations = 0;
    for race in 0..RACES {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (working, cancelling) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let job = create_one_day(&worker(&cloud), noon()).await;
        let run = async {
            loop {
                let messages = cloud.services().take_queued();
                if messages.is_empty() {
                    break;
                }
                for message in messages {
                    deliver(&working, &message, 1, noon()).await.expect("done or skipped");
                }
            }
        };
        let cancelled = async {
            // Up to the last batch: there is at most one for each of the eight shards.
            wait_for_calls(&working, race % 60).await;
            cancel(&cancelling, job).await
        };
        let ((), cancelled) = Box::pin(join(run, cancelled)).await;
        cancellations += u32::from(
            assert_exactly_one_applied(&cloud, job, &cancelled, &expected_file(&entries)).await,
        );
    }
    let happened = (5..RACES - 5).contains(&cancellations.into());
    assert!(happened, "each is applied sometimes, but {cancellations} were cancelled");
}

#[tokio::test]
async fn a_settlement_that_is_being_published_is_never_cancelled() {
    let entries = payments_of_one_day(PAYMENTS);
    for race in 0..RACES / 3 {
        let cloud = Cloud::start().await;
        record(&cloud, &entries).await;
        let (job, _) = with_pending(&cloud, 0).await;
        let [finish] = cloud.services().take_queued().try_into().expect("one message");
        let (working, cancelling) = (slow(&cloud, race), slow(&cloud, race + RACES));
        let finished = async { deliver(&working, &finish, 1, noon()).await.expect("done") };
        let cancelled = async {
            wait_for_calls(&working, race % 25).await;
            cancel(&cancelling, job).await
        };
        let ((), cancelled) = Box::pin(join(finished, cancelled)).await;
        assert!(
            !assert_exactly_one_applied(&cloud, job, &cancelled, &expected_file(&entries)).await
        );
    }
}

#[tokio::test]
async fn no_further_page_is_read_after_a_cancellation() {
    let cloud = Cloud::start().await;
    // A batch of more than one page of the store: a megabyte, some 3 000 entries of this size.
    let day = payments_of_one_day(2)[1].recorded_at;
    let entries: Vec<_> = (0..40_000_u128)
        .map(|n| once::ledger::Entry::sale(uuid::Uuid::from_u128(n), "merchant_001", 100, 3, day))
        .collect();
    record(&cloud, &entries).await;
    let instance = cloud.instance_with(|config| config.settlement.batch_size = 100_000);
    let job = create_one_day(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let batches = cloud.services().take_queued();
    drop(instance.transport.take_calls());
    // The third call reads the first page: it lasts until the settlement is cancelled.
    instance.transport.fail_at(3, Fault::Delay(Duration::from_millis(300)));
    let reading = async { deliver(&instance, &batches[0], 1, noon()).await.expect("skipped") };
    let cancellation = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        cancel(&worker(&cloud), job).await.expect("cancelled");
    };
    Box::pin(join(reading, cancellation)).await;
    let sent: Vec<_> =
        instance.transport.take_calls().into_iter().map(|call| call.operation).collect();
    assert_eq!(
        sent,
        ["GetItem", "GetItem", "Query", "GetItem"],
        "the page that was being read is followed by no other"
    );
}
