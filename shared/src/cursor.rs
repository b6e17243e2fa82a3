//! Pagination of lists that are sorted by time and then by id.

use std::{fmt::Display, marker::PhantomData, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{time::Timestamp, validated::Bounded};

/// The number of rows of a page.
pub type Limit = Bounded<1, 100>;

/// The number of rows of a page where the request has none.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<20>();

/// The page of a list that a request asks for: `?limit&cursor`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging<C> {
    /// The number of rows.
    #[serde(default = "default_limit")]
    pub limit: Limit,
    /// The row after which the page begins; without one it is the first page.
    pub cursor: Option<C>,
}

/// Returns [`DEFAULT_LIMIT`], as the function that serde needs for a default.
#[must_use]
pub fn default_limit() -> Limit {
    DEFAULT_LIMIT
}

/// Splits rows, of which one more than `limit` was read, into those of the page and the cursor of
/// the next page, if there are more.
pub(crate) fn paginate<T, Id>(
    mut rows: Vec<T>,
    limit: Limit,
    sort_key: impl Fn(&T) -> String,
) -> (Vec<T>, Option<Cursor<Id>>) {
    let more = rows.len() > limit.to_usize();
    rows.truncate(limit.to_usize());
    let next = rows.last().filter(|_| more).map(|last| Cursor::at(sort_key(last)));
    (rows, next)
}

/// The sort key of a row in a list, `<created_at>#<id>`: opaque to callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String", bound = "Id: FromStr + Display + Clone")]
pub struct Cursor<Id> {
    sort_key: String,
    id: PhantomData<Id>,
}

/// A text that is not a cursor of a list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("must be the next_cursor of a page of this list")]
pub struct InvalidCursor;

impl<Id> Cursor<Id> {
    /// Makes the cursor of the row with a sort key.
    #[must_use]
    pub(crate) fn at(sort_key: String) -> Self {
        Self { sort_key, id: PhantomData }
    }

    /// Returns the sort key of the row.
    #[must_use]
    pub(crate) fn sort_key(&self) -> &str {
        &self.sort_key
    }
}

impl<Id: FromStr + Display> TryFrom<String> for Cursor<Id> {
    type Error = InvalidCursor;

    fn try_from(cursor: String) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
        let sort_key = String::from_utf8(bytes).map_err(|_| InvalidCursor)?;
        let (time, id) = sort_key.split_once('#').ok_or(InvalidCursor)?;
        let is_valid = time.parse::<Timestamp>().is_ok_and(|parsed| parsed.to_string() == time)
            && id.parse::<Id>().is_ok_and(|parsed| parsed.to_string() == id);
        is_valid.then(|| Self::at(sort_key)).ok_or(InvalidCursor)
    }
}

impl<Id> From<Cursor<Id>> for String {
    fn from(cursor: Cursor<Id>) -> Self {
        URL_SAFE_NO_PAD.encode(cursor.sort_key)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let cursor = Cursor::<Uuid>::at(
            "2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007".to_owned(),
        );
        assert_eq!(Cursor::try_from(String::from(cursor.clone())), Ok(cursor));
    }

    #[test]
    fn a_page_has_a_next_cursor_only_if_there_are_more_rows() {
        let limit = Limit::literal::<2>();
        let paginate = |rows| super::paginate::<i32, Uuid>(rows, limit, ToString::to_string);
        assert_eq!(paginate(vec![1, 2, 3]), (vec![1, 2], Some(Cursor::at("2".to_owned()))));
        assert_eq!(paginate(vec![1, 2]), (vec![1, 2], None));
        assert_eq!(paginate(vec![]), (vec![], None));
    }

    #[test]
    fn only_the_sort_key_of_a_row_is_a_cursor() {
        for sort_key in [
            "",
            "x",
            "ORDER#1",
            "2026-11-20T23:20:00Z#00000000-0000-0000-0000-000000000007",
            "2026-11-20T23:20:00.005Z#0000000000000000000000000000000a",
        ] {
            assert_eq!(
                Cursor::<Uuid>::try_from(URL_SAFE_NO_PAD.encode(sort_key)),
                Err(InvalidCursor),
                "{sort_key}"
            );
        }
        for text in ["%%%", "a", "\u{e4}"] {
            assert_eq!(Cursor::<Uuid>::try_from(text.to_owned()), Err(InvalidCursor), "{text}");
        }
    }
}
