//! The whole handler over a store that answers at once, on all processors: what an environment with many requests at a time
//! can do at most.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use once::{App, testing::app_over};

use super::{answer, canned::Canned};

/// Requests under way at a time.
const TASKS: usize = 16;

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_secs(30);

/// Prints the requests a second with unique ids, and with ids that the instance knows.
pub async fn run(time: Duration) {
    println!(
        "\nuniques: the whole handler over a store that answers at once, {} processors",
        processors()
    );
    let app = app_over(Canned);
    println!("unique ids       {:>8.0}/s  (goal: above 37 000 on 2)", unique(&app, time).await);
    answer(&app, 7).await;
    println!(
        "known duplicates {:>8.0}/s  (goal: above 150 000 on 2)",
        rate(&app, time, || 7).await
    );
}

/// Prints how much memory the process has while unique ids come for this long.
pub async fn memory(time: Duration) {
    println!("\nuniques: resident memory while unique ids come as fast as they are served, MB");
    let app = app_over(Canned);
    let looking = tokio::spawn(async move {
        let begun = Instant::now();
        while begun.elapsed() < time {
            tokio::time::sleep(LOOK).await;
            println!("{:>5} s  {:>6.1}", begun.elapsed().as_secs(), resident_mb());
        }
    });
    let rate = unique(&app, time).await;
    looking.await.expect("it only looks");
    println!("{rate:.0} ids/s");
}

async fn unique(app: &App, time: Duration) -> f64 {
    let next = Arc::new(AtomicI64::new(0));
    rate(app, time, move || next.fetch_add(1, Ordering::Relaxed)).await
}

async fn rate(app: &App, time: Duration, id: impl Fn() -> i64 + Clone + Send + 'static) -> f64 {
    let answered = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (app, id, answered) = (app.clone(), id.clone(), answered.clone());
            tokio::spawn(async move {
                while begun.elapsed() < time {
                    assert!(matches!(answer(&app, id()).await, 200 | 409));
                    answered.fetch_add(1, Ordering::Relaxed);
                    // A duplicate waits for nothing: without this no other task would ever run.
                    tokio::task::consume_budget().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("the handler answers");
    }
    #[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52 requests")]
    let answered = answered.load(Ordering::Relaxed) as f64;
    answered / begun.elapsed().as_secs_f64()
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Linux's own word for it.
fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a instance has memory");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}
