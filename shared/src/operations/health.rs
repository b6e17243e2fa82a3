//! The health report and the rule that derives its status from the checks. Pure: it calls nothing.
//!
//! | status | HTTP | when |
//! |---|---|---|
//! | `healthy` | 200 | all checks passed |
//! | `degraded` | 200 | a check failed that only some features need |
//! | `unhealthy` | 503 | the database check failed, which every feature needs |

use std::time::Duration;

use serde::Serialize;

use crate::time::Timestamp;

/// The status of the deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All checks passed.
    Healthy,
    /// Some features do not work.
    Degraded,
    /// No feature works.
    Unhealthy,
}

/// The result of a check. The cause of a failure is in the log only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// The service responded within the deadline.
    Healthy,
    /// The service failed or the deadline passed.
    Unhealthy,
}

/// The results of all checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// A consistent read of every table.
    pub database: Check,
    /// The attributes of every queue that feeds a worker.
    pub queues: Check,
    /// The bucket of settlements.
    pub files: Check,
    /// The secret that webhooks are signed with.
    pub webhook_secret: Check,
}

/// The response body of `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The status that follows from the checks.
    pub status: Status,
    /// The version of this release.
    pub version: &'static str,
    /// The result of each check.
    pub checks: Checks,
    /// Time since the start of this instance, such as `2h15m30s`.
    pub uptime: String,
    /// When the checks ran.
    pub timestamp: Timestamp,
}

impl Checks {
    /// Returns the status of the deployment.
    #[must_use]
    pub fn status(&self) -> Status {
        let Self { database, queues, files, webhook_secret } = self;
        if *database == Check::Unhealthy {
            Status::Unhealthy
        } else if [queues, files, webhook_secret].contains(&&Check::Unhealthy) {
            Status::Degraded
        } else {
            Status::Healthy
        }
    }
}

impl Report {
    /// Creates the report of `checks` that ran at `now`.
    #[must_use]
    pub fn new(checks: Checks, uptime: Duration, now: Timestamp) -> Self {
        Self {
            status: checks.status(),
            version: env!("CARGO_PKG_VERSION"),
            checks,
            uptime: format_uptime(uptime),
            timestamp: now,
        }
    }
}

/// Formats an uptime in whole seconds from its largest unit on: `2h15m30s`, `15m0s`, `30s`. Hours
/// are the largest unit.
fn format_uptime(uptime: Duration) -> String {
    let seconds = uptime.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: Checks = Checks {
        database: Check::Healthy,
        queues: Check::Healthy,
        files: Check::Healthy,
        webhook_secret: Check::Healthy,
    };

    #[test]
    fn a_failed_database_check_is_unhealthy_and_any_other_is_degraded() {
        assert_eq!(ALL.status(), Status::Healthy);
        for degraded in [
            Checks { queues: Check::Unhealthy, ..ALL },
            Checks { files: Check::Unhealthy, ..ALL },
            Checks { webhook_secret: Check::Unhealthy, ..ALL },
        ] {
            assert_eq!(degraded.status(), Status::Degraded, "{degraded:?}");
            let unhealthy = Checks { database: Check::Unhealthy, ..degraded };
            assert_eq!(unhealthy.status(), Status::Unhealthy, "{unhealthy:?}");
        }
        assert_eq!(Checks { database: Check::Unhealthy, ..ALL }.status(), Status::Unhealthy);
    }

    #[test]
    fn an_uptime_is_formatted_from_its_largest_unit_on() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (930, "15m30s"),
            (3_600, "1h0m0s"),
            (8_130, "2h15m30s"),
            (360_061, "100h1m1s"),
        ] {
            assert_eq!(format_uptime(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(format_uptime(Duration::from_millis(1_999)), "1s");
    }

    #[test]
    fn a_report_has_the_documented_shape() {
        let now = "2026-01-15T10:30:00Z".parse().expect("a time");
        let report = Report::new(
            Checks { queues: Check::Unhealthy, ..ALL },
            Duration::from_secs(8_130),
            now,
        );
        let expected = json!({
            "status": "degraded",
            "version": env!("CARGO_PKG_VERSION"),
            "checks": {
                "database": "healthy",
                "queues": "unhealthy",
                "files": "healthy",
                "webhook_secret": "healthy",
            },
            "uptime": "2h15m30s",
            "timestamp": "2026-01-15T10:30:00.000Z",
        });
        assert_eq!(json!(report), expected);
    }
}
