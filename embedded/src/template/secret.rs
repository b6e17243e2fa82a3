//! Secrets.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    TemplateError, document::Resource, place::Place, scalar::Number, scope::Scope,
    stack::read_properties,
};

/// A secret with a generated value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// Its logical id.
    pub id: String,
    /// The number of characters of its value.
    pub length: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    generate_secret_string: Generation,
    #[serde(rename = "Description")]
    _description: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Generation {
    password_length: Option<Number>,
    /// Letters and digits are never excluded here.
    #[serde(rename = "ExcludeCharacters")]
    _exclude_characters: Option<IgnoredAny>,
}

/// Reads a secret.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Secret, TemplateError> {
    let Properties { generate_secret_string: generation, .. } =
        read_properties(resource, scope, place)?;
    // Secrets Manager's default.
    let length = generation.password_length.map_or(32, |Number(length)| length);
    Ok(Secret { id: id.to_owned(), length })
}
