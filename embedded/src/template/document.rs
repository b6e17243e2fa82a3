//! The sections of a template.

use std::collections::BTreeMap;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use super::{
    TemplateError,
    parameter::Declaration,
    place::{Place, read as read_at},
};

/// A SAM template.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Template {
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, Declaration>,
    #[serde(default)]
    pub(super) conditions: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) globals: Globals,
    pub(super) resources: BTreeMap<String, Resource>,
    #[serde(rename = "AWSTemplateFormatVersion")]
    _format_version: Option<IgnoredAny>,
    #[serde(rename = "Transform")]
    _transform: Option<IgnoredAny>,
    #[serde(rename = "Description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "Outputs")]
    _outputs: Option<IgnoredAny>,
}

/// Properties that all resources of a type have.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Globals {
    #[serde(default)]
    pub(super) function: Map<String, Value>,
}

/// A resource before its properties are resolved.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Resource {
    /// The type, such as `AWS::SQS::Queue`.
    #[serde(rename = "Type")]
    pub(super) kind: String,
    /// The name of the condition under which the stack has the resource.
    pub(super) condition: Option<String>,
    #[serde(default)]
    pub(super) metadata: Value,
    #[serde(default)]
    pub(super) properties: Map<String, Value>,
    #[serde(rename = "DependsOn")]
    _depends_on: Option<IgnoredAny>,
    #[serde(rename = "DeletionPolicy")]
    _deletion_policy: Option<IgnoredAny>,
    #[serde(rename = "UpdateReplacePolicy")]
    _update_replace_policy: Option<IgnoredAny>,
}

/// Reads a template from JSON.
pub(super) fn read(document: Value) -> Result<Template, TemplateError> {
    let template: Template = read_at(document, "")?;
    let resources = Place::section("Resources");
    for (id, resource) in &template.resources {
        if let Some(name) = &resource.condition
            && !template.conditions.contains_key(name)
        {
            let place = resources.member(id);
            return Err(place.member("Condition").invalid(format!("no condition `{name}`")));
        }
    }
    Ok(template)
}
