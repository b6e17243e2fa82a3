//! Pagination of lists: pages, and the cursors that lead from one page to the next.
//!
//! A cursor is opaque to callers. It has the place where the next page begins and the [`Filter`] of
//! the list that it was made for, so that it cannot lead out of another list, or of the same one
//! with other parameters.

use std::{
    fmt::{self, Display},
    marker::PhantomData,
    str::FromStr,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use form_urlencoded::Serializer as QueryString;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};

use crate::{json::FieldError, time::Timestamp, validated::Bounded};

/// The number of rows of a page.
pub type Limit = Bounded<1, 100>;

/// The number of rows of a page where the request has none.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<20>();

/// The page of a list that a request asks for: `?limit&cursor`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, bound = "P: FromStr + Display")]
pub struct Paging<P> {
    /// The number of rows.
    #[serde(default = "default_limit")]
    pub limit: Limit,
    /// The start of the page; without one it is the first page.
    pub cursor: Option<Cursor<P>>,
}

/// Returns [`DEFAULT_LIMIT`], as the function that serde needs for a default.
#[must_use]
pub fn default_limit() -> Limit {
    DEFAULT_LIMIT
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Row, P> {
    /// The rows.
    pub rows: Vec<Row>,
    /// The place of the next page; `None` on the last page.
    pub next: Option<P>,
}

impl<Row, P> Page<Row, P> {
    /// Makes a page of rows, of which one more than `limit` was read.
    pub(crate) fn of(mut rows: Vec<Row>, limit: Limit, place: impl Fn(&Row) -> P) -> Self {
        let more = rows.len() > limit.to_usize();
        rows.truncate(limit.to_usize());
        let next = rows.last().filter(|_| more).map(place);
        Self { rows, next }
    }

    /// Returns the page of other rows with the same place of the next page.
    pub(crate) fn with_rows<Other>(
        self,
        rows: impl FnOnce(Vec<Row>) -> Vec<Other>,
    ) -> Page<Other, P> {
        Page { rows: rows(self.rows), next: self.next }
    }
}

/// The name of a list, and the values of all parameters that choose its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// The filter of a list without parameters.
    #[must_use]
    pub fn of(list: &str) -> Self {
        Self(list.to_owned())
    }

    /// Adds a parameter, if the request has it.
    #[must_use]
    pub fn with(self, name: &str, value: Option<impl Display>) -> Self {
        let Some(value) = value else { return self };
        let length = self.0.len();
        let mut text = QueryString::for_suffix(self.0 + "?", length + 1);
        Self(text.append_pair(name, &value.to_string()).finish())
    }

    /// Returns the place of a request's cursor, if that was made for this filter.
    pub fn place<P>(&self, cursor: Option<Cursor<P>>) -> Result<Option<P>, FieldError> {
        match cursor {
            None => Ok(None),
            Some(cursor) if cursor.filter == *self => Ok(Some(cursor.place)),
            Some(_) => Err(FieldError::new("cursor", InvalidCursor::OfAnotherList)),
        }
    }

    /// Returns a page as callers see it: the rows as a member with this name, and `next_cursor`.
    #[must_use]
    pub fn listed<Row, P>(self, name: &'static str, page: Page<Row, P>) -> Listed<Row, P> {
        let cursor = page.next.map(|place| Cursor { filter: self, place });
        Listed { name, rows: page.rows, cursor }
    }
}

/// A page as callers see it.
#[derive(Debug)]
pub struct Listed<Row, P> {
    name: &'static str,
    rows: Vec<Row>,
    cursor: Option<Cursor<P>>,
}

impl<Row: Serialize, P: Display> Serialize for Listed<Row, P> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut page = to.serialize_map(Some(2))?;
        page.serialize_entry(self.name, &self.rows)?;
        page.serialize_entry("next_cursor", &self.cursor.as_ref().map(ToString::to_string))?;
        page.end()
    }
}

/// A place in a list, with the filter of that list. Only the filter gives out the place.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String", bound = "P: FromStr + Display")]
pub struct Cursor<P> {
    filter: Filter,
    place: P,
}

/// Why a text is no cursor of a list.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidCursor {
    /// It is not a cursor.
    #[error("must be the next_cursor of a page of this list")]
    Format,
    /// It was made for another list, or with other parameters.
    #[error("must be the next_cursor of a page of this list with the same parameters")]
    OfAnotherList,
}

impl<P: Display> Display for Cursor<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}#{}", self.filter.0, self.place)))
    }
}

impl<P: FromStr + Display> TryFrom<String> for Cursor<P> {
    type Error = InvalidCursor;

    fn try_from(cursor: String) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor::Format)?;
        let text = String::from_utf8(bytes).map_err(|_| InvalidCursor::Format)?;
        // No filter has the separator: its values are encoded.
        let (filter, place) = text.split_once('#').ok_or(InvalidCursor::Format)?;
        let parsed: P = place.parse().map_err(|_| InvalidCursor::Format)?;
        let is_valid = parsed.to_string() == place;
        is_valid
            .then(|| Self { filter: Filter(filter.to_owned()), place: parsed })
            .ok_or(InvalidCursor::Format)
    }
}

