//! Access to DynamoDB: keys, items, conditional writes and transactions.

mod item;
pub mod keys;
mod transaction;
pub mod write;

pub use item::{Json, NEW, first, from_item, get, newest, put_if, put_new, to_attribute, to_item};
pub use transaction::{Commit, commit};
pub use write::Update;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An item in the SDK's format.
pub type Item = HashMap<String, AttributeValue>;

/// Returns a number as an attribute value.
#[must_use]
pub fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// Returns a text as an attribute value.
#[must_use]
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
