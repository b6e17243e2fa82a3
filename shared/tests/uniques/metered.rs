//! What is counted for the people who run it.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use once::testing::{Cloud, Fault};

use crate::counted::{accept, at, new_instance};

/// What was counted since this was asked last.
fn counted(snapshotter: &Snapshotter) -> BTreeMap<String, u64> {
    let counters = snapshotter.snapshot().into_vec().into_iter().filter_map(
        |(key, _, _, value)| match value {
            DebugValue::Counter(count) if count > 0 => Some((key.key().name().to_owned(), count)),
            _ => None,
        },
    );
    counters.collect()
}

fn of<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.map(|(name, count)| (name.to_owned(), count)).into()
}

/// What was measured since this was asked last.
fn measured(snapshotter: &Snapshotter, name: &str) -> Vec<f64> {
    let found =
        snapshotter.snapshot().into_vec().into_iter().filter(|(key, ..)| key.key().name() == name);
    found
        .flat_map(
            |(_, _, _, value)| {
                if let DebugValue::Histogram(values) = value { values } else { Vec::new() }
            },
        )
        .map(Into::into)
        .collect()
}

#[tokio::test]
async fn each_tick_that_succeeds_tells_how_many_minutes_are_owed() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let closing = instance.app.minute_closer();
    closing.tick(at(0, 0)).await.expect("a tick");
    assert_eq!(measured(&snapshotter, "MinutesOverdue"), [0.0], "nothing was ever accepted");
    accept(&instance, 1, at(0, 1)).await.expect("recorded");
    instance.transport.fail_randomly(1, 1.0, Fault::Throttle);
    closing.tick(at(9, 15)).await.expect_err("throttled");
    assert!(measured(&snapshotter, "MinutesOverdue").is_empty(), "a tick that fails tells nothing");
    instance.transport.heal();
    closing.tick(at(9, 15)).await.expect("a tick");
    assert_eq!(measured(&snapshotter, "MinutesOverdue"), [0.0], "all are published");
}

#[tokio::test]
async fn every_answer_is_metered_as_what_it_is() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for id in [1, 2, 2, 3, 1] {
        accept(&instance, id, at(0, 1)).await.expect("an answer");
    }
    assert_eq!(counted(&snapshotter), of([("AcceptedIds", 3), ("DuplicateIds", 2)]));
    instance.transport.fail_randomly(1, 1.0, Fault::Throttle);
    accept(&instance, 4, at(0, 2)).await.expect_err("throttled");
    assert_eq!(counted(&snapshotter), of([("FailedAccepts", 1)]));
    instance.transport.heal();

    instance.app.minute_closer().tick(at(1, 15)).await.expect("a tick");
    assert_eq!(counted(&snapshotter), of([("MinutesPublished", 2), ("UniqueIds", 3)]));
    accept(&instance, 5, at(0, 59)).await.expect("recorded, and late");
    counted(&snapshotter);
    instance.app.minute_closer().tick(at(11, 14)).await.expect("a tick");
    let counts = counted(&snapshotter);
    assert_eq!(
        (counts.get("LateIds"), counts.get("CorrectedMinutes")),
        (Some(&1), Some(&1)),
        "{counts:?}"
    );
}
