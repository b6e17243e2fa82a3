//! What people see who look after a deployment: the numbers of `/metrics` on the embedded store, with the real clients; and whether the
//! alarms, the runbook and the dashboards speak of what is really there.

mod alarms;
mod costs;
mod dashboards;
mod numbers;
mod scraped;
mod sources;
