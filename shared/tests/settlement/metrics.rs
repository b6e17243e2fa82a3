//! Metrics of failures.

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use once::{ledger::Entry, testing::Cloud};
use uuid::Uuid;

use crate::settlement::fixtures::{create, deliver, deliver_all, noon, payments, record, worker};

/// Returns the failed settlements, and those of them with control totals that differ, since the
/// last call.
fn failures(snapshotter: &Snapshotter) -> (u64, u64) {
    let metrics = snapshotter.snapshot().into_vec();
    let count = |name| {
        let found = metrics.iter().filter(|(key, ..)| key.key().name() == name);
        found
            .map(|(_, _, _, value)| if let DebugValue::Counter(count) = value { *count } else { 0 })
            .sum()
    };
    (count("SettlementsFailed"), count("ControlTotalMismatches"))
}

#[tokio::test]
async fn mismatches_of_control_totals_are_counted_separately_from_other_failures() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let entries = payments(100);
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &entries[1..]).await;
    create(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    record(&cloud, &entries[..1]).await;
    deliver_all(&cloud, &instance, noon()).await;
    assert_eq!(failures(&snapshotter), (1, 1), "the ledger has changed");

    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let sale = |n| {
        Entry::sale(Uuid::from_u128(n), "merchant_001", i64::MAX / 3, 0, entries[1].recorded_at)
    };
    record(&cloud, &(0..8).map(sale).collect::<Vec<_>>()).await;
    create(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    assert_eq!(failures(&snapshotter), (1, 0), "the sums are too large");
}
