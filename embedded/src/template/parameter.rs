//! Parameters: what a template declares, and the values of a stack.

use std::{collections::BTreeMap, fmt};

use regex_lite::Regex;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::{TemplateError, scalar::Text};

/// A parameter of a stack, with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: ParameterType,
    /// The given value, or the default.
    pub value: String,
    /// What it sets; empty if the template does not say it.
    pub description: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ParameterType {
    /// Any text.
    String,
    /// A decimal number.
    Number,
    /// Texts, separated by commas.
    CommaDelimitedList,
}

/// A parameter, as a template declares it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Declaration {
    #[serde(rename = "Type")]
    kind: ParameterType,
    default: Option<Text>,
    allowed_values: Option<Vec<Text>>,
    allowed_pattern: Option<String>,
    min_value: Option<f64>,
    max_value: Option<f64>,
    #[serde(default)]
    description: String,
    #[serde(rename = "NoEcho")]
    _no_echo: Option<IgnoredAny>,
    #[serde(rename = "ConstraintDescription")]
    _constraint_description: Option<IgnoredAny>,
}

/// Returns the parameters with their values, given or default, sorted by name.
pub(super) fn resolve(
    declarations: &BTreeMap<String, Declaration>,
    given: &BTreeMap<String, String>,
) -> Result<Vec<Parameter>, TemplateError> {
    if let Some(name) = given.keys().find(|name| !declarations.contains_key(*name)) {
        let known: Vec<_> = declarations.keys().map(String::as_str).collect();
        return Err(invalid(name, format!("unknown; known are {}", known.join(", "))));
    }
    let parameters = declarations.iter().map(|(name, declaration)| {
        let default = || declaration.default.as_ref().map(|Text(default)| default);
        let value = given.get(name).or_else(default);
        let value = value.ok_or_else(|| invalid(name, "has no default: a value is required"))?;
        declaration.check(value).map_err(|reason| invalid(name, reason))?;
        Ok(Parameter {
            name: name.clone(),
            kind: declaration.kind,
            value: value.clone(),
            description: declaration.description.clone(),
        })
    });
    parameters.collect()
}

fn invalid(name: &str, reason: impl fmt::Display) -> TemplateError {
    TemplateError::Parameter { name: name.to_owned(), reason: reason.to_string() }
}

impl Parameter {
    /// Returns what a `Ref` of the parameter resolves to.
    pub(super) fn reference(&self) -> Value {
        match self.kind {
            ParameterType::String | ParameterType::Number => self.value.as_str().into(),
            ParameterType::CommaDelimitedList => items(&self.value).collect(),
        }
    }
}

/// Returns the items of a list.
fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

impl Declaration {
    /// Checks a value. An error says what is allowed.
    fn check(&self, value: &str) -> Result<(), String> {
        match self.kind {
            ParameterType::String => self.check_text(value),
            ParameterType::Number => self.check_number(value).and_then(|()| self.check_text(value)),
            ParameterType::CommaDelimitedList => {
                items(value).try_for_each(|item| self.check_text(item))
            }
        }
    }

    fn check_text(&self, value: &str) -> Result<(), String> {
        if let Some(allowed) = &self.allowed_values
            && !allowed.iter().any(|Text(allowed)| allowed == value)
        {
            let allowed: Vec<_> = allowed.iter().map(|Text(allowed)| allowed.as_str()).collect();
            return Err(format!("must be one of: {}", allowed.join(", ")));
        }
        let Some(pattern) = &self.allowed_pattern else { return Ok(()) };
        // The whole value has to match.
        let regex = Regex::new(&format!("^(?:{pattern})$"))
            .map_err(|error| format!("AllowedPattern `{pattern}`: {error}"))?;
        if regex.is_match(value) { Ok(()) } else { Err(format!("must match `{pattern}`")) }
    }

    fn check_number(&self, value: &str) -> Result<(), String> {
        // Rust's parser also takes exponents, `inf` and `nan`.
        let decimal = value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
        let number = value.parse::<f64>().ok().filter(|_| decimal);
        let number = number.ok_or_else(|| format!("must be a number{}", self.range()))?;
        let below = self.min_value.is_some_and(|min| number < min);
        let above = self.max_value.is_some_and(|max| number > max);
        if below || above { Err(format!("must be a number{}", self.range())) } else { Ok(()) }
    }

    /// Returns the range of a number, for an error.
    fn range(&self) -> String {
        match (self.min_value, self.max_value) {
            (Some(min), Some(max)) => format!(" from {min} to {max}"),
            (Some(min), None) => format!(" of at least {min}"),
            (None, Some(max)) => format!(" of at most {max}"),
            (None, None) => String::new(),
        }
    }
}
