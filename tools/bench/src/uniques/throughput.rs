//! The whole handler over a store that answers immediately, on all processors: the highest possible
//! throughput of an instance with concurrent requests.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use once::{App, testing::app_over};

use super::{instant_store::InstantStore, status};

/// Concurrent requests.
const TASKS: usize = 16;

/// Time between two measurements of the memory.
const MEASURE_INTERVAL: Duration = Duration::from_secs(30);

/// Prints the requests per second with unique ids, and with a duplicate that the instance has in
/// its recent ids.
pub async fn run(time: Duration) {
    println!(
        "\nuniques: the whole handler over a store that answers immediately, {} processors",
        processors()
    );
    let app = app_over(InstantStore);
    println!("unique ids        {:>8.0}/s  (goal: above 37 000 on 2)", unique(&app, time).await);
    status(&app, 7).await;
    println!(
        "recent duplicates {:>8.0}/s  (goal: above 150 000 on 2)",
        rate(&app, time, || 7).await
    );
}

/// Prints the resident memory of this process while it serves unique ids for this time.
pub async fn memory(time: Duration) {
    println!("\nuniques: resident memory under the highest possible throughput of unique ids, MB");
    let app = app_over(InstantStore);
    let measuring = tokio::spawn(async move {
        let start = Instant::now();
        while start.elapsed() < time {
            tokio::time::sleep(MEASURE_INTERVAL).await;
            println!("{:>5} s  {:>6.1}", start.elapsed().as_secs(), resident_mb());
        }
    });
    let rate = unique(&app, time).await;
    measuring.await.expect("no panic");
    println!("{rate:.0} ids/s");
}

/// Returns the requests per second with unique ids.
async fn unique(app: &App, time: Duration) -> f64 {
    let next = Arc::new(AtomicI64::new(0));
    rate(app, time, move || next.fetch_add(1, Ordering::Relaxed)).await
}

/// Returns the requests per second with these ids.
async fn rate(app: &App, time: Duration, id: impl Fn() -> i64 + Clone + Send + 'static) -> f64 {
    let answered = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (app, id, answered) = (app.clone(), id.clone(), answered.clone());
            tokio::spawn(async move {
                while start.elapsed() < time {
                    assert!(matches!(status(&app, id()).await, 200 | 409));
                    answered.fetch_add(1, Ordering::Relaxed);
                    // A duplicate awaits nothing; without this, no other task would run.
                    tokio::task::consume_budget().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let answered = answered.load(Ordering::Relaxed) as f64;
    answered / start.elapsed().as_secs_f64()
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Reads the resident memory of this process from `/proc`.
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line VmRSS");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}
