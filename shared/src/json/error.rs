//! Errors of reading.

use std::fmt::{self, Display};

use serde::de::{Error, Expected, Unexpected};

/// The longest text of a request that an error repeats, in characters.
const MAX_SHOWN: usize = 100;

/// An invalid field, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct FieldError {
    field: String,
    problem: String,
}

impl FieldError {
    /// Makes the error of a field; the empty field is the whole value.
    pub fn new(field: impl Into<String>, problem: impl Display) -> Self {
        Self { field: field.into(), problem: problem.to_string() }
    }

    /// Makes the error of a text that is not one of those that are known.
    pub(crate) fn not_one_of(known: &[&str], given: &str) -> Self {
        Self::new("", format!("must be {}, not `{}`", Alternatives(known), shortened(given)))
    }

    /// Makes the error of a member that the object does not have.
    pub(super) fn unknown(name: &str, known: &[&str]) -> Self {
        Self::new(shortened(name), format!("is unknown: expected {}", Alternatives(known)))
    }

    /// Makes the error of a query string from serde's message about the parameter at a path.
    pub(crate) fn of_query(path: &str, message: &str) -> Self {
        let path = if matches!(path, "." | "?") { "" } else { path };
        let named = ["missing field `", "duplicate field `"]
            .iter()
            .find_map(|kind| message.strip_prefix(kind)?.split('`').next());
        Self::new(named.unwrap_or(path), message)
    }

    /// Prefixes the field with the name of the member that contains it.
    #[must_use]
    pub fn within(mut self, member: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => shortened(member),
            field if field.starts_with('[') => format!("{}{field}", shortened(member)),
            field => format!("{}.{field}", shortened(member)),
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

impl Error for FieldError {
    fn custom<T: Display>(problem: T) -> Self {
        Self::new("", problem)
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new("", format!("must be {expected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::not_one_of(expected, variant)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown(field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "is required")
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(field, "must be given once")
    }
}

/// Names in words: `` `a`, `b` or `c` ``.
pub(super) struct Alternatives<'a>(pub &'a [&'a str]);

impl Display for Alternatives<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{separator}`{name}`")?;
        }
        Ok(())
    }
}

/// Returns a text of the request, or its beginning if it is long.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
