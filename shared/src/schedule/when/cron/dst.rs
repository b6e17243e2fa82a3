//! The policy for local times that do not exist or occur twice because of a clock change.

use serde::{Deserialize, Deserializer, Serialize};

use super::Expression;

/// The policies of a schedule for both directions of clock change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Dst {
    /// For local times that do not exist.
    pub gap: Gap,
    /// For local times that occur twice.
    pub overlap: Ambiguity,
}

/// The policy for local times that do not exist because the clock goes forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gap {
    /// One occurrence for all of them, at the first moment after the gap.
    After,
    /// No occurrence.
    Skip,
}

/// The policy for local times that occur twice because the clock goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ambiguity {
    /// An occurrence the first time only.
    First,
    /// An occurrence both times.
    Both,
}

/// The policies that a request sets.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object")]
pub(super) struct DstOverride {
    #[serde(default, deserialize_with = "not_null")]
    gap: Option<Gap>,
    #[serde(default, deserialize_with = "not_null")]
    overlap: Option<Ambiguity>,
}

impl DstOverride {
    /// Returns the policies, with defaults for omitted ones. An expression that covers every hour
    /// follows elapsed time: by default it keeps its pace through both changes. Any other names
    /// times of day: by default each has one occurrence. Vixie cron makes the same distinction.
    pub fn or_defaults(self, expression: &Expression) -> Dst {
        let (gap, overlap) = if expression.covers_every_hour() {
            (Gap::Skip, Ambiguity::Both)
        } else {
            (Gap::After, Ambiguity::First)
        };
        Dst { gap: self.gap.unwrap_or(gap), overlap: self.overlap.unwrap_or(overlap) }
    }
}

/// Reads a member that may be omitted, but must not be `null`.
fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
