//! Finished batches of a plan, and their sum: the progress of a settlement.

use serde::{Deserialize, Serialize};

use super::totals::Totals;
use crate::{ledger::TooLarge, time::Timestamp};

/// A summed batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishedBatch {
    #[serde(flatten)]
    pub totals: Totals,
    /// When it was summed.
    pub at: Timestamp,
}

/// The sum of all finished batches of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    pub transactions: u64,
    pub batches: u64,
    pub totals: Result<Totals, TooLarge>,
    /// When the latest batch was summed.
    pub last: Option<Timestamp>,
}

impl Progress {
    /// No finished batch.
    pub const ZERO: Self =
        Self { transactions: 0, batches: 0, totals: Ok(Totals::ZERO), last: None };

    /// Adds a batch.
    #[must_use]
    pub fn plus(self, batch: &FinishedBatch) -> Self {
        Self {
            transactions: self.transactions + batch.totals.count,
            batches: self.batches + 1,
            totals: self.totals.and_then(|totals| totals.plus(batch.totals)),
            last: self.last.max(Some(batch.at)),
        }
    }
}
