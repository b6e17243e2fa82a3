//! Where a webhook goes, as far as the text tells. Where it leads is for [`super::Guard`] to say.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, ParseError, Position, Url};

/// An `http` or `https` URL of at most 2 048 characters, without credentials and without a fragment, in its canonical form.
///
/// The WHATWG parser, the one of browsers, reads it; from then on there is one reading of it, so no second parser can
/// find another host in the same text. A query may hold a receiver's token: `Debug` shows no more than [`WebhookUrl::origin`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Url);

/// Characters at most, as given and in the canonical form, in which other characters than ASCII take three to twelve.
const MAX_LENGTH: usize = 2_048;

impl WebhookUrl {
    /// The whole URL, canonical. Not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What a log may show: `https://example.com:8443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.0[..Position::BeforePath]
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(super) fn host(&self) -> Host<&str> {
        self.0.host().expect("http and https URLs have hosts")
    }

    pub(super) fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("http and https have ports")
    }

    /// The header `Host`: `example.com:8443`.
    pub(super) fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// What the request line asks for: `/path?query`.
    pub(super) fn target(&self) -> &str {
        &self.0[Position::BeforePath..]
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        // No text has more characters than bytes, so most are not counted.
        if text.len() > MAX_LENGTH {
            fits(text.chars().count())?;
        }
        let mut url = Url::parse(text).map_err(|error| unparsable(text, error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        url.set_fragment(None);
        fits(url.as_str().len())?;
        Ok(Self(url))
    }
}

fn fits(length: usize) -> Result<(), InvalidUrl> {
    if length > MAX_LENGTH { Err(InvalidUrl::TooLong { length }) } else { Ok(()) }
}

fn unparsable(text: &str, error: ParseError) -> InvalidUrl {
    match error {
        _ if text.trim().is_empty() => InvalidUrl::Empty,
        // No scheme at all, `example.com/path`.
        ParseError::RelativeUrlWithoutBase => InvalidUrl::Scheme,
        ParseError::EmptyHost => InvalidUrl::NoHost,
        ParseError::InvalidPort => InvalidUrl::Port,
        _ => InvalidUrl::Host,
    }
}

impl TryFrom<&str> for WebhookUrl {
    type Error = InvalidUrl;

    fn try_from(text: &str) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = InvalidUrl;

    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> Self {
        url.0.into()
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookUrl({}/…)", self.origin())
    }
}

/// A text that is not the URL of a webhook. The messages do not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Empty, or white space only.
    #[error("must not be empty")]
    Empty,
    /// Longer than is carried.
    #[error("must be at most {MAX_LENGTH} characters, not {length}")]
    TooLong {
        /// Characters of the text, or of its canonical form.
        length: usize,
    },
    /// Another scheme, or none.
    #[error("must be http or https")]
    Scheme,
    /// `https://`
    #[error("must have a host")]
    NoHost,
    /// A host that is neither a name nor an address.
    #[error("must have a valid host")]
    Host,
    /// Not a number, or above 65 535.
    #[error("must have a valid port")]
    Port,
    /// `https://user:password@example.com`
    #[error("must not hold credentials")]
    Credentials,
}

#[cfg(test)]
mod tests {
    use hyper::{Uri, http::uri::PathAndQuery};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_kept_in_its_canonical_form_without_its_fragment() {
        for (given, kept) in [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://EXAMPLE.com:443/a/../b?q=1#top", "https://example.com/b?q=1"),
            (" http://example.com:8080/ä\n", "http://example.com:8080/%C3%A4"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http:\\\\example.com\\a", "http://example.com/a"),
            ("http://@example.com/", "http://example.com/"),
            ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443/"),
        ] {
            let url = WebhookUrl::try_from(given).expect(given);
            assert_eq!(url.as_str(), kept);
            assert_eq!(WebhookUrl::try_from(kept).as_ref(), Ok(&url), "{kept}");
        }
    }

    #[test]
    fn an_unfit_url_is_refused_with_its_reason() {
        let long = format!("https://example.com/{}", "a".repeat(2_980));
        let grown = format!("https://example.com/{}", "ä".repeat(2_000));
        for (unfit, reason) in [
            ("", "must not be empty"),
            (" \t\n", "must not be empty"),
            ("example.com/path", "must be http or https"),
            ("//example.com/", "must be http or https"),
            ("ftp://example.com/", "must be http or https"),
            ("file:///etc/passwd", "must be http or https"),
            ("gopher://127.0.0.1:25/", "must be http or https"),
            ("data:text/plain,hello", "must be http or https"),
            ("https://", "must have a host"),
            ("https://:443/", "must have a host"),
            ("https://exa mple.com/", "must have a valid host"),
            ("https://256.256.256.256/", "must have a valid host"),
            ("https://[fe80::1%25eth0]/", "must have a valid host"),
            ("https://example.com:65536/", "must have a valid port"),
            ("https://example.com:http/", "must have a valid port"),
            ("https://user@example.com/", "must not hold credentials"),
            ("https://:secret@example.com/", "must not hold credentials"),
            (&long, "must be at most 2048 characters, not 3000"),
            (&grown, "must be at most 2048 characters, not 12020"),
        ] {
            assert_eq!(
                WebhookUrl::try_from(unfit).expect_err(unfit).to_string(),
                reason,
                "{unfit}"
            );
        }
    }

    #[test]
    fn a_url_may_have_2048_characters_and_no_more() {
        let of = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
        assert!(WebhookUrl::try_from(of(2_048)).is_ok());
        assert_eq!(WebhookUrl::try_from(of(2_049)), Err(InvalidUrl::TooLong { length: 2_049 }));
    }

    #[test]
    fn neither_path_nor_query_is_shown_where_it_is_logged() {
        let url = WebhookUrl::try_from("https://example.com:8443/hook/s3cret?token=s3cret")
            .expect("a URL");
        assert_eq!(url.origin(), "https://example.com:8443");
        assert_eq!(format!("{url:?}"), "WebhookUrl(https://example.com:8443/…)");
    }

    #[test]
    fn in_json_it_is_its_text() {
        let url: WebhookUrl =
            serde_json::from_str(r#""https://example.com/a?b=c""#).expect("a URL");
        assert_eq!(serde_json::to_string(&url).expect("JSON"), r#""https://example.com/a?b=c""#);
        let error =
            serde_json::from_str::<WebhookUrl>(r#""ftp://s3cret/""#).expect_err("not a webhook's");
        assert!(error.to_string().starts_with("must be http or https"), "{error}");
    }

    proptest! {
        /// Sending relies on it: no URL makes a request line that cannot be written.
        #[test]
        fn the_target_of_every_url_fits_a_request_line(path in "\\PC{0,40}", query in ".{0,40}") {
            let url = WebhookUrl::try_from(format!("https://example.com/{path}?{query}")).expect("any text is a path");
            let uri: Uri = url.target().parse().expect("a target");
            prop_assert_eq!(uri.path_and_query().map(PathAndQuery::as_str), Some(url.target()));
        }
    }
}
