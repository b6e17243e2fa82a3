//! Ids that can be counted.

use std::{fmt, num::IntErrorKind, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::validated::string_conversions;

/// A signed 64-bit integer, written in ASCII digits. `7` and `007` are the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UniqueId(i64);

impl UniqueId {
    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl From<i64> for UniqueId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Display for UniqueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidId {
    /// Empty, or only white space.
    #[error("must not be empty")]
    Blank,
    /// A fraction, a plus sign, a letter, a digit of another script, …
    #[error("must be a whole number: digits with an optional leading '-'")]
    NotANumber,
    /// Does not fit 64 bits.
    #[error("must be between {} and {}", i64::MIN, i64::MAX)]
    TooLarge,
}

impl FromStr for UniqueId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.trim().is_empty() {
            return Err(InvalidId::Blank);
        }
        if text.starts_with('+') {
            return Err(InvalidId::NotANumber);
        }
        text.parse().map(Self).map_err(|error: std::num::ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => InvalidId::TooLarge,
            _ => InvalidId::NotANumber,
        })
    }
}

string_conversions!(UniqueId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_64_bit_integer_is_an_id() {
        for (text, id) in [
            ("0", 0),
            ("-0", 0),
            ("007", 7),
            ("-42", -42),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(text.parse(), Ok(UniqueId(id)), "{text}");
        }
    }

    #[test]
    fn any_other_text_is_refused_with_its_reason() {
        for blank in ["", " ", "\t\n", "\u{3000}"] {
            assert_eq!(blank.parse::<UniqueId>(), Err(InvalidId::Blank), "{blank:?}");
        }
        let words = [
            "one", "NaN", "0x10", "1e3", "1_000", "1,000", "--1", "-", "1 ", " 1", "1\0",
            "1\u{661}",
        ];
        let numbers = ["1.0", "+1", "+", "\u{ff11}\u{ff12}", "\u{661}", "\u{2212}1"];
        for invalid in words.into_iter().chain(numbers) {
            assert_eq!(invalid.parse::<UniqueId>(), Err(InvalidId::NotANumber), "{invalid:?}");
        }
        for large in ["9223372036854775808", "-9223372036854775809", "99999999999999999999999999"] {
            assert_eq!(large.parse::<UniqueId>(), Err(InvalidId::TooLarge), "{large}");
        }
    }
}
