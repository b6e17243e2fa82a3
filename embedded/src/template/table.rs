//! Tables.

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    TemplateError, document::Resource, place::Place, scope::Scope, stack::read_properties,
};

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its logical id.
    pub id: String,
    /// The `CreateTable` request that makes it.
    pub create_request: Value,
    /// The attribute with the time at which an item expires.
    pub ttl_attribute: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    attribute_definitions: Value,
    key_schema: Value,
    global_secondary_indexes: Option<Value>,
    billing_mode: Option<Value>,
    time_to_live_specification: Option<TimeToLive>,
    #[serde(rename = "PointInTimeRecoverySpecification")]
    _backups: Option<IgnoredAny>,
    #[serde(rename = "SSESpecification")]
    _encryption: Option<IgnoredAny>,
    #[serde(rename = "WarmThroughput")]
    _warm_throughput: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

/// Reads a table.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Table, TemplateError> {
    let name = scope.names.reference(&resource.kind, id);
    let name = name.ok_or_else(|| place.invalid(format!("no name for `{}`", resource.kind)))?;
    let properties: Properties = read_properties(resource, scope, place)?;
    let request: [(&str, Option<Value>); 5] = [
        ("TableName", Some(name.into())),
        ("AttributeDefinitions", Some(properties.attribute_definitions)),
        ("KeySchema", Some(properties.key_schema)),
        ("GlobalSecondaryIndexes", properties.global_secondary_indexes),
        ("BillingMode", properties.billing_mode),
    ];
    let request: Map<String, Value> = request
        .into_iter()
        .filter_map(|(member, value)| Some((member.to_owned(), value?)))
        .collect();
    let expiry = properties.time_to_live_specification.filter(|expiry| expiry.enabled);
    Ok(Table {
        id: id.to_owned(),
        create_request: request.into(),
        ttl_attribute: expiry.map(|expiry| expiry.attribute_name),
    })
}
