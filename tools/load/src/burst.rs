//! Concurrent requests, with their outcomes, latencies and throughput.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::sleep;

use crate::{
    api::Api,
    latency::Latencies,
    report::{Run, Series},
};

/// Time between two progress lines, where no terminal shows the bar.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Number of intervals in a throughput plot.
const INTERVALS: u16 = 30;

/// Outcomes of a burst of requests.
#[derive(Debug)]
pub struct Burst<T> {
    /// All outcomes, in the order of the answers.
    pub outcomes: Vec<T>,
    /// Number of outcomes by label.
    pub counts: BTreeMap<String, u32>,
}

impl<T> Burst<T> {
    /// Sends these requests, at most `at_once` at a time, until all are answered or the run's time
    /// is over. Adds the outcomes by `label`, the latencies and the throughput to the run's report.
    ///
    /// When the time is over, requests in flight are awaited, and no new ones are sent.
    pub async fn send<F: Future<Output = T>>(
        run: &Run,
        api: &Api,
        name: &str,
        at_once: usize,
        requests: impl ExactSizeIterator<Item = F>,
        label: impl Fn(&T) -> String,
    ) -> Self {
        let sent_before = api.sent();
        let start = Instant::now();
        let mut progress = Progress::new(name, requests.len());
        let (mut outcomes, mut times, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
        let requests = stream::iter(requests.map(timed)).take_until(sleep(run.remaining()));
        let mut answers = std::pin::pin!(requests.buffer_unordered(at_once.max(1)));
        while let Some((outcome, time)) = answers.next().await {
            outcomes.push(outcome);
            latencies.push((run.seconds(), time.as_secs_f64() * 1_000.0));
            times.push(time);
            progress.show(outcomes.len());
        }
        progress.clear();
        let took = start.elapsed();
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for outcome in &outcomes {
            *counts.entry(label(outcome)).or_default() += 1;
        }
        run.outcomes(name, &counts, took, api.sent() - sent_before, &Latencies::new(times));
        run.series(Series {
            name: format!("{name} answered per second"),
            points: throughput(&latencies),
        });
        run.series(Series { name: format!("latency of {name}, ms"), points: latencies });
        Self { outcomes, counts }
    }
}

/// Returns the points per second in each interval of the time up to the last point.
fn throughput(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let end = points.iter().fold(f64::MIN_POSITIVE, |end, (at, _)| at.max(end));
    let mut counts = vec![0_u32; INTERVALS.into()];
    for (at, _) in points {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of intervals"
        )]
        let interval = (at / end * f64::from(INTERVALS)) as usize;
        // The last point is on the end of the last interval.
        let last = counts.len() - 1;
        counts[interval.min(last)] += 1;
    }
    let interval = end / f64::from(INTERVALS);
    counts
        .iter()
        .zip(0..)
        .map(|(&count, n)| ((f64::from(n) + 0.5) * interval, f64::from(count) / interval))
        .collect()
}

async fn timed<F: Future>(request: F) -> (F::Output, Duration) {
    let start = Instant::now();
    (request.await, start.elapsed())
}

/// A progress bar on a terminal, or a line at intervals elsewhere.
struct Progress<'a> {
    bar: ProgressBar,
    name: &'a str,
    last_line: Instant,
}

impl<'a> Progress<'a> {
    fn new(name: &'a str, count: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} {msg}, {per_sec}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX)).with_style(style);
        Self { bar: bar.with_message(name.to_owned()), name, last_line: Instant::now() }
    }

    fn show(&mut self, answered: usize) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_INTERVAL {
            self.last_line = Instant::now();
            println!(
                "{answered} of {} {} answered",
                self.bar.length().unwrap_or_default(),
                self.name
            );
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn throughput_counts_every_answer_and_includes_empty_intervals() {
        let throughput = throughput(&[(0.1, 5.0), (0.2, 5.0), (1.7, 5.0), (6.0, 5.0)]);
        let intervals: Vec<_> =
            throughput.iter().map(|(at, per_second)| format!("{at:.1} {per_second:.0}")).collect();
        assert_eq!(intervals.len(), 30);
        assert_eq!(
            [&intervals[0], &intervals[1], &intervals[2], &intervals[8], &intervals[29]],
            ["0.1 5", "0.3 5", "0.5 0", "1.7 5", "5.9 5"]
        );
    }
}
