//! Conditions of requests on the state of an object: `If-Match` and its kin.

use http::{HeaderMap, HeaderName, header};
use jiff::{Timestamp, fmt::rfc2822};

use super::Error;

/// What a write requires of the object that it replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WriteCondition {
    /// Nothing.
    #[default]
    None,
    /// That there is none.
    Absent,
    /// That it has this `ETag`.
    Match(String),
}

impl WriteCondition {
    /// Reads `If-None-Match: *` and `If-Match: <etag>`.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Error> {
        match (text(headers, &header::IF_NONE_MATCH), text(headers, &header::IF_MATCH)) {
            (None, None) => Ok(Self::None),
            (Some("*"), None) => Ok(Self::Absent),
            (None, Some(etag)) => Ok(Self::Match(etag.to_owned())),
            (Some(_), _) => {
                Err(Error::NotImplemented("If-None-Match of a write with an ETag".to_owned()))
            }
        }
    }

    /// Checks the `ETag` of the present object.
    pub(super) fn check(&self, present: Option<&str>) -> Result<(), Error> {
        match (self, present) {
            (Self::None, _) | (Self::Absent, None) => Ok(()),
            (Self::Match(_), None) => Err(Error::NoSuchKey),
            (Self::Match(etag), Some(present)) if matches(etag, present) => Ok(()),
            (Self::Absent | Self::Match(_), Some(_)) => Err(Error::PreconditionFailed),
        }
    }
}

/// Returns whether a reader needs the object (`false`: it has this version), or that a condition
/// does not hold.
pub(super) fn is_wanted(
    headers: &HeaderMap,
    etag: &str,
    modified: Timestamp,
) -> Result<bool, Error> {
    let is_listed = |tags: &str| tags.split(',').any(|tag| matches(tag.trim(), etag));
    let is_newer = |name| date(headers, &name).map(|date| modified.as_second() > date.as_second());
    let required = text(headers, &header::IF_MATCH).map(is_listed);
    if !required
        .or_else(|| is_newer(header::IF_UNMODIFIED_SINCE).map(|newer| !newer))
        .unwrap_or(true)
    {
        return Err(Error::PreconditionFailed);
    }
    let is_known = text(headers, &header::IF_NONE_MATCH).map(is_listed);
    Ok(!is_known
        .or_else(|| is_newer(header::IF_MODIFIED_SINCE).map(|newer| !newer))
        .unwrap_or(false))
}

/// Returns whether a tag of a condition is the object's, by weak comparison: a cache may have
/// weakened it.
fn matches(tag: &str, etag: &str) -> bool {
    tag == "*" || tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"') == etag.trim_matches('"')
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Reads a date; an invalid one is no condition (RFC 9110).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    let date = rfc2822::DateTimeParser::new().parse_timestamp(text(headers, name)?);
    date.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::time;

    const ETAG: &str = "\"e\"";
    const EARLIER: &str = "Wed, 18 Nov 2026 11:06:39 GMT";
    const AT_TIME: &str = "Wed, 18 Nov 2026 11:06:40 GMT";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let parsed = |text: &'static str| text.parse().expect("a value");
        pairs.iter().map(|(name, value)| (name.parse().expect("a name"), parsed(value))).collect()
    }

    #[test]
    fn a_read_depends_on_its_conditions() {
        assert_eq!(time(0).to_string(), "2026-11-18T11:06:40Z");
        for (pairs, expected) in [
            (&[][..], Some(true)),
            (&[("if-match", ETAG)], Some(true)),
            (&[("if-match", "*")], Some(true)),
            (&[("if-match", "e")], Some(true)),
            (&[("if-match", "\"x\", \"e\"")], Some(true)),
            (&[("if-match", "\"x\"")], None),
            (&[("if-none-match", ETAG)], Some(false)),
            (&[("if-none-match", "W/\"e\"")], Some(false)),
            (&[("if-none-match", "*")], Some(false)),
            (&[("if-none-match", "\"x\"")], Some(true)),
            (&[("if-modified-since", AT_TIME)], Some(false)),
            (&[("if-modified-since", EARLIER)], Some(true)),
            (&[("if-modified-since", "yesterday")], Some(true)),
            (&[("if-unmodified-since", AT_TIME)], Some(true)),
            (&[("if-unmodified-since", EARLIER)], None),
            (&[("if-match", ETAG), ("if-unmodified-since", EARLIER)], Some(true)),
            (&[("if-none-match", "\"x\""), ("if-modified-since", AT_TIME)], Some(true)),
            (&[("if-match", ETAG), ("if-none-match", ETAG)], Some(false)),
        ] {
            assert_eq!(is_wanted(&headers(pairs), ETAG, time(0)).ok(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_write_depends_on_its_condition() {
        let present = Some(ETAG);
        for (pairs, state, code) in [
            (&[][..], present, None),
            (&[], None, None),
            (&[("if-none-match", "*")], None, None),
            (&[("if-none-match", "*")], present, Some("PreconditionFailed")),
            (&[("if-match", ETAG)], present, None),
            (&[("if-match", "\"x\"")], present, Some("PreconditionFailed")),
            (&[("if-match", ETAG)], None, Some("NoSuchKey")),
            (&[("if-none-match", ETAG)], None, Some("NotImplemented")),
        ] {
            let result =
                WriteCondition::read(&headers(pairs)).and_then(|condition| condition.check(state));
            assert_eq!(result.err().map(|error| error.code().1), code, "{pairs:?} {state:?}");
        }
    }
}
