//! A model of overlapping transactions in the real store: a transaction locks its items for some
//! time, and another one that needs one of them meanwhile is canceled with `TransactionConflict`.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::Mutex;
use serde_json::Value;

/// The locked items, shared by all instances that compete for them.
#[derive(Debug, Clone)]
pub struct ConflictWindow(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    locked: HashSet<String>,
    rng: fastrand::Rng,
    median: Duration,
    sigma: f64,
}

pub(super) enum LockOutcome {
    /// The items are locked until this is dropped.
    Locked(ItemLocks),
    /// Another transaction has locked one of them.
    Conflict,
}

pub(super) struct ItemLocks {
    window: ConflictWindow,
    items: Vec<String>,
}

impl ConflictWindow {
    /// Creates a model whose transactions lock their items for log-normally distributed times.
    #[must_use]
    pub fn new(seed: u64, median: Duration, p99: Duration) -> Self {
        /// The 99th percentile of the standard normal distribution.
        const Z99: f64 = 2.326_347_9;
        let sigma = (p99.as_secs_f64() / median.as_secs_f64()).ln() / Z99;
        let rng = fastrand::Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(State { locked: HashSet::new(), rng, median, sigma })))
    }

    /// Locks the items of a transaction and waits for its lock time. Other requests pass at once.
    pub(super) async fn lock_items(&self, request: &Value) -> LockOutcome {
        let items = items(request);
        let time = {
            let mut state = self.0.lock();
            if items.iter().any(|item| state.locked.contains(item)) {
                return LockOutcome::Conflict;
            }
            state.locked.extend(items.iter().cloned());
            if items.is_empty() { Duration::ZERO } else { state.lock_time() }
        };
        let locks = ItemLocks { window: self.clone(), items };
        tokio::time::sleep(time).await;
        LockOutcome::Locked(locks)
    }
}

impl State {
    fn lock_time(&mut self) -> Duration {
        // Box–Muller transform: a normal variate from two uniform ones.
        let (radius, angle) = (1.0 - self.rng.f64(), self.rng.f64() * std::f64::consts::TAU);
        let normal = (-2.0 * radius.ln()).sqrt() * angle.cos();
        self.median.mul_f64((self.sigma * normal).exp())
    }
}

impl Drop for ItemLocks {
    fn drop(&mut self) {
        let mut state = self.window.0.lock();
        for item in &self.items {
            state.locked.remove(item);
        }
    }
}

/// Returns table and key of each item of a transaction.
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
    fn lock_times_have_the_given_median_and_99th_percentile() {
        let window = ConflictWindow::new(1, Duration::from_millis(25), Duration::from_millis(90));
        let mut times: Vec<f64> =
            (0..20_000).map(|_| window.0.lock().lock_time().as_secs_f64() * 1_000.0).collect();
        times.sort_by(f64::total_cmp);
        assert!((24.0..26.0).contains(&times[10_000]), "{}", times[10_000]);
        assert!((84.0..96.0).contains(&times[19_800]), "{}", times[19_800]);
    }
}
