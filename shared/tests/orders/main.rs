//! The promises of orders, each shown on the real SDK client against the embedded DynamoDB.

mod costs;
mod crashes;
mod keys;
mod listing;
mod races;
mod refusals;
mod shop;
