//! Types that hold valid values only: the constraints of requests, each defined once.

use std::{fmt, str::FromStr};

use self::visible::is_visible;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

mod visible;

/// Implements `From<T> for String` and `TryFrom<String> for T` with the type's `Display` and
/// `FromStr`, for `#[serde(into = "String", try_from = "String")]`.
macro_rules! string_conversions {
    ($type:ty) => {
        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $type {
            type Error = <$type as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    };
}

pub(crate) use string_conversions;

/// A whole number between `MIN` and `MAX`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u32")]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// Makes a constant, whose bounds the compiler checks.
    #[must_use]
    pub const fn literal<const VALUE: u32>() -> Self {
        const { assert!(MIN <= VALUE && VALUE <= MAX) };
        Self(VALUE)
    }

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns the number as a size in memory.
    #[must_use]
    pub fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<'de, const MIN: u32, const MAX: u32> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_i64(BoundedVisitor)
    }
}

/// Reads integers of any size, so that also one beyond 64 bits is only out of bounds.
struct BoundedVisitor<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> Visitor<'_> for BoundedVisitor<MIN, MAX> {
    type Value = Bounded<MIN, MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an integer between {MIN} and {MAX}")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.visit_i128(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.visit_i128(value.into())
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Self::Value, E> {
        i64::try_from(value).unwrap_or(-1).try_into().map_err(E::custom)
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<i64> for Bounded<MIN, MAX> {
    type Error = OutOfBounds;

    fn try_from(value: i64) -> Result<Self, OutOfBounds> {
        u32::try_from(value)
            .ok()
            .filter(|value| (MIN..=MAX).contains(value))
            .map(Self)
            .ok_or(OutOfBounds { min: MIN, max: MAX })
    }
}

impl<const MIN: u32, const MAX: u32> FromStr for Bounded<MIN, MAX> {
    type Err = OutOfBounds;

    /// Parses digits only: no sign, no space.
    fn from_str(text: &str) -> Result<Self, OutOfBounds> {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = is_number.then(|| text.parse().ok()).flatten().unwrap_or(-1);
        Self::try_from(value)
    }
}

impl<const MIN: u32, const MAX: u32> fmt::Display for Bounded<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MIN: u32, const MAX: u32> From<Bounded<MIN, MAX>> for u32 {
    fn from(value: Bounded<MIN, MAX>) -> Self {
        value.0
    }
}

/// A number outside its bounds.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be between {min} and {max}")]
pub struct OutOfBounds {
    min: u32,
    max: u32,
}

/// A text of 1 to `MAX` characters, at least one of which can be seen, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = InvalidText;

    fn try_from(text: String) -> Result<Self, InvalidText> {
        match text.chars().count() {
            _ if !text.chars().any(is_visible) => Err(InvalidText::Blank),
            length if length > MAX => Err(InvalidText::TooLong { max: MAX, length }),
            _ if text.chars().any(char::is_control) => Err(InvalidText::Control),
            _ => Ok(Self(text)),
        }
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<const MAX: usize> AsRef<str> for Text<MAX> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// A name that is safe in keys, files and URLs: 1 to `MAX` of `A-Z a-z 0-9 _ . -`, but neither `.`
/// nor `..`, which clients drop from the path of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name<const MAX: usize>(String);

impl<const MAX: usize> Name<MAX> {
    /// Checks that a text is such a name, or `.` or `..`, which were names once.
    pub fn check(name: &str) -> Result<(), InvalidText> {
        match name.len() {
            0 => Err(InvalidText::Blank),
            _ if !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) =>
            {
                Err(InvalidText::NotAName)
            }
            length if length > MAX => Err(InvalidText::TooLong { max: MAX, length }),
            _ => Ok(()),
        }
    }
}

impl<const MAX: usize> FromStr for Name<MAX> {
    type Err = InvalidText;

    fn from_str(name: &str) -> Result<Self, InvalidText> {
        name.to_owned().try_into()
    }
}

impl<const MAX: usize> TryFrom<String> for Name<MAX> {
    type Error = InvalidText;

    fn try_from(name: String) -> Result<Self, InvalidText> {
        if matches!(name.as_str(), "." | "..") {
            return Err(InvalidText::Dots);
        }
        Self::check(&name).map(|()| Self(name))
    }
}

impl<const MAX: usize> From<Name<MAX>> for String {
    fn from(name: Name<MAX>) -> Self {
        name.0
    }
}

impl<const MAX: usize> fmt::Display for Name<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidText {
    /// Empty, or only characters that cannot be seen.
    #[error("must have a visible character")]
    Blank,
    /// Too long.
    #[error("must be at most {max} characters, not {length}")]
    TooLong {
        /// The number of characters allowed.
        max: usize,
        /// The number of characters given.
        length: usize,
    },
    /// With a line break, a tab, a NUL, …
    #[error("must not contain control characters")]
    Control,
    /// With a character that a name cannot contain.
    #[error("must contain only letters, digits, '_', '.' and '-'")]
    NotAName,
    /// `.` or `..`.
    #[error("must not be `.` or `..`: clients drop them from a URL")]
    Dots,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_accepted_at_its_bounds_and_refused_beyond_them() {
        type Lanes = Bounded<1, 32>;
        for valid in [1, 32] {
            assert_eq!(Lanes::try_from(valid).map(|lanes| i64::from(lanes.get())), Ok(valid));
        }
        for invalid in [0, 33, -1, i64::MAX, i64::MIN] {
            assert!(Lanes::try_from(invalid).is_err(), "{invalid}");
        }
        assert_eq!("32".parse::<Lanes>().map(Lanes::get), Ok(32));
        for invalid in ["", "0", "33", "+1", "-1", " 1", "1.0", "\u{661}", "99999999999999999999"] {
            assert!(invalid.parse::<Lanes>().is_err(), "{invalid}");
        }
    }

    #[test]
    fn the_length_of_a_text_is_in_characters_not_bytes() {
        assert!(Text::<3>::try_from("äöü".to_owned()).is_ok());
        assert_eq!(
            Text::<3>::try_from("äöüß".to_owned()),
            Err(InvalidText::TooLong { max: 3, length: 4 })
        );
        assert_eq!(Text::<3>::try_from("a\0b".to_owned()), Err(InvalidText::Control));
    }

    #[test]
    fn a_text_has_a_character_that_can_be_seen() {
        for blank in [
            "",
            " \t",
            "\u{a0}",
            "\u{feff}",
            "\u{200b}",
            "\u{2060}\u{200d}",
            "\u{3164}",
            "\u{2800}",
            "\u{e0041}",
        ] {
            let text = Text::<3>::try_from(blank.to_owned());
            assert_eq!(text, Err(InvalidText::Blank), "{blank:?}");
        }
        // A family is three people and two joiners.
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for visible in ["a", "\u{200b}a", family, "\u{300}"] {
            assert!(Text::<9>::try_from(visible.to_owned()).is_ok(), "{visible:?}");
        }
    }

    #[test]
    fn a_name_is_a_segment_of_a_path() {
        for dots in [".", ".."] {
            assert_eq!(dots.parse::<Name<64>>(), Err(InvalidText::Dots));
            assert_eq!(Name::<64>::check(dots), Ok(()), "what is stored can be read");
        }
        for name in ["...", ".a", "a.", "..a", "-", "_"] {
            assert!(name.parse::<Name<64>>().is_ok(), "{name}");
        }
    }

    #[test]
    fn a_name_cannot_contain_a_key_separator() {
        assert!(Name::<64>::try_from("merchant_001".to_owned()).is_ok());
        for invalid in ["a#b", "a b", "ä", "a/b", "=1+1"] {
            assert_eq!(
                Name::<64>::try_from(invalid.to_owned()),
                Err(InvalidText::NotAName),
                "{invalid}"
            );
        }
    }
}
