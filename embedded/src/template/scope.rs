//! Intrinsic functions, resolved to values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Names, TemplateError, document::Resource, place::Place, scalar::text};

/// What intrinsic functions resolve to.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The values of the parameters.
    pub(super) parameters: &'a BTreeMap<String, Value>,
    /// Whether each condition holds.
    pub(super) conditions: &'a BTreeMap<String, bool>,
    /// The resources, also those whose condition is false.
    pub(super) resources: &'a BTreeMap<String, Resource>,
    /// The physical names of the resources.
    pub(super) names: &'a dyn Names,
}

/// The logical ids of queues and APIs as their names, for references within a stack.
struct LogicalIds;

impl Names for LogicalIds {
    fn reference(&self, kind: &str, logical_id: &str) -> Option<String> {
        (kind == "AWS::Serverless::HttpApi").then(|| logical_id.to_owned())
    }

    fn attribute(&self, kind: &str, logical_id: &str, attribute: &str) -> Option<String> {
        (kind == "AWS::SQS::Queue" && attribute == "Arn").then(|| logical_id.to_owned())
    }

    fn pseudo_parameter(&self, _name: &str) -> Option<String> {
        None
    }
}

impl<'a> Scope<'a> {
    /// Returns this scope with logical ids as names: the `Ref` of an API, the `Arn` of a queue.
    pub(super) fn with_logical_ids(self) -> Self {
        Self { names: &LogicalIds, ..self }
    }

