//! The policies for occurrences that were missed, and for those that overlap with a live run.

use serde::{Deserialize, Serialize};

/// The policy for occurrences that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// One run for all of them.
    #[default]
    FireOnce,
    /// No run.
    Skip,
    /// One run for each.
    FireAll,
}

/// The policy for an occurrence that is due while the previous run is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It does not run.
    Skip,
    /// It runs concurrently.
    Allow,
    /// One run waits until the other has ended; further ones do not run.
    QueueOne,
}

impl Misfire {
    /// The default of `overlap`. A schedule that runs each missed occurrence must not skip them
    /// because they run together.
    pub(super) fn default_overlap(self) -> Overlap {
        match self {
            Self::FireOnce | Self::Skip => Overlap::Skip,
            Self::FireAll => Overlap::Allow,
        }
    }
}
