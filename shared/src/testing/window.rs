//! How the real store treats transactions that overlap: a transaction holds its items for a while, and another one that wants
//! one of them meanwhile is cancelled with `TransactionConflict`.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::Value;

/// The items that are held, shared by all processes that compete for them.
#[derive(Debug, Clone)]
pub struct ConflictWindow(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    held: HashSet<String>,
    rng: fastrand::Rng,
    median: Duration,
    sigma: f64,
}

pub(super) enum Held {
    /// The items are ours until this is dropped.
    Until(Release),
    /// One of them is not to be had now.
    ByAnother,
}

pub(super) struct Release {
    window: ConflictWindow,
    items: Vec<String>,
}

impl ConflictWindow {
    /// Transactions hold their items for times of a log-normal distribution.
    #[must_use]
    pub fn new(seed: u64, median: Duration, p99: Duration) -> Self {
        /// How many standard deviations the 99th percentile lies above the median.
        const Z99: f64 = 2.326_347_9;
        let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / Z99;
        let rng = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(State { held: HashSet::new(), rng, median, sigma })))
    }

    /// Holds the items of a transaction for its time; other requests pass.
    pub(super) async fn enter(&self, request: &Value) -> Held {
        let items = items(request);
        let time = {
            let mut state = self.0.lock();
            if items.iter().any(|item| state.held.contains(item)) {
                return Held::ByAnother;
            }
            state.held.extend(items.iter().cloned());
            if items.is_empty() { Duration::ZERO } else { state.time() }
        };
        let release = Release { window: self.clone(), items };
        tokio::time::sleep(time).await;
        Held::Until(release)
    }
}

impl State {
    fn time(&mut self) -> Duration {
        // Box and Muller: two even numbers make a normal one.
        let (radius, angle) = (1.0 - self.rng.f64(), self.rng.f64() * std::f64::consts::TAU);
        let normal = (-2.0 * radius.ln()).sqrt() * angle.cos();
        self.median.mul_f64((self.sigma * normal).exp())
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        let mut state = self.window.0.lock();
        for item in &self.items {
            state.held.remove(item);
        }
    }
}

/// Table and key of each item of a transaction.
fn items(request: &Value) -> Vec<String> {
    let actions = request["TransactItems"].as_array().into_iter().flatten();
    let actions = actions.filter_map(|action| action.as_object()?.values().next());
    actions
        .map(|action| {
            let key = action.get("Key").or_else(|| action.get("Item")).unwrap_or(&Value::Null);
            format!("{}/{}/{}", action["TableName"], key["pk"], key["sk"])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_have_the_median_and_the_tail_that_were_asked_for() {
        let window = ConflictWindow::new(1, Duration::from_millis(25), Duration::from_millis(90));
        let mut times: Vec<f64> =
            (0..20_000).map(|_| window.0.lock().time().as_secs_f64() * 1_000.0).collect();
        times.sort_by(f64::total_cmp);
        assert!((24.0..26.0).contains(&times[10_000]), "{}", times[10_000]);
        assert!((84.0..96.0).contains(&times[19_800]), "{}", times[19_800]);
    }
}
