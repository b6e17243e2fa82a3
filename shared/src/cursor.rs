//! Lists, page by page: the place in one that is sorted by time and then by id, and what is asked for of it.

use std::{fmt::Display, marker::PhantomData, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, validated::Bounded};

/// Rows of a page.
pub type Limit = Bounded<1, 100>;

/// The rows of a page where no number is asked for.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<20>();

/// Which page of a list: `?limit&cursor`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging<C> {
    /// How many rows.
    #[serde(default = "default_limit")]
    pub limit: Limit,
    /// After which; the list's first page without one.
    pub cursor: Option<C>,
}

/// For serde, which takes a default only from a function.
#[must_use]
pub fn default_limit() -> Limit {
    DEFAULT_LIMIT
}

/// The rows of a page, out of one more than it has, and the place of the last of them, if there are more.
pub(crate) fn paginate<T, Id>(
    mut rows: Vec<T>,
    limit: Limit,
    place: impl Fn(&T) -> String,
) -> (Vec<T>, Option<Cursor<Id>>) {
    let more = rows.len() > limit.to_usize();
    rows.truncate(limit.to_usize());
    let next = rows.last().filter(|_| more).map(|last| Cursor::at(place(last)));
    (rows, next)
}

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
pub struct InvalidCursor;

impl<Id> Cursor<Id> {
    /// At the row with this sort key.
    #[must_use]
    pub(crate) fn at(place: String) -> Self {
        Self { place, id: PhantomData }
    }

    /// The sort key of the row.
    #[must_use]
    pub(crate) fn sort_key(&self) -> &str {
        &self.place
    }
}

impl<Id: FromStr + Display> TryFrom<String> for Cursor<Id> {
    type Error = InvalidCursor;

    fn try_from(cursor: String) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let place = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        let (time, id) = place.split_once('#').ok_or(InvalidCursor)?;
        let is_place = time.parse::<Timestamp>().is_ok_and(|parsed| parsed.to_string() == time)
            && id.parse::<Id>().is_ok_and(|parsed| parsed.to_string() == id);
        is_place.then(|| Self::at(place)).ok_or(InvalidCursor)
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
        let cursor = Cursor::<Uuid>::at(
            "2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007".to_owned(),
        );
        assert_eq!(Cursor::try_from(String::from(cursor.clone())), Ok(cursor));
    }

    #[test]
    fn a_page_ends_with_a_place_only_if_there_are_more_rows() {
        let limit = Limit::literal::<2>();
        let paginate = |rows| super::paginate::<i32, Uuid>(rows, limit, ToString::to_string);
        assert_eq!(paginate(vec![1, 2, 3]), (vec![1, 2], Some(Cursor::at("2".to_owned()))));
        assert_eq!(paginate(vec![1, 2]), (vec![1, 2], None));
        assert_eq!(paginate(vec![]), (vec![], None));
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
            assert_eq!(
                Cursor::<Uuid>::try_from(URL_SAFE_NO_PAD.encode(place)),
                Err(InvalidCursor),
                "{place}"
            );
        }
        for text in ["%%%", "a", "\u{e4}"] {
            assert_eq!(Cursor::<Uuid>::try_from(text.to_owned()), Err(InvalidCursor), "{text}");
        }
    }
}
