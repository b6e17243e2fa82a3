//! Objects whose members are read one by one.

use serde::de::DeserializeOwned;

use super::{FieldError, FromJson, Value, value::Members};

/// The member that determines which others an object has.
const TYPE: &str = "type";

/// An object, and which of its members are still to be read.
#[derive(Debug)]
pub struct Object<'a> {
    members: Vec<(String, Value<'a>)>,
    /// The names of those that were asked for.
    known: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// Reads the members of an object, and none of their values.
    pub fn read(value: Value<'a>) -> Result<Self, FieldError> {
        Ok(Self { members: value.members()?, known: Vec::new() })
    }

    /// Returns the members that are left, in their order.
    pub fn members(self) -> impl Iterator<Item = (String, Value<'a>)> {
        self.members.into_iter()
    }

    /// Removes a member, and returns its value as it is.
    pub fn take_value(&mut self, name: &'static str) -> Option<Value<'a>> {
        self.known.push(name);
        let place = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(place).1)
    }

    /// Removes and reads a member that may be omitted.
    pub fn take<T: FromJson>(&mut self, name: &'static str) -> Result<Option<T>, FieldError> {
        let value = self.take_value(name);
        value.map(T::from_json).transpose().map_err(|error| error.within(name))
    }

    /// Removes and reads a member that must be given.
    pub fn require<T: FromJson>(&mut self, name: &'static str) -> Result<T, FieldError> {
        self.take(name)?.ok_or_else(|| FieldError::new(name, "is required"))
    }

    /// Removes and reads the member `type`.
    pub fn kind(&mut self) -> Result<String, FieldError> {
        self.require(TYPE)
    }

    /// Returns the error for a `type` that is not one of the known ones.
    #[must_use]
    pub fn unknown_kind(kind: &str, known: &[&str]) -> FieldError {
        FieldError::not_one_of(known, kind).within(TYPE)
    }

    /// Reads the members that are left as one value.
    pub fn rest<T: DeserializeOwned>(self) -> Result<T, FieldError> {
        Members::read(self.members)
    }

    /// Rejects an object with a member that was not asked for.
    pub fn finish(self) -> Result<(), FieldError> {
        match self.members.first() {
            Some((name, _)) => Err(FieldError::unknown(name, &self.known)),
            None => Ok(()),
        }
    }
}
