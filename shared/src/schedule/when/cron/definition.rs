//! A cron schedule: its members, and the defaults of omitted ones.

use serde::{Deserialize, Serialize};

use super::{Dst, Expression, dst::DstOverride};
use crate::schedule::when::Zone;

/// A cron expression, the time zone of its local times, and the DST policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "CronRequest")]
pub struct Cron {
    expression: Expression,
    timezone: Zone,
    dst: Dst,
}

/// The members of a request; all but the expression may be omitted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CronRequest {
    expression: Expression,
    #[serde(default)]
    timezone: Zone,
    #[serde(default)]
    dst: DstOverride,
}

impl From<CronRequest> for Cron {
    fn from(CronRequest { expression, timezone, dst }: CronRequest) -> Self {
        Self { dst: dst.or_defaults(&expression), expression, timezone }
    }
}

impl Cron {
    /// The expression that local times must match.
    #[must_use]
    pub fn expression(&self) -> &Expression {
        &self.expression
    }

    /// The time zone of the local times.
    #[must_use]
    pub fn timezone(&self) -> &Zone {
        &self.timezone
    }

    /// The policy for local times that do not exist or occur twice.
    #[must_use]
    pub fn dst(&self) -> Dst {
        self.dst
    }
}