/// The place after a row in a list that is sorted by time and then by id: the row's sort key,
/// `<created_at>#<id>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<Id> {
    sort_key: String,
    id: PhantomData<Id>,
}

impl<Id> Place<Id> {
    /// Makes the place after the row with a sort key.
    #[must_use]
    pub(crate) fn after(sort_key: String) -> Self {
        Self { sort_key, id: PhantomData }
    }

    /// Returns the sort key of the row.
    #[must_use]
    pub(crate) fn sort_key(&self) -> &str {
        &self.sort_key
    }
}

impl<Id> Display for Place<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sort_key)
    }
}

impl<Id: FromStr + Display> FromStr for Place<Id> {
    type Err = InvalidCursor;

    fn from_str(sort_key: &str) -> Result<Self, InvalidCursor> {
        let (time, id) = sort_key.split_once('#').ok_or(InvalidCursor::Format)?;
        let is_valid = time.parse::<Timestamp>().is_ok_and(|parsed| parsed.to_string() == time)
            && id.parse::<Id>().is_ok_and(|parsed| parsed.to_string() == id);
        is_valid.then(|| Self::after(sort_key.to_owned())).ok_or(InvalidCursor::Format)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    const PLACE: &str = "2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007";

    fn place() -> Place<Uuid> {
        PLACE.parse().expect("a place")
    }

    /// The cursor of the page after this place, as callers get it.
    fn cursor(filter: Filter) -> String {
        let page = Page { rows: vec![1], next: Some(place()) };
        let listed = json!(filter.listed("numbers", page));
        assert_eq!(listed["numbers"], json!([1]));
        listed["next_cursor"].as_str().expect("a cursor").to_owned()
    }

    fn found(filter: &Filter, cursor: &str) -> Result<Option<Place<Uuid>>, FieldError> {
        filter.place(Some(Cursor::try_from(cursor.to_owned()).expect(cursor)))
    }

    #[test]
    fn a_cursor_leads_to_its_place_in_the_list_that_it_was_made_for() {
        let runs = |job: Option<u8>| Filter::of("runs").with("job", job);
        let between =
            |from: &str, to: &str| runs(None).with("from", Some(from)).with("to", Some(to));
        let filters = [
            Filter::of("orders"),
            runs(None),
            runs(Some(1)),
            runs(Some(2)),
            between("1", "2"),
            between("2", "1"),
            between("1&to=2", ""),
            between("1#", "2"),
            Filter::of("runs").with("to", Some("2")).with("from", Some("1")),
        ];
        for (made, of) in filters.iter().enumerate() {
            let cursor = cursor(of.clone());
            for (used, filter) in filters.iter().enumerate() {
                match found(filter, &cursor) {
                    Ok(at) => assert_eq!((at, made), (Some(place()), used), "{filter:?}"),
                    Err(error) => assert_eq!((error.field(), made != used), ("cursor", true)),
                }
            }
        }
        assert_eq!(Filter::of("orders").place::<Place<Uuid>>(None), Ok(None));
    }

    #[test]
    fn a_page_has_a_next_place_only_if_there_are_more_rows() {
        let page =
            |rows: &[u8]| Page::of(rows.to_vec(), Limit::literal::<2>(), ToString::to_string);
        assert_eq!(page(&[1, 2, 3]), Page { rows: vec![1, 2], next: Some("2".to_owned()) });
        assert_eq!(page(&[1, 2]), Page { rows: vec![1, 2], next: None });
        assert_eq!(page(&[]), Page { rows: vec![], next: None });
        let last = Filter::of("numbers").listed("numbers", page(&[1]));
        assert_eq!(json!(last), json!({"numbers": [1], "next_cursor": Value::Null}));
    }

    #[test]
    fn only_the_place_of_a_row_is_one() {
        for text in [
            "",
            "x",
            "orders",
            "orders#",
            "orders#x",
            "orders#ORDER#1",
            "orders#2026-11-20T23:20:00Z#00000000-0000-0000-0000-000000000007",
            "orders#2026-99-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007",
            "orders#2026-11-20T23:20:00.005Z#0000000000000000000000000000000a",
            PLACE,
        ] {
            let cursor = Cursor::<Place<Uuid>>::try_from(URL_SAFE_NO_PAD.encode(text));
            assert_eq!(cursor, Err(InvalidCursor::Format), "{text}");
        }
        for text in ["%%%", "a", "\u{e4}"] {
            let cursor = Cursor::<Place<Uuid>>::try_from(text.to_owned());
            assert_eq!(cursor, Err(InvalidCursor::Format), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_cursor_survives_its_text_form(name in any::<String>(), value in any::<String>()) {
            let filter = Filter::of("list").with(&name, Some(&value));
            prop_assert_eq!(found(&filter, &cursor(filter.clone())), Ok(Some(place())));
        }

        #[test]
        fn no_text_panics(
            text in any::<String>(),
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = Cursor::<Place<Uuid>>::try_from(text);
            let _ = Cursor::<Place<Uuid>>::try_from(URL_SAFE_NO_PAD.encode(bytes));
        }
    }
}
