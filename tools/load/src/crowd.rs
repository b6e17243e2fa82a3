//! Many requests at the same time, what came of them and how long they took.

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

/// Between two lines about how far it is, where there is no terminal for a bar.
const SILENCE: Duration = Duration::from_secs(5);

/// Of a plot of how many a second.
const PARTS: u16 = 30;

/// What came of every request.
#[derive(Debug)]
pub struct Crowd<T> {
    /// In the order in which they were answered.
    pub outcomes: Vec<T>,
    /// How often each outcome was met.
    pub counts: BTreeMap<String, u32>,
}

impl<T> Crowd<T> {
    /// Sends all of these, so many at the same moment, as long as the run lasts; tells how often each outcome was met, as `said` calls it, and
    /// how fast.
    pub async fn send<F: Future<Output = T>>(
        run: &Run,
        api: &Api,
        what: &str,
        at_once: usize,
        requests: impl ExactSizeIterator<Item = F>,
        said: impl Fn(&T) -> String,
    ) -> Self {
        let sent_before = api.sent();
        let begun = Instant::now();
        let mut view = View::new(what, requests.len());
        let (mut outcomes, mut times, mut latencies) = (Vec::new(), Vec::new(), Vec::new());
        // What is on its way is waited for; nothing new is sent.
        let requests = stream::iter(requests.map(timed)).take_until(sleep(run.left()));
        let mut answers = std::pin::pin!(requests.buffer_unordered(at_once.max(1)));
        while let Some((outcome, time)) = answers.next().await {
            outcomes.push(outcome);
            latencies.push((run.seconds(), time.as_secs_f64() * 1_000.0));
            times.push(time);
            view.show(outcomes.len());
        }
        view.end();
        let took = begun.elapsed();
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for outcome in &outcomes {
            *counts.entry(said(outcome)).or_default() += 1;
        }
        run.tell(what, &counts, took, api.sent() - sent_before, &Latencies::new(times));
        run.measured(Series {
            name: format!("{what} answered a second"),
            points: rate(&latencies),
        });
        run.measured(Series { name: format!("latency of {what}, ms"), points: latencies });
        Self { outcomes, counts }
    }
}

/// How many points a second there are in each part of the time up to the last of them.
fn rate(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let end = points.iter().fold(f64::MIN_POSITIVE, |end, (at, _)| at.max(end));
    let mut counts = vec![0_u32; PARTS.into()];
    for (at, _) in points {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of parts"
        )]
        let part = (at / end * f64::from(PARTS)) as usize;
        // The last point is at the very end.
        let last = counts.len() - 1;
        counts[part.min(last)] += 1;
    }
    let part = end / f64::from(PARTS);
    counts
        .iter()
        .zip(0..)
        .map(|(&count, n)| ((f64::from(n) + 0.5) * part, f64::from(count) / part))
        .collect()
}

async fn timed<F: Future>(request: F) -> (F::Output, Duration) {
    let begun = Instant::now();
    (request.await, begun.elapsed())
}

/// A bar on a terminal, and a line now and then elsewhere.
struct View<'a> {
    bar: ProgressBar,
    what: &'a str,
    told: Instant,
}

impl<'a> View<'a> {
    fn new(what: &'a str, count: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} {msg}, {per_sec}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX)).with_style(style);
        Self { bar: bar.with_message(what.to_owned()), what, told: Instant::now() }
    }

    fn show(&mut self, answered: usize) {
        self.bar.inc(1);
        if self.bar.is_hidden() && self.told.elapsed() >= SILENCE {
            self.told = Instant::now();
            println!(
                "{answered} of {} {} are answered",
                self.bar.length().unwrap_or_default(),
                self.what
            );
        }
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_every_answer_and_the_parts_without_one() {
        let rate = rate(&[(0.1, 5.0), (0.2, 5.0), (1.7, 5.0), (6.0, 5.0)]);
        let told: Vec<_> =
            rate.iter().map(|(at, a_second)| format!("{at:.1} {a_second:.0}")).collect();
        assert_eq!(told.len(), 30);
        assert_eq!(
            [&told[0], &told[1], &told[2], &told[8], &told[29]],
            ["0.1 5", "0.3 5", "0.5 0", "1.7 5", "5.9 5"]
        );
    }
}
