//! Tests of the promises of orders, with the real SDK client and the embedded DynamoDB.

mod costs;
mod crashes;
mod fixtures;
mod idempotency;
mod lists;
mod races;
mod refusals;
