//! The border to DynamoDB: the keys, and what an answer of the store means.

mod item;
pub mod keys;
mod transaction;
pub mod write;

pub use item::{Json, NEW, first, get, keyed, newest, put_if, put_new, read, written};
pub use transaction::{Commit, commit};
pub use write::Update;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An item as the SDK gives and takes it.
pub type Item = HashMap<String, AttributeValue>;

/// A value for a `:number` of an expression.
#[must_use]
pub fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A value for a `:text` of an expression.
#[must_use]
pub fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}
