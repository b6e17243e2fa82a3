//! Places in a template.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::TemplateError;

/// A place in a template. It becomes a text only in an error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    parent: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    /// A section of the template.
    pub(super) const fn section(name: &'a str) -> Self {
        Self { parent: None, step: Step::Member(name) }
    }

    pub(super) const fn member(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Member(name) }
    }

    pub(super) const fn item(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Item(index) }
    }

    /// Makes an error at this place.
    pub(super) fn invalid(&self, reason: impl fmt::Display) -> TemplateError {
        TemplateError::Content { place: self.to_string(), reason: reason.to_string() }
    }

    /// Reads a resolved value. An error names the place within the value.
    pub(super) fn read<T: DeserializeOwned>(&self, value: Value) -> Result<T, TemplateError> {
        read(value, &self.to_string())
    }
}

/// Reads a value. An error names the place within the value, under `place` if that is not empty.
pub(super) fn read<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, TemplateError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut place = place.to_owned();
        for segment in error.path() {
            if !place.is_empty() && !matches!(segment, Segment::Seq { .. }) {
                place.push('.');
            }
            place.push_str(&segment.to_string());
        }
        if place.is_empty() {
            place.push_str("template");
        }
        TemplateError::Content { place, reason: error.into_inner().to_string() }
    })
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match (self.step, self.parent) {
            (Step::Member(name), None) => formatter.write_str(name),
            (Step::Member(name), Some(_)) => write!(formatter, ".{name}"),
            (Step::Item(index), _) => write!(formatter, "[{index}]"),
        }
    }
}
