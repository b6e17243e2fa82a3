//! Due occurrences that a tick sends per second, against a bare loop of the same messages and
//! writes.

mod bare;

use std::time::{Duration, Instant};

use once::{
    testing::{Cloud, Instance},
    time::Timestamp,
};
use serde_json::json;

use self::bare::BareLoop;
use crate::stats::median;

/// Number of pairs of rounds: a tick, and the bare loop of the next minute.
const ROUNDS: u32 = 15;

/// Jobs that are due each minute, and others that are due later.
const DUE: u32 = 1_000;
const OTHERS: u32 = 9_000;

/// Time between two occurrences of a job.
const PERIOD: Duration = Duration::from_mins(1);

/// Prints the throughput of both.
pub async fn run() {
    let cloud = Cloud::start().await;
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    let later = noon.plus(Duration::from_hours(24 * 30));
    let due = |n: u32| if n < DUE { noon.plus(PERIOD) } else { later };
    let schedule = json!({"type": "fixed", "every_seconds": PERIOD.as_secs(), "start_at": noon});
    cloud.record_scheduled_jobs(DUE + OTHERS, schedule, noon, due).await;
    let instance = cloud.uncounted_instance();
    let (mut tick, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    // Both advance the same jobs by a minute: a tick sends what is due up to the end of the next
    // minute.
    for pair in 0..=ROUNDS {
        let now = noon.plus(PERIOD * 2 * pair);
        let (a, b) = if pair % 2 == 0 {
            let a = tick_rate(&cloud, &instance, now).await;
            (a, bare_rate(&cloud, &instance).await)
        } else {
            let b = bare_rate(&cloud, &instance).await;
            (tick_rate(&cloud, &instance, now.plus(PERIOD)).await, b)
        };
        // The first pair opens the connections.
        if pair > 0 {
            tick.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    let jobs = DUE + OTHERS;
    println!(
        "\nschedule: medians of {ROUNDS} pairs of rounds over the embedded store, \
         {DUE} of {jobs} jobs due in each"
    );
    println!("schedule-tick   {:>8.0} occurrences/s", median(tick));
    println!("bare loop       {:>8.0} occurrences/s", median(floor));
    println!("ratio           {:>8.2}", median(ratios));
}

/// Returns the occurrences per second that a tick sends.
async fn tick_rate(cloud: &Cloud, instance: &Instance, now: Timestamp) -> f64 {
    let start = Instant::now();
    let summary = instance.app.schedules().tick(now).await.expect("a tick");
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!((summary.jobs, summary.sent), (DUE.into(), DUE.into()));
    rate(cloud, seconds)
}

/// Returns the occurrences per second that the bare loop sends.
async fn bare_rate(cloud: &Cloud, instance: &Instance) -> f64 {
    let bare = BareLoop::of(cloud, instance).await;
    let start = Instant::now();
    bare.run().await;
    rate(cloud, start.elapsed().as_secs_f64())
}

/// Returns the occurrences per second, after checking that all were sent.
fn rate(cloud: &Cloud, seconds: f64) -> f64 {
    assert_eq!(cloud.services().take_message_bodies().len(), usize::try_from(DUE).expect("few"));
    f64::from(DUE) / seconds
}
