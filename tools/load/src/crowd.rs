//! Many requests at the same time, what came of them and how long they took.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use crate::{api::Api, latency::Latencies};

/// What came of every request.
#[derive(Debug)]
pub struct Crowd<T> {
    /// In the order in which they were answered.
    pub outcomes: Vec<T>,
    times: Latencies,
    took: Duration,
    sent: u64,
}

impl<T> Crowd<T> {
    /// Sends all of these, so many at the same moment.
    pub async fn send<F: Future<Output = T>>(api: &Api, at_once: usize, requests: impl Iterator<Item = F>) -> Crowd<T> {
        let sent_before = api.sent();
        let begun = Instant::now();
        let answers: Vec<_> = stream::iter(requests.map(timed)).buffer_unordered(at_once.max(1)).collect().await;
        let took = begun.elapsed();
        let (outcomes, times) = answers.into_iter().unzip();
        Self { outcomes, times: Latencies::new(times), took, sent: api.sent() - sent_before }
    }

    /// Prints how often each outcome was met, as `said` calls it, and how fast; returns the former.
    pub fn report(&self, what: &str, said: impl Fn(&T) -> String) -> BTreeMap<String, u32> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for outcome in &self.outcomes {
            *counts.entry(said(outcome)).or_default() += 1;
        }
        for (outcome, count) in &counts {
            println!("{count:>6}  {outcome}");
        }
        println!("{:>6}  requests in all: what is turned away (429, 503) is sent again", self.sent);
        let seconds = self.took.as_secs_f64();
        let rate = f64::from(counts.values().sum::<u32>()) / seconds;
        println!("{seconds:.1} s, {rate:.0} {what} answered a second; {}", self.times);
        counts
    }
}

async fn timed<F: Future>(request: F) -> (F::Output, Duration) {
    let begun = Instant::now();
    (request.await, begun.elapsed())
}
