//! What becomes of times at which nothing ran, or at which something still runs.

use serde::{Deserialize, Serialize};

/// What becomes of times that have passed without a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// However many there are, one run makes up for them.
    #[default]
    FireOnce,
    /// They are lost.
    Skip,
    /// Each is made up for.
    FireAll,
}

/// What becomes of a time that comes while the last run still goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is lost.
    Skip,
    /// It runs beside the other.
    Allow,
    /// One waits until the other has ended; further ones are lost.
    QueueOne,
}

impl Misfire {
    /// What becomes of overlaps where the schedule does not say. Whoever wants all times made up for wants none of them
    /// lost because they come at once.
    pub(super) fn overlap(self) -> Overlap {
        match self {
            Self::FireOnce | Self::Skip => Overlap::Skip,
            Self::FireAll => Overlap::Allow,
        }
    }
}
