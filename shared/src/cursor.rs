//! The place in a list that is sorted by time and then by id.

use std::{fmt::Display, marker::PhantomData, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The place of a row in a list, `<created_at>#<id>`: opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "Id: FromStr + Display + Clone")]
pub struct Cursor<Id> {
    place: String,
    id: PhantomData<Id>,
}

/// A cursor that no list gave.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("is not a cursor that a list gave")]
pub struct UnfitCursor;

impl<Id> Cursor<Id> {
    /// At the row with this sort key.
    #[must_use]
    pub(crate) fn at(place: String) -> Self {
        Self { place, id: PhantomData }
    }

    /// The sort key of the row.
    #[must_use]
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}

impl<Id: FromStr + Display> TryFrom<String> for Cursor<Id> {
    type Error = UnfitCursor;

    fn try_from(cursor: String) -> Result<Self, UnfitCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| UnfitCursor)?;
        let place = String::from_utf8(bytes).map_err(|_| UnfitCursor)?;
        let (time, id) = place.split_once('#').ok_or(UnfitCursor)?;
        let is_place = time.parse::<Timestamp>().is_ok_and(|parsed| parsed.to_string() == time)
            && id.parse::<Id>().is_ok_and(|parsed| parsed.to_string() == id);
        is_place.then(|| Self::at(place)).ok_or(UnfitCursor)
    }
}

impl<Id> From<Cursor<Id>> for String {
    fn from(cursor: Cursor<Id>) -> Self {
        URL_SAFE_NO_PAD.encode(cursor.place)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given() {
        let cursor = Cursor::<Uuid>::at("2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007".to_owned());
        assert_eq!(Cursor::try_from(String::from(cursor.clone())), Ok(cursor));
    }

    #[test]
    fn only_a_place_in_a_list_is_a_cursor() {
        for place in [
            "",
            "x",
            "ORDER#1",
            "2026-11-20T23:20:00Z#00000000-0000-0000-0000-000000000007",
            "2026-11-20T23:20:00.005Z#0000000000000000000000000000000a",
        ] {
            assert_eq!(Cursor::<Uuid>::try_from(URL_SAFE_NO_PAD.encode(place)), Err(UnfitCursor), "{place}");
        }
        for text in ["%%%", "a", "\u{e4}"] {
            assert_eq!(Cursor::<Uuid>::try_from(text.to_owned()), Err(UnfitCursor), "{text}");
        }
    }
}
