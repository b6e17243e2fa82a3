//! Buckets.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    TemplateError, document::Resource, place::Place, scalar::Number, scope::Scope,
    stack::read_properties,
};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its logical id.
    pub id: String,
    /// When its objects expire.
    pub expirations: Vec<Expiration>,
}

/// A rule by which objects expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiration {
    /// The start of the objects' keys; empty for all objects.
    pub prefix: String,
    /// Their age, in days.
    pub days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    lifecycle_configuration: Option<Lifecycle>,
    #[serde(rename = "BucketEncryption")]
    _encryption: Option<IgnoredAny>,
    #[serde(rename = "OwnershipControls")]
    _ownership: Option<IgnoredAny>,
    #[serde(rename = "PublicAccessBlockConfiguration")]
    _public_access: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Lifecycle {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Rule {
    status: Status,
    #[serde(default)]
    prefix: String,
    expiration_in_days: Option<Number>,
    #[serde(rename = "Id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "AbortIncompleteMultipartUpload")]
    _unfinished_uploads: Option<IgnoredAny>,
}

#[derive(PartialEq, Deserialize)]
enum Status {
    Enabled,
    Disabled,
}

/// Reads a bucket. The removal of unfinished uploads is left to the store of the objects.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Bucket, TemplateError> {
    let properties: Properties = read_properties(resource, scope, place)?;
    let rules = properties.lifecycle_configuration.map_or_else(Vec::new, |found| found.rules);
    let expirations = rules.into_iter().filter(|rule| rule.status == Status::Enabled);
    let expirations = expirations.filter_map(|rule| {
        let Number(days) = rule.expiration_in_days?;
        Some(Expiration { prefix: rule.prefix, days })
    });
    Ok(Bucket { id: id.to_owned(), expirations: expirations.collect() })
}
