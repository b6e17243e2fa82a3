//! JSON objects whose member `type` determines their other members.
//!
//! serde's internally tagged enums lose the path of an invalid member; here every error names its
//! field. An enum reads through `Tagged` (`#[serde(try_from = "Tagged")]`) and is written with
//! serde's attribute `tag = "type"`. A duplicate member of the object itself is an error; of
//! duplicates further down the last one counts.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, Visitor},
};
use serde_json::{Map, Value};

/// The member that determines the others.
const TYPE: &str = "type";

/// An object of which only the type has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tagged {
    kind: String,
    members: Map<String, Value>,
}

impl Tagged {
    /// Returns the value of `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Removes and reads a member that objects of all types may have.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, FieldError> {
        let member = self.members.remove(name);
        member.map(|value| read(value).map_err(|error| error.within(name))).transpose()
    }

    /// Reads the remaining members.
    pub fn rest<T: DeserializeOwned>(self) -> Result<T, FieldError> {
        read(Value::Object(self.members))
    }

    /// Returns the error for a type that is not one of the known ones.
    #[must_use]
    pub fn unknown_type(&self, known: &[&str]) -> FieldError {
        let known = known.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(" or ");
        FieldError::new(TYPE, format!("must be {known}, not `{}`", self.kind))
    }
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        FieldError::from_serde(&error.path().to_string(), &error.inner().to_string())
    })
}

impl<'de> Deserialize<'de> for Tagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Tagged;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a member `type`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Tagged, A::Error> {
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            let value = object.next_value()?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            members.insert(name, value);
        }
        match members.remove(TYPE) {
            Some(Value::String(kind)) => Ok(Tagged { kind, members }),
            Some(_) => Err(A::Error::custom(FieldError::new(TYPE, "must be a string"))),
            None => Err(A::Error::missing_field(TYPE)),
        }
    }
}

/// An invalid field, and what is wrong with it. The text contains both, so that they survive
/// serde's errors, which are texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid field `{field}`: {problem}")]
pub struct FieldError {
    field: String,
    problem: String,
}

impl FieldError {
    /// Makes the error of a field.
    pub fn new(field: impl Into<String>, problem: impl fmt::Display) -> Self {
        Self { field: field.into(), problem: problem.to_string() }
    }

    /// Makes the error from serde's message about the value at a path. The field is the value
    /// itself or, below it, the one that the message calls missing, unknown, duplicate or invalid;
    /// it is empty for the whole value.
    #[must_use]
    pub fn from_serde(path: &str, message: &str) -> Self {
        let path = if matches!(path, "." | "?") { "" } else { path };
        if let Some((field, problem)) =
            message.strip_prefix("invalid field `").and_then(|rest| rest.split_once("`: "))
        {
            return Self::new(field, problem).within(path);
        }
        let named = ["missing field `", "unknown field `", "duplicate field `"]
            .iter()
            .find_map(|kind| message.strip_prefix(kind)?.split('`').next());
        match named {
            // The path of an unknown member already ends with the member.
            Some(name) if path == name || path.ends_with(&format!(".{name}")) => {
                Self::new(path, message)
            }
            Some(name) => Self::new(name, message).within(path),
            None => Self::new(path, message),
        }
    }

    /// Prefixes the field with the path of the object that contains it.
    #[must_use]
    pub fn within(mut self, path: &str) -> Self {
        self.field = match (path, self.field.as_str()) {
            ("", _) => self.field,
            (_, "") => path.to_owned(),
            (_, field) if field.starts_with('[') => format!("{path}{field}"),
            (_, field) => format!("{path}.{field}"),
        };
        self
    }

