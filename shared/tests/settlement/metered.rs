//! What is counted for the people who run it.

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use once::{ledger::Entry, testing::Cloud};
use uuid::Uuid;

use crate::ledger::{begin, deliver, deliver_all, noon, payments, record, worker};

/// How often settlements failed, and how often since sums did not agree, since this was asked last.
fn failures(snapshotter: &Snapshotter) -> (u64, u64) {
    let counted = snapshotter.snapshot().into_vec();
    let of = |name| {
        let found = counted.iter().filter(|(key, ..)| key.key().name() == name);
        found
            .map(|(_, _, _, value)| if let DebugValue::Counter(count) = value { *count } else { 0 })
            .sum()
    };
    (of("SettlementsFailed"), of("ControlTotalMismatches"))
}

#[tokio::test]
async fn sums_that_do_not_agree_are_told_from_other_failures() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let entries = payments(100);
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &entries[1..]).await;
    begin(&instance, noon()).await;
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
    begin(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    assert_eq!(failures(&snapshotter), (1, 0), "the sums are too large");
}
