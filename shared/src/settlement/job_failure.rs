//! Why a job fails for good: trying the same again would come to the same.

use super::{job::Failure, message::BatchId, totals::Totals};
use crate::ledger::{InvalidEntry, TooLarge};

/// A cause of failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobFailure {
    /// An entry of the ledger that nobody here wrote.
    #[error(transparent)]
    LedgerUnreadable(#[from] InvalidEntry),
    /// Entries came or went after the plan had counted them.
    #[error(
        "batch {batch} has {found} transactions, and was planned with {planned}: the ledger has changed before the cutoff"
    )]
    LedgerChanged { batch: BatchId, planned: u64, found: u64 },
    /// More cents than can be counted.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The sums of a batch are gone, or are not those of the batch.
    #[error("the sums of batch {0} cannot be read")]
    PartUnreadable(BatchId),
    /// The file would not say what the batches say.
    #[error("the file comes to {file:?}, and the batches come to {batches:?}")]
    TotalsDiffer { file: Totals, batches: Totals },
    /// The batches are not those of the plan.
    #[error(
        "{batches} batches of {transactions} transactions are summed, and {planned_batches} of {planned} were planned"
    )]
    PlanDiffers { batches: u64, transactions: u64, planned_batches: u64, planned: u64 },
    /// Its message was tried as often as the queue allows.
    #[error("{work} was given up after its last try; the log tells why each one failed")]
    GivenUp { work: String },
}

impl JobFailure {
    /// Sums that should agree do not: the promise of settlements is about to be broken, and the job fails instead.
    #[must_use]
    pub fn is_mismatch(&self) -> bool {
        matches!(
            self,
            Self::LedgerChanged { .. } | Self::TotalsDiffer { .. } | Self::PlanDiffers { .. }
        )
    }

    /// As the job keeps it.
    #[must_use]
    pub fn failure(&self) -> Failure {
        let code = match self {
            Self::LedgerUnreadable(_) => "LEDGER_UNREADABLE",
            Self::LedgerChanged { .. } => "LEDGER_CHANGED",
            Self::TooLarge(_) => "TOTALS_TOO_LARGE",
            Self::PartUnreadable(_) => "PART_UNREADABLE",
            Self::TotalsDiffer { .. } => "TOTALS_DIFFER",
            Self::PlanDiffers { .. } => "PLAN_DIFFERS",
            Self::GivenUp { .. } => "GIVEN_UP",
        };
        Failure { code: code.to_owned(), message: self.to_string() }
    }
}
