//! The metrics of accepting ids and of closing minutes.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use once::testing::{Cloud, Fault};

use crate::uniques::fixtures::{accept, at, new_instance};

/// Takes the counters that are not zero.
fn take_counters(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let counters = metrics.filter_map(|(key, _, _, value)| match value {
        DebugValue::Counter(count) if count > 0 => Some((key.key().name().to_owned(), count)),
        _ => None,
    });
    counters.collect()
}

fn counters<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(name, count)| (name.to_owned(), count)).into()
}

/// Takes the values of a histogram.
fn take_values(snapshotter: &Snapshotter, name: &str) -> Vec<f64> {
    let metrics = snapshotter.snapshot().into_vec().into_iter();
    let values = metrics.filter(|(key, ..)| key.key().name() == name).flat_map(
        |(_, _, _, value)| match value {
            DebugValue::Histogram(values) => values,
            _ => Vec::new(),
        },
    );
    values.map(Into::into).collect()
}

#[tokio::test]
async fn each_successful_tick_records_the_number_of_overdue_minutes() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let closer = instance.app.minute_closer();
    closer.tick(at(0, 0)).await.expect("a tick");
    assert_eq!(take_values(&snapshotter, "MinutesOverdue"), [0.0], "no id was ever accepted");
    accept(&instance, 1, at(0, 1)).await.expect("recorded");
    instance.transport.fail_randomly(1, 1.0, Fault::Throttle);
    closer.tick(at(9, 15)).await.expect_err("throttled");
    assert!(
        take_values(&snapshotter, "MinutesOverdue").is_empty(),
        "a failed tick records nothing"
    );
    instance.transport.heal();
    closer.tick(at(9, 15)).await.expect("a tick");
    assert_eq!(take_values(&snapshotter, "MinutesOverdue"), [0.0], "all are published");
}

#[tokio::test]
async fn every_answer_is_counted_by_its_kind() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for id in [1, 2, 2, 3, 1] {
        accept(&instance, id, at(0, 1)).await.expect("an answer");
    }
    assert_eq!(take_counters(&snapshotter), counters([("AcceptedIds", 3), ("DuplicateIds", 2)]));
    instance.transport.fail_randomly(1, 1.0, Fault::Throttle);
    accept(&instance, 4, at(0, 2)).await.expect_err("throttled");
    assert_eq!(take_counters(&snapshotter), counters([("FailedAccepts", 1)]));
    instance.transport.heal();

    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert_eq!(take_counters(&snapshotter), counters([("MinutesPublished", 2), ("UniqueIds", 3)]));
    accept(&instance, 5, at(0, 59)).await.expect("recorded late");
    take_counters(&snapshotter);
    instance.app.minute_closer().tick(at(11, 14)).await.expect("a tick");
    let counts = take_counters(&snapshotter);
    assert_eq!(
        (counts.get("LateIds"), counts.get("CorrectedMinutes")),
        (Some(&1), Some(&1)),
        "{counts:?}"
    );
}
