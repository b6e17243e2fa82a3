//! The tick: due occurrences that it sends a second, against a bare loop of the same messages and the same writes.

mod bare;

use std::time::{Duration, Instant};

use once::{
    testing::{Cloud, Instance},
    time::Timestamp,
};
use serde_json::json;

use self::bare::Bare;
use crate::stats::median;

/// Pairs of rounds: a tick, and the bare loop of the next minute.
const ROUNDS: u32 = 15;

/// Jobs that are due each minute, and others that are due some day.
const DUE: u32 = 1_000;
const OTHERS: u32 = 9_000;

/// How often a job is due.
const EVERY: Duration = Duration::from_mins(1);

/// Prints it.
pub async fn run() {
    let cloud = Cloud::start().await;
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    let later = noon.plus(Duration::from_hours(24 * 30));
    let due = |n: u32| if n < DUE { noon.plus(EVERY) } else { later };
    let schedule = json!({"type": "fixed", "every_seconds": EVERY.as_secs(), "start_at": noon});
    cloud.jobs(DUE + OTHERS, schedule, noon, due).await;
    let instance = cloud.uncounted();
    let (mut tick, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // Both move the same jobs on, a minute each: a tick looks ahead to the end of the next minute.
    for pair in 0..=ROUNDS {
        let now = noon.plus(EVERY * 2 * pair);
        let (a, b) = if pair % 2 == 0 {
            let a = ticked(&cloud, &instance, now).await;
            (a, bare(&cloud, &instance).await)
        } else {
            let b = bare(&cloud, &instance).await;
            (ticked(&cloud, &instance, now.plus(EVERY)).await, b)
        };
        // Connections stand after the first pair.
        if pair > 0 {
            tick.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    let jobs = DUE + OTHERS;
    println!(
        "\nschedule: medians of {ROUNDS} pairs of rounds over the embedded store, {DUE} of {jobs} jobs due in each"
    );
    println!("schedule-tick   {:>8.0} occurrences/s", median(tick));
    println!("bare loop       {:>8.0} occurrences/s", median(floor));
    println!("ratio           {:>8.2}", median(ratios));
}

/// Occurrences that a tick sends a second.
async fn ticked(cloud: &Cloud, instance: &Instance, now: Timestamp) -> f64 {
    let begun = Instant::now();
    let ticked = instance.app.schedules().tick(now).await.expect("a tick");
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!((ticked.jobs, ticked.sent), (DUE.into(), DUE.into()));
    sent(cloud, seconds)
}

/// Occurrences that the bare loop sends a second.
async fn bare(cloud: &Cloud, instance: &Instance) -> f64 {
    let bare = Bare::of(cloud, instance).await;
    let begun = Instant::now();
    bare.run().await;
    sent(cloud, begun.elapsed().as_secs_f64())
}

fn sent(cloud: &Cloud, seconds: f64) -> f64 {
    assert_eq!(cloud.services().take_messages().len(), usize::try_from(DUE).expect("few"));
    f64::from(DUE) / seconds
}
