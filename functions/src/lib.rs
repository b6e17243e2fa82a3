//! The handlers of every Lambda function, by feature. The programs in `src/bin/` are one call each:
//! they hand their own name (`CARGO_BIN_NAME`), what to prewarm and the handler to the library.
//!
//! | module | programs |
//! |---|---|
//! | [`orders`] | `order-create`, `order-list`, `order-get`, `order-cancel` |
//! | [`products`] | `product-create`, `product-list`, `product-get`, `product-restock` |
//! | [`uniques`] | `accept`, `count-list`, `minute-close`, `callback-send`, `callback-test` |
//! | [`company`] | `company-put`, `company-get`, `company-figures`, `company-compute` |
//! | [`settlement`] | `settlement-create`, `settlement-list`, `settlement-get`, `settlement-cancel`, `settlement-retry`, `settlement-download`; workers `settlement-plan`, `settlement-batch`, `settlement-finish`, `settlement-dead-letter`, `settlement-recover` |
//! | [`schedule`] | `scheduled-job-create`, `scheduled-job-list`, `scheduled-job-get`, `scheduled-job-put`, `scheduled-job-delete`, `scheduled-job-pause`, `scheduled-job-resume`, `scheduled-job-run`, `scheduled-job-run-list`; `schedule-get`, `schedule-put`, `schedule-delete`, `schedule-preview`; workers `schedule-tick`, `schedule-run` |
//! | [`operations`] | `health`, `metrics-get`, `openapi-get`, `route-unknown` |
//!
//! Which routes a program serves, who may call it and what its requests may hold is one table:
//! [`once::routes`]; [`table`] has the handlers by name. A handler parses its request, calls one
//! feature, and answers.

#![allow(clippy::unused_async, reason = "handlers are async, also those that call nothing")]

#[cfg(test)]
mod access;
pub mod company;
pub mod operations;
pub mod orders;
pub mod products;
pub mod schedule;
pub mod settlement;
pub mod table;
pub mod uniques;
