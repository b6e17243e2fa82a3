//! A value as a deserializer of serde: it tells what a type asked for in words, and where.

use std::{fmt, vec};

use serde::{
    Serialize, Serializer,
    de::{
        Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess,
        Visitor,
        value::{MapAccessDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::value::RawValue;

use super::{FieldError, error::Alternatives};

/// A JSON value of which nothing has been read yet: its text.
#[derive(Debug, Clone, Copy)]
pub struct Value<'a>(&'a RawValue);

impl<'a> Value<'a> {
    /// Checks that a text is one JSON value.
    pub fn parse(text: &'a [u8]) -> Result<Self, FieldError> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let value = Deserialize::deserialize(&mut json)
            .map_err(|error| FieldError::new("", format!("invalid JSON: {error}")))?;
        json.end().map_err(|_| FieldError::new("", "must be one JSON value and no more"))?;
        Ok(Self(value))
    }

    /// Returns its text.
    #[must_use]
    pub fn raw(self) -> &'a RawValue {
        self.0
    }

    /// Returns whether it is `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.starts_with("n")
    }

    /// Returns whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        self.starts_with("{")
    }

    pub(super) fn is_array(self) -> bool {
        self.starts_with("[")
    }

    pub(super) fn is_string(self) -> bool {
        self.starts_with("\"")
    }

    fn starts_with(self, prefix: &str) -> bool {
        self.0.get().starts_with(prefix)
    }

    /// Returns the members of an object.
    pub(super) fn members(self) -> Result<Vec<(String, Self)>, FieldError> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, Value<'de>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    members.push((name, Value(value)));
                }
                Ok(members)
            }
        }

        if !self.is_object() {
            return Err(FieldError::new("", "must be an object"));
        }
        // Beyond the syntax, which has been checked, only a name can be invalid.
        self.0
            .deserialize_map(Members)
            .map_err(|_| FieldError::new("", "must have names of Unicode characters"))
    }

    /// Returns the elements of an array.
    pub(super) fn elements(self) -> Result<Vec<Self>, FieldError> {
        let elements: Option<Vec<&RawValue>> =
            self.is_array().then(|| Deserialize::deserialize(self.0).ok()).flatten();
        let elements = elements.ok_or_else(|| FieldError::new("", "must be an array"))?;
        Ok(elements.into_iter().map(Self).collect())
    }

    /// Returns the text of a string.
    pub(super) fn text(self) -> Result<String, FieldError> {
        if !self.is_string() {
            return Err(FieldError::new("", "must be a string"));
        }
        String::deserialize(self.0)
            .map_err(|_| FieldError::new("", "must be a string of Unicode characters"))
    }

    fn is_integer(self) -> bool {
        let text = self.0.get();
        text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Visits an integer of any size; one beyond 128 bits as the nearest one within.
    fn integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let text = self.0.get();
        if !self.is_integer() {
            return Err(FieldError::new("", "must be an integer"));
        }
        match (text.parse(), text.parse()) {
            (Ok(number), _) => visitor.visit_i64(number),
            (_, Ok(number)) => visitor.visit_i128(number),
            _ if text.starts_with('-') => visitor.visit_i128(i128::MIN),
            _ => visitor.visit_i128(i128::MAX),
        }
    }
}

/// Its text, byte for byte, where the format is JSON.
impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

/// Methods that read an integer of one size.
macro_rules! deserialize_integer {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
            match self.0.get().parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => {
                    let (min, max) = (<$type>::MIN, <$type>::MAX);
                    let problem = format!("must be an integer between {min} and {max}");
                    Err(FieldError::new("", problem))
                }
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0.get().as_bytes().first() {
            Some(b'{') => self.deserialize_map(visitor),
            Some(b'[') => self.deserialize_seq(visitor),
            Some(b'"') => self.deserialize_string(visitor),
            Some(b't' | b'f') => self.deserialize_bool(visitor),
            Some(b'n') => visitor.visit_unit(),
            _ if self.is_integer() => self.integer(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.0.get() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(FieldError::new("", "must be true or false")),
        }
    }

    deserialize_integer! {
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
    }

    /// Types with bounds of their own ask for this one: they are also asked about larger ones.
    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.integer(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match serde_json::from_str(self.0.get()) {
            Ok(number) => visitor.visit_f64(number),
            Err(_) => Err(FieldError::new("", "must be a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_seq(Elements { rest: self.elements()?.into_iter(), read: 0 })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_map(Members::new(self.members()?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        self.deserialize_map(visitor)
    }

    /// One of a few texts: enums with members are read by their `type`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        if !self.is_string() {
            return Err(FieldError::new("", format!("must be {}", Alternatives(variants))));
        }
        let variant: StringDeserializer<FieldError> = self.text()?.into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        i128 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The members of an object that are still to be read.
pub(super) struct Members<'a> {
    rest: vec::IntoIter<(String, Value<'a>)>,
    next: Option<(String, Value<'a>)>,
}

impl<'a> Members<'a> {
    fn new(members: Vec<(String, Value<'a>)>) -> Self {
        Self { rest: members.into_iter(), next: None }
    }

    /// Reads an object with these members.
    pub fn read<T: Deserialize<'a>>(members: Vec<(String, Value<'a>)>) -> Result<T, FieldError> {
        T::deserialize(MapAccessDeserializer::new(Self::new(members)))
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        self.next = self.rest.next();
        let name = self.next.as_ref().map(|(name, _)| name.as_str().into_deserializer());
        name.map(|name: serde::de::value::StrDeserializer<'_, FieldError>| seed.deserialize(name))
            .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, FieldError> {
        let (name, value) =
            self.next.take().ok_or_else(|| FieldError::custom("a value has no name"))?;
        seed.deserialize(value).map_err(|error| error.within(&name))
    }
}

/// The elements of an array that are still to be read.
struct Elements<'a> {
    rest: vec::IntoIter<Value<'a>>,
    read: usize,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, FieldError> {
        let Some(value) = self.rest.next() else { return Ok(None) };
        let place = format!("[{}]", self.read);
        self.read += 1;
        seed.deserialize(value).map(Some).map_err(|error| error.within(&place))
    }
}
