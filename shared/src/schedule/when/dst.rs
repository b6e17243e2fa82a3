//! What becomes of wall times that do not exist, or come twice, because the clock was changed.

use serde::{Deserialize, Serialize};

use super::{Expression, present};

/// What becomes of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dst {
    /// Of those that do not exist.
    pub gap: Gap,
    /// Of those that come twice.
    pub overlap: Ambiguity,
}

/// The clock goes forward: wall times do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// However many there are, they occur once, at the first moment after the gap.
    After,
    /// They do not occur.
    Skip,
}

/// The clock goes back: wall times come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// They occur when they come first.
    First,
    /// They occur both times.
    Both,
}

/// What a request says of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DstOverride {
    #[serde(default, deserialize_with = "present")]
    gap: Option<Gap>,
    #[serde(default, deserialize_with = "present")]
    overlap: Option<Ambiguity>,
}

impl DstOverride {
    /// What it leaves open is filled in. An expression of all hours goes by the hours that pass: it keeps its pace
    /// through both changes, where one that names times of day occurs once for each. Vixie cron draws the same line.
    pub fn or_usual(self, expression: &Expression) -> Dst {
        let (gap, overlap) = if expression.is_hourly() {
            (Gap::Skip, Ambiguity::Both)
        } else {
            (Gap::After, Ambiguity::First)
        };
        Dst { gap: self.gap.unwrap_or(gap), overlap: self.overlap.unwrap_or(overlap) }
    }
}