    /// Returns the path of the field: `schedule.every_seconds`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Returns what is wrong with the field.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::{self, ApiError},
        validated::Bounded,
    };

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Circle {
        radius: Bounded<1, 9>,
        #[serde(default)]
        at: Option<Place>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Place {
        x: i64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(try_from = "Tagged")]
    enum Shape {
        Point(Option<String>),
        Circle(Option<String>, Circle),
    }

    impl TryFrom<Tagged> for Shape {
        type Error = FieldError;

        fn try_from(mut tagged: Tagged) -> Result<Self, FieldError> {
            let name = tagged.take("name")?;
            match tagged.kind() {
                "point" => Ok(Self::Point(name)),
                "circle" => Ok(Self::Circle(name, tagged.rest()?)),
                _ => Err(tagged.unknown_type(&["point", "circle"])),
            }
        }
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Drawing {
        #[serde(rename = "shape")]
        _shape: Shape,
    }

    fn shape(json: &str) -> Result<Shape, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// The error for a request body.
    fn refused<T: DeserializeOwned + fmt::Debug>(json: &str) -> ApiError {
        let request = http::Request::new(json.into());
        http::body::<T>(&request).expect_err(json)
    }

    #[test]
    fn the_type_determines_the_other_members() {
        assert_eq!(shape(r#"{"name":"a","type":"point"}"#), Ok(Shape::Point(Some("a".to_owned()))));
        let circle = Circle { radius: Bounded::literal::<3>(), at: Some(Place { x: 1 }) };
        assert_eq!(
            shape(r#"{"type":"circle","radius":3,"at":{"x":1}}"#),
            Ok(Shape::Circle(None, circle))
        );
    }

    #[test]
    fn an_error_names_its_field_with_its_path() {
        for (json, field, problem) in [
            ("{}", "type", "missing field `type`"),
            (r#"{"type":1}"#, "type", "must be a string"),
            (r#"{"type":"cube"}"#, "type", "must be `point` or `circle`, not `cube`"),
            (r#"{"type":"point","type":"point"}"#, "type", "duplicate field `type`"),
            (
                r#"{"type":"point","name":7}"#,
                "name",
                "invalid type: integer `7`, expected a string",
            ),
            (r#"{"type":"point","name":null}"#, "name", "invalid type: null, expected a string"),
            (r#"{"type":"circle"}"#, "radius", "missing field `radius`"),
            (r#"{"type":"circle","radius":0}"#, "radius", "must be between 1 and 9"),
            (r#"{"type":"circle","radius":1,"radius":1}"#, "radius", "duplicate field `radius`"),
            (r#"{"type":"circle","radius":1,"at":{}}"#, "at.x", "missing field `x`"),
            (
                r#"{"type":"circle","radius":1,"at":{"x":1,"y":1}}"#,
                "at.y",
                "unknown field `y`, expected `x`",
            ),
            (
                r#"{"type":"circle","radius":1,"hue":1}"#,
                "hue",
                "unknown field `hue`, expected `radius` or `at`",
            ),
        ] {
            assert_eq!(refused::<Shape>(json), ApiError::invalid(field, problem), "{json}");
            let nested = format!(r#"{{"shape":{json}}}"#);
            assert_eq!(
                refused::<Drawing>(&nested),
                ApiError::invalid(&format!("shape.{field}"), problem),
                "{nested}"
            );
        }
    }

    #[test]
    fn a_value_that_is_not_an_object_is_an_error_of_the_whole() {
        for (given, what) in
            [("[]", "sequence"), (r#""circle""#, "string \"circle\""), ("null", "null")]
        {
            let problem = format!("invalid type: {what}, expected an object with a member `type`");
            let json = format!(r#"{{"shape":{given}}}"#);
            assert_eq!(refused::<Drawing>(&json), ApiError::invalid("shape", problem), "{json}");
        }
        assert_eq!(refused::<Drawing>("{}"), ApiError::invalid("shape", "missing field `shape`"));
        let unknown = refused::<Drawing>(r#"{"shape":{"type":"point"},"hue":1}"#);
        assert_eq!(unknown, ApiError::invalid("hue", "unknown field `hue`, expected `shape`"));
    }
}
