use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

use super::Error;

/// The largest number of attributes of a message.
const MAX_ATTRIBUTES: usize = 10;

/// What a sender says about a message beside its body, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageAttributes(pub BTreeMap<String, AttributeValue>);

/// The value of an attribute: a text or bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AttributeValue {
    /// `String`, `Number` or `Binary`, and perhaps a dot and a type of the sender's own.
    pub data_type: String,
    /// The text of a string or number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// The bytes of a binary value, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

impl MessageAttributes {
    /// Checks the number, the types and the values of the attributes.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.0.len() > MAX_ATTRIBUTES {
            let reason = format!("must have at most {MAX_ATTRIBUTES} attributes");
            return Err(Error::invalid("MessageAttributes", reason));
        }
        for (name, value) in &self.0 {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if name.is_empty() || !name.chars().all(allowed) {
                let reason = format!("the name `{name}` must be of letters, digits, _, - and .");
                return Err(Error::invalid("MessageAttributes", reason));
            }
            if !value.is_valid() {
                let reason = format!("`{name}` must have a type and a value of this type");
                return Err(Error::invalid("MessageAttributes", reason));
            }
        }
        Ok(())
    }

    /// Returns the number of bytes of the names, types and values.
    pub(super) fn size(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.data_type.len() + value.bytes().len())
            .sum()
    }

    /// Returns the attributes that a receiver asks for: by name, by `prefix.*`, or `All`.
    pub(super) fn selected(&self, names: &[String]) -> Self {
        let selects = |asked: &str, name: &str| match asked.strip_suffix(".*") {
            Some(prefix) => name.starts_with(prefix),
            None => asked == "All" || asked == name,
        };
        let selected =
            self.0.iter().filter(|(name, _)| names.iter().any(|asked| selects(asked, name)));
        Self(selected.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Returns the bytes of which SQS gives the MD5 digest.
    pub(super) fn digested(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in &self.0 {
            push(&mut bytes, name.as_bytes());
            push(&mut bytes, value.data_type.as_bytes());
            bytes.push(if value.string_value.is_some() { 1 } else { 2 });
            push(&mut bytes, &value.bytes());
        }
        bytes
    }
}

/// Appends a part after its length.
fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(part);
}

impl AttributeValue {
    fn is_valid(&self) -> bool {
        let text = self.string_value.as_ref();
        let binary = self.binary_value.as_ref();
        match self.data_type.split('.').next() {
            Some("String" | "Number") => {
                text.is_some_and(|text| !text.is_empty()) && binary.is_none()
            }
            Some("Binary") => {
                let bytes = binary.and_then(|text| STANDARD.decode(text).ok());
                text.is_none() && bytes.is_some_and(|bytes| !bytes.is_empty())
            }
            _ => false,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match (&self.string_value, &self.binary_value) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).unwrap_or_default(),
            (None, None) => Vec::new(),
        }
    }
}

/// A column holds the attributes as JSON.
impl ToSql for MessageAttributes {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let json = serde_json::to_string(self);
        let json = json.map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))?;
        Ok(ToSqlOutput::from(json))
    }
}

impl FromSql for MessageAttributes {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map_err(|cause| FromSqlError::Other(cause.into()))
    }
}
