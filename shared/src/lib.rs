//! Once: a serverless backend in which each thing happens once.
//!
//! Modules form layers, and imports run downwards only:
//! functions → `http` | `worker` → `App` → features → `dynamo` | `sqs` | `webhook` → `aws`.
//!
//! | layer | module | what it does |
//! |---|---|---|
//! | invocations | [`http`] | serves requests of the API: parsing, replies, errors as problem documents |
//! | | [`worker`] | serves rules and queues |
//! | | [`routes`] | the table of functions: routes, access, query, body, error format, rate class |
//! | | [`lifecycle`] | starts and ends an instance |
//! | process | [`App`] | holds every feature and client, made once for each process |
//! | | [`config`] | the settings of all modules, read from the environment |
//! | features | [`orders`] | products and orders: a unit of stock is sold once |
//! | | [`uniques`] | ids: each is counted once a minute |
//! | | [`company`] | company figures: computed once per company and kind, shared by all callers |
//! | | [`settlement`] | sums days of the ledger per merchant: a transaction is settled once a run |
//! | | [`schedule`] | scheduled jobs: an occurrence fires once |
//! | | [`operations`] | health checks and metrics of the deployment |
//! | shared by features | [`claim`] | leases: work with at most one live owner |
//! | | [`ledger`] | one entry for every payment |
//! | | `retry` | the retry loop of transactions |
//! | services | [`dynamo`] | the tables: keys, items, transactions |
//! | | [`sqs`] | the queues: sending, and handling a batch message by message |
//! | | [`secret`] | secrets of the deployment, cached |
//! | | [`webhook`] | sends signed webhooks to public addresses |
//! | AWS | [`aws`], `tls` | clients and their connections |
//! | values | [`cursor`], [`idempotency`], [`json`], [`time`], [`validated`], `id`, `digest` | types that hold valid values only; hashes |
//! | process-wide | [`access`], [`env`](mod@env), [`invocation`], [`telemetry`] | operators' tokens; environment variables; deadlines; logs and metrics |
//! | tests | `testing` | embedded services, faults and crash points; only with the feature `testing` |
//!
//! Values and process-wide modules may be imported from every layer. Of the features, `schedule`
//! imports those whose work it starts, and `operations` those that it measures.

pub mod access;
mod app;
pub mod aws;
pub mod claim;
pub mod company;
pub mod config;
pub mod cursor;
mod digest;
pub mod dynamo;
pub mod env;
pub mod http;
mod id;
pub mod idempotency;
pub mod invocation;
pub mod json;
pub mod ledger;
pub mod lifecycle;
pub mod operations;
pub mod orders;
mod retry;
pub mod routes;
pub mod schedule;
pub mod secret;
pub mod settlement;
pub mod sqs;
pub mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
mod tls;
pub mod uniques;
pub mod validated;
pub mod webhook;
pub mod worker;

pub use app::App;
