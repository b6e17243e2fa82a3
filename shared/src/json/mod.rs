//! Strict reading of JSON: bodies of requests, and values that are stored as a text of JSON.
//!
//! An error is a [`FieldError`]: it has the path of the field as data, from the place where the
//! value was read, and says in words what is wrong with it. A member that is given twice is an
//! error at every depth of a body, also where nothing is interpreted. Numbers are read only where a
//! type asks for one, so a text that is passed on keeps its numbers, its spaces and the order of
//! its members.
//!
//! | file | what |
//! |---|---|
//! | `document` | a body: one object, without members that are given twice |
//! | `value` | a value, as a deserializer of serde |
//! | `object` | an object whose members are read one by one: by its `type`, for example |
//! | `error` | an invalid field |

mod document;
mod error;
mod object;
#[cfg(test)]
mod tests;
mod value;

use serde::de::DeserializeOwned;

pub use self::{document::document, error::FieldError, object::Object, value::Value};

/// A type that is read from JSON: any that serde reads, and those that read their members one by
/// one, since one of them determines the others.
///
/// The latter do not implement serde's `Deserialize`: its errors are texts where a type is built
/// from another, so they would lose the path.
pub trait FromJson: Sized {
    /// Reads a value.
    fn from_json(value: Value<'_>) -> Result<Self, FieldError>;
}

impl<T: DeserializeOwned> FromJson for T {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        T::deserialize(value)
    }
}

/// Reads a text that is one JSON value, such as one that is stored.
pub fn parse<T: FromJson>(text: &str) -> Result<T, FieldError> {
    T::from_json(Value::parse(text.as_bytes())?)
}
