//! Causes for which a settlement fails immediately, since another attempt would fail the same way.

use super::{job::FailureRecord, message::BatchId, totals::Totals};
use crate::ledger::{InvalidEntry, TooLarge};

/// Why a run of a settlement failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// An entry does not have the format that the ledger's own code writes.
    #[error(transparent)]
    LedgerUnreadable(#[from] InvalidEntry),
    /// Entries appeared or vanished after the plan had counted them.
    #[error(
        "batch {batch} was planned with {planned} transactions but has {found}: \
         the ledger changed before the cutoff"
    )]
    LedgerChanged { batch: BatchId, planned: u64, found: u64 },
    /// The sums exceed the range of cents.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The stored sums of a batch were lost or are not in the format of a part.
    #[error("the sums of batch {0} are missing or invalid")]
    PartUnreadable(BatchId),
    /// The sum of the file's lines is not the sum of the batches.
    #[error("the file's totals are {file:?}, but those of the batches are {batches:?}")]
    TotalsDiffer { file: Totals, batches: Totals },
    /// The finished batches are not those of the plan, or do not balance.
    #[error(
        "{batches} batches of {transactions} transactions are finished, \
         but {planned_batches} of {planned} were planned"
    )]
    PlanDiffers { batches: u64, transactions: u64, planned_batches: u64, planned: u64 },
    /// A message used up the attempts of its queue.
    #[error("{work} failed in every attempt: see the log for the causes")]
    GivenUp { work: String },
}

impl JobFailure {
    /// Returns whether control totals differ: publishing would have broken the promise of
    /// settlements.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        matches!(
            self,
            Self::LedgerChanged { .. } | Self::TotalsDiffer { .. } | Self::PlanDiffers { .. }
        )
    }

    /// Returns the code and the message to store.
    #[must_use]
    pub fn record(&self) -> FailureRecord {
        let code = match self {
            Self::LedgerUnreadable(_) => "LEDGER_UNREADABLE",
            Self::LedgerChanged { .. } => "LEDGER_CHANGED",
            Self::TooLarge(_) => "TOTALS_TOO_LARGE",
            Self::PartUnreadable(_) => "PART_UNREADABLE",
            Self::TotalsDiffer { .. } => "TOTALS_DIFFER",
            Self::PlanDiffers { .. } => "PLAN_DIFFERS",
            Self::GivenUp { .. } => "GIVEN_UP",
        };
        FailureRecord { code: code.to_owned(), message: self.to_string() }
    }
}
