//! Texts and numbers. The value of a parameter is a text, also where a number is meant, so each is
//! read from either.

use serde::Deserialize;
use serde_json::Value;

/// A text, a number or a truth value, as a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub(super) struct Text(pub(super) String);

impl TryFrom<Value> for Text {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        text(&value).map(Self).ok_or("must be a text, a number or a truth value")
    }
}

/// Returns a scalar as templates compare and join it: as a text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Text")]
pub(super) struct Number(pub(super) u32);

impl TryFrom<Text> for Number {
    type Error = String;

    fn try_from(Text(text): Text) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| format!("must be a whole number from 0, is `{text}`"))
    }
}
