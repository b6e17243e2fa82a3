//! What the checks come to. A pure rule: it asks nobody.
//!
//! | status | HTTP | when |
//! |---|---|---|
//! | `healthy` | 200 | all answer |
//! | `degraded` | 200 | something does not that only some features need |
//! | `unhealthy` | 503 | the database does not, which everything needs |

use std::time::Duration;

use serde::Serialize;

use crate::time::Timestamp;

/// How the deployment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All answer.
    Healthy,
    /// Some features cannot do their work.
    Degraded,
    /// None can.
    Unhealthy,
}

/// What came of a check. Why one failed is in the log, and nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// It answered in time.
    Healthy,
    /// It did not.
    Unhealthy,
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Every table, by a consistent read.
    pub database: Check,
    /// Every queue that feeds a worker.
    pub queues: Check,
    /// The bucket of settlements.
    pub files: Check,
    /// What webhooks are signed with.
    pub webhook_secret: Check,
}

/// `GET /health`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the checks come to.
    pub status: Status,
    /// Of this release.
    pub version: &'static str,
    /// Each by itself.
    pub checks: Checks,
    /// For how long this instance has run.
    pub uptime: String,
    /// When it was asked.
    pub timestamp: Timestamp,
}

impl Checks {
    /// What they come to.
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
    /// Of these checks, at this moment.
    #[must_use]
    pub fn new(checks: Checks, uptime: Duration, now: Timestamp) -> Self {
        Self {
            status: checks.status(),
            version: env!("CARGO_PKG_VERSION"),
            checks,
            uptime: spelled(uptime),
            timestamp: now,
        }
    }
}

/// `2h15m30s`, `15m0s`, `30s`: whole seconds, and hours for as many as there are.
fn spelled(uptime: Duration) -> String {
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
    fn the_database_decides_whether_anything_works_and_the_others_whether_all_does() {
        assert_eq!(ALL.status(), Status::Healthy);
        for degraded in [
            Checks { queues: Check::Unhealthy, ..ALL },
            Checks { files: Check::Unhealthy, ..ALL },
            Checks { webhook_secret: Check::Unhealthy, ..ALL },
        ] {
            assert_eq!(degraded.status(), Status::Degraded, "{degraded:?}");
            let without_tables = Checks { database: Check::Unhealthy, ..degraded };
            assert_eq!(without_tables.status(), Status::Unhealthy, "{without_tables:?}");
        }
        assert_eq!(Checks { database: Check::Unhealthy, ..ALL }.status(), Status::Unhealthy);
    }

    #[test]
    fn an_uptime_is_spelled_from_its_largest_unit_on() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m0s"),
            (930, "15m30s"),
            (3_600, "1h0m0s"),
            (8_130, "2h15m30s"),
            (360_061, "100h1m1s"),
        ] {
            assert_eq!(spelled(Duration::from_secs(seconds)), expected);
        }
        assert_eq!(spelled(Duration::from_millis(1_999)), "1s");
    }

    #[test]
    fn a_report_has_the_shape_that_is_promised() {
        let now = "2026-01-15T10:30:00Z".parse().expect("a time");
        let report = Report::new(
            Checks { queues: Check::Unhealthy, ..ALL },
            Duration::from_secs(8_130),
            now,
        );
        let expected = json!({
            "status": "degraded",
            "version": env!("CARGO_PKG_VERSION"),
            "checks": {"database": "healthy", "queues": "unhealthy", "files": "healthy", "webhook_secret": "healthy"},
            "uptime": "2h15m30s",
            "timestamp": "2026-01-15T10:30:00.000Z",
        });
        assert_eq!(json!(report), expected);
    }
}
