//! Once: a serverless backend in which each thing happens once.
//!
//! | module | what |
//! |---|---|
//! | [`orders`] | products and orders: a unit of stock is sold once |
//! | [`uniques`] | ids: each is counted once a minute |
//! | [`company`] | company figures: computed once per company and kind, shared by all callers |
//! | [`settlement`] | days of the ledger summed per merchant: a transaction is settled once a run |
//! | [`schedule`] | jobs at their times: an occurrence fires once |
//! | [`operations`] | how it is: the checks of `/health`, the numbers of `/metrics` |
//! | [`claim`] | work that must have one live owner |
//! | [`ledger`] | every payment, written by orders |
//! | [`http`] | the border to callers: requests, answers, problem details, routes |
//! | [`worker`], [`sqs`] | the border to rules and queues |
//! | [`access`] | who may call what |
//! | [`webhook`] | the border to receivers: webhooks, signed, and sent to public addresses only |
//! | [`dynamo`] | the border to the store: keys, transactions |
//! | [`aws`] | the border to AWS: how clients are made and how they reach it |
//! | [`cursor`], [`idempotency`], [`validated`], [`tagged`], [`time`] | values that are right by construction |
//! | [`config`], [`telemetry`], [`lifecycle`] | what the process is told, tells, and how it ends |
//! | [`App`] | the composition root: everything above, made once for each process |
//! | `testing` | the embedded store, faults and crash points; only with the feature `testing` |
//!
//! Imports run one way: functions → `http` | `worker` → `App` → feature → `dynamo` | `sqs` | `webhook` → `aws` → nothing of ours.

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
pub mod ledger;
pub mod lifecycle;
pub mod operations;
pub mod orders;
mod retry;
pub mod routes;
pub mod schedule;
pub mod settlement;
pub mod sqs;
pub mod tagged;
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
