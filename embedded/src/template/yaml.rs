//! YAML with the tags of intrinsic functions, as JSON with their long form.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};
use serde_saphyr::Tagged;

use super::TemplateError;

/// The start of the tags of YAML's own types.
const YAML_TAGS: &str = "tag:yaml.org,2002:";

/// Parses a text: `!Ref X` becomes `{"Ref": "X"}`, `!Sub X` becomes `{"Fn::Sub": "X"}`.
pub(super) fn parse(text: &str) -> Result<Value, TemplateError> {
    let Node(value) = serde_saphyr::from_str(text)
        .map_err(|error: serde_saphyr::Error| TemplateError::Syntax(Box::new(error)))?;
    Ok(value)
}

/// A value with its tag.
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Content(value), tag) = Tagged::deserialize(deserializer)?;
        match tag {
            Some(tag) if !tag.starts_with(YAML_TAGS) => long_form(&tag, value).map(Self),
            _ => Ok(Self(value)),
        }
    }
}

/// Returns the long form of an intrinsic function.
fn long_form<E: de::Error>(tag: &str, argument: Value) -> Result<Value, E> {
    let name = tag.strip_prefix('!').unwrap_or(tag);
    let member = match name {
        "Ref" | "Condition" => name.to_owned(),
        _ => format!("Fn::{name}"),
    };
    let argument = match argument {
        Value::String(path) if name == "GetAtt" => {
            let path = path.split_once('.').ok_or_else(|| {
                E::custom(format!("!GetAtt {path}: must be a resource and an attribute"))
            })?;
            <[&str; 2]>::from(path).as_slice().into()
        }
        argument => argument,
    };
    Ok(Map::from_iter([(member, argument)]).into())
}

/// A value without its tag.
struct Content(Value);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor).map(Self)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a scalar, a sequence or a mapping with text keys")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Node(item)) = sequence.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Node(value))) = mapping.next_entry::<String, Node>()? {
            members.insert(name, value);
        }
        Ok(members.into())
    }
}