    /// Resolves a value. `None` is `AWS::NoValue`.
    pub(super) fn resolve(
        &self,
        value: &Value,
        place: &Place<'_>,
    ) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                let items =
                    items.map(|(index, item)| self.resolve(item, &place.item(index)).transpose());
                let items: Result<Vec<_>, _> = items.flatten().collect();
                Ok(Some(items?.into()))
            }
            Value::Object(members) => match intrinsic(members, place)? {
                Some((function, argument)) => self.call(function, argument, place),
                None => Ok(Some(self.resolve_members(members, place)?.into())),
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    /// Resolves the members of an object.
    pub(super) fn resolve_members(
        &self,
        members: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<Map<String, Value>, TemplateError> {
        let mut resolved = Map::new();
        for (name, value) in members {
            if let Some(value) = self.resolve(value, &place.member(name))? {
                resolved.insert(name.clone(), value);
            }
        }
        Ok(resolved)
    }

    fn call(
        &self,
        function: &str,
        argument: &Value,
        place: &Place<'_>,
    ) -> Result<Option<Value>, TemplateError> {
        let within = place.member(function);
        match (function, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => Ok(None),
            ("Ref", Value::String(name)) => self.reference(name, &within).map(Some),
            ("Fn::GetAtt", Value::Array(path)) => match &path[..] {
                [Value::String(resource), Value::String(attribute)] => {
                    Ok(Some(self.attribute(resource, attribute, &within)?.into()))
                }
                _ => Err(within.invalid("must be a resource and an attribute")),
            },
            ("Fn::If", Value::Array(items)) => self.choose(items, &within),
            ("Fn::Sub", Value::String(pattern)) => {
                Ok(Some(self.substitute(pattern, &Map::new(), &within)?.into()))
            }
            ("Fn::Sub", Value::Array(items)) => match &items[..] {
                [Value::String(pattern), Value::Object(variables)] => {
                    let variables = self.resolve_members(variables, &within.item(1))?;
                    Ok(Some(self.substitute(pattern, &variables, &within)?.into()))
                }
                _ => Err(within.invalid("must be a text and its variables")),
            },
            ("Ref" | "Fn::GetAtt" | "Fn::If" | "Fn::Sub", _) => {
                Err(within.invalid("invalid argument"))
            }
            _ => Err(place.invalid(format!("`{function}` is not supported here"))),
        }
    }

    /// Resolves one of two values, and not the other.
    fn choose(&self, items: &[Value], place: &Place<'_>) -> Result<Option<Value>, TemplateError> {
        let [Value::String(condition), then, otherwise] = items else {
            return Err(place.invalid("must be a condition and two values"));
        };
        match self.conditions.get(condition) {
            Some(true) => self.resolve(then, &place.item(1)),
            Some(false) => self.resolve(otherwise, &place.item(2)),
            None => Err(place.invalid(format!("no condition `{condition}`"))),
        }
    }

    fn reference(&self, name: &str, place: &Place<'_>) -> Result<Value, TemplateError> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        if name.starts_with("AWS::") {
            let value = self.names.pseudo_parameter(name);
            return value
                .map(Value::from)
                .ok_or_else(|| place.invalid(format!("`{name}` has no value here")));
        }
        let kind = self.kind(name, place)?;
        let value = self.names.reference(kind, name);
        value
            .map(Value::from)
            .ok_or_else(|| place.invalid(format!("`{name}` ({kind}) has no Ref here")))
    }

    fn attribute(
        &self,
        resource: &str,
        attribute: &str,
        place: &Place<'_>,
    ) -> Result<String, TemplateError> {
        let kind = self.kind(resource, place)?;
        let value = self.names.attribute(kind, resource, attribute);
        value.ok_or_else(|| {
            place.invalid(format!("`{resource}` ({kind}) has no attribute `{attribute}` here"))
        })
    }

    /// Returns the type of a resource of the stack.
    fn kind(&self, id: &str, place: &Place<'_>) -> Result<&'a str, TemplateError> {
        let resource = self.resources.get(id);
        let resource =
            resource.ok_or_else(|| place.invalid(format!("no parameter or resource `{id}`")))?;
        if self.includes(resource) {
            Ok(&resource.kind)
        } else {
            Err(place.invalid(format!("the condition of `{id}` is false")))
        }
    }

    /// Returns whether the stack has a resource: its condition, if any, holds.
    pub(super) fn includes(&self, resource: &Resource) -> bool {
        let condition = resource.condition.as_ref();
        condition.is_none_or(|name| self.conditions.get(name).copied().unwrap_or_default())
    }

    /// Replaces the variables of a text: `${Name}`, `${Resource.Attribute}`; `${!Name}` stands for
    /// `${Name}` itself.
    fn substitute(
        &self,
        pattern: &str,
        variables: &Map<String, Value>,
        place: &Place<'_>,
    ) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| place.invalid("`${` without `}`"))?;
            result.push_str(before);
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
                continue;
            }
            let value = match (variables.get(name), name.split_once('.')) {
                (Some(value), _) => value.clone(),
                (None, Some((resource, attribute))) => {
                    self.attribute(resource, attribute, place)?.into()
                }
                (None, None) => self.reference(name, place)?,
            };
            let value = text(&value);
            let value =
                value.ok_or_else(|| place.invalid(format!("`${{{name}}}` must be a text")))?;
            result.push_str(&value);
        }
        result.push_str(rest);
        Ok(result)
    }
}

/// Returns the name and the argument if an object is an intrinsic function.
pub(super) fn intrinsic<'a>(
    members: &'a Map<String, Value>,
    place: &Place<'_>,
) -> Result<Option<(&'a str, &'a Value)>, TemplateError> {
    let function = members.iter().find(|(name, _)| is_function(name));
    match function {
        Some((name, _)) if members.len() > 1 => {
            Err(place.invalid(format!("`{name}` must be the only member")))
        }
        function => Ok(function.map(|(name, argument)| (name.as_str(), argument))),
    }
}

/// Returns whether an object is an intrinsic function, or would be one without other members.
pub(super) fn is_intrinsic(members: &Map<String, Value>) -> bool {
    members.keys().any(|name| is_function(name))
}

fn is_function(name: &str) -> bool {
    name == "Ref" || name.starts_with("Fn::")
}
