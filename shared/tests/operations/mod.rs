//! `GET /metrics` on the embedded store, with the real SDK clients; and the agreement of alarms,
//! runbook and dashboards with the metrics that exist.

mod alarms;
mod costs;
mod dashboards;
mod fixtures;
mod metrics;
mod sources;
