//! The `Range` of a read.

use std::ops::Range;

use http::{HeaderMap, header};

use super::Error;

/// Returns the requested part of an object of `length` bytes. `None`: the whole object is wanted.
///
/// One range is served; several, or what is no range of bytes, are ignored as RFC 9110 allows.
pub(super) fn requested(
    headers: &HeaderMap,
    etag: &str,
    length: u64,
) -> Result<Option<Range<u64>>, Error> {
    // A download is resumed only if the object is still the same.
    if headers.get(header::IF_RANGE).is_some_and(|tag| tag != etag) {
        return Ok(None);
    }
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((first, last)) = range.and_then(parse) else { return Ok(None) };
    let range = match (first, last) {
        (Some(first), last) => {
            first..last.map_or(length, |last| last.saturating_add(1).min(length))
        }
        (None, last) => length.saturating_sub(last.unwrap_or(0))..length,
    };
    if range.is_empty() { Err(Error::InvalidRange { length }) } else { Ok(Some(range)) }
}

/// Reads `bytes=<first>-<last>`, `bytes=<first>-` or `bytes=-<count>`.
fn parse(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number =
        |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (Some(first), Some(last)) if last < first => None,
        bounds => Some(bounds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(headers: &[(&'static str, &'static str)]) -> Result<Option<Range<u64>>, Error> {
        let parsed = |text: &'static str| text.parse().expect("a value");
        let headers =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), parsed(value)));
        requested(&headers.collect(), "\"e\"", 10)
    }

    #[test]
    fn a_range_is_within_the_object() {
        for (text, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=2-4", Some(2..5)),
            ("bytes=9-", Some(9..10)),
            ("bytes=5-99", Some(5..10)),
            ("bytes=5-18446744073709551615", Some(5..10)),
            ("bytes=-3", Some(7..10)),
            ("bytes=-99", Some(0..10)),
            ("bytes=4-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("lines=0-1", None),
            ("bytes=18446744073709551616-", None),
        ] {
            assert_eq!(range(&[("range", text)]).expect(text), expected, "{text}");
        }
        assert_eq!(range(&[]).expect("no range"), None);
    }

    #[test]
    fn a_range_behind_the_end_is_an_error_that_has_the_size() {
        for text in ["bytes=10-", "bytes=10-11", "bytes=-0"] {
            let error = range(&[("range", text)]).expect_err(text);
            assert!(matches!(error, Error::InvalidRange { length: 10 }), "{error}");
        }
    }

    #[test]
    fn a_download_of_a_changed_object_is_not_resumed() {
        assert_eq!(range(&[("range", "bytes=1-"), ("if-range", "\"x\"")]).expect("all"), None);
        let resumed = range(&[("range", "bytes=1-"), ("if-range", "\"e\"")]);
        assert_eq!(resumed.expect("a part"), Some(1..10));
    }
}
