//! Environment variables, read with a type. An invalid value is an error that names its variable.

use std::{env, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

/// The variables of a process, or those of a test.
pub struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Some hold secrets.
        f.write_str("Variables")
    }
}

/// A variable that is missing or invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {variable}: {problem}")]
pub struct VariableError {
    variable: &'static str,
    problem: String,
}

/// Looks up a variable of this process.
#[must_use]
pub fn lookup(variable: &str) -> Option<String> {
    env::var(variable).ok()
}

impl<'a> Variables<'a> {
    /// The variables that a function looks up, such as [`lookup`].
    #[must_use]
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// Reads a text; `None` where it is missing or empty.
    #[must_use]
    pub fn text(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    /// Reads a text that must be there and not empty.
    pub fn required(&self, variable: &'static str) -> Result<String, VariableError> {
        let missing = || VariableError { variable, problem: "is not set".to_owned() };
        self.text(variable).ok_or_else(missing)
    }

    /// Reads a value, or returns the default where the variable is missing.
    pub fn parsed<T: FromStr<Err: Display>>(
        &self,
        variable: &'static str,
        default: T,
    ) -> Result<T, VariableError> {
        (self.0)(variable).map_or(Ok(default), |value| {
            let invalid =
                |error| VariableError { variable, problem: format!("{value:?}: {error}") };
            value.parse().map_err(invalid)
        })
    }

    /// Reads a value that may be a secret: the error does not repeat it. `None` where the variable
    /// is missing or empty.
    pub fn secret<T: FromStr<Err: Display>>(
        &self,
        variable: &'static str,
    ) -> Result<Option<T>, VariableError> {
        let invalid = |error: T::Err| VariableError { variable, problem: error.to_string() };
        self.text(variable).map(|value| value.parse().map_err(invalid)).transpose()
    }

    /// Reads a number within a range.
    pub fn number<T>(
        &self,
        variable: &'static str,
        default: T,
        range: RangeInclusive<T>,
    ) -> Result<T, VariableError>
    where
        T: FromStr<Err: Display> + Display + PartialOrd,
    {
        let number = self.parsed(variable, default)?;
        if !range.contains(&number) {
            let (min, max) = (range.start(), range.end());
            let problem = format!("must be between {min} and {max}, not {number}");
            return Err(VariableError { variable, problem });
        }
        Ok(number)
    }

    /// Reads a duration in seconds.
    pub fn seconds(
        &self,
        variable: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, VariableError> {
        self.number(variable, default, range).map(Duration::from_secs)
    }

    /// Reads a duration in milliseconds.
    pub fn millis(
        &self,
        variable: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, VariableError> {
        self.number(variable, default, range).map(Duration::from_millis)
    }

    /// Reads a switch that must never be on where functions reach the real AWS: on only together
    /// with `AWS_ENDPOINT_URL`.
    pub fn local_only(&self, variable: &'static str) -> Result<bool, VariableError> {
        let on = self.parsed(variable, false)?;
        if on && self.text("AWS_ENDPOINT_URL").is_none() {
            let problem = "is for local use only: it needs AWS_ENDPOINT_URL".to_owned();
            return Err(VariableError { variable, problem });
        }
        Ok(on)
    }
}
