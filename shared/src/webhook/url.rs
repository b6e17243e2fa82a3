//! URLs of webhooks. The text alone is checked here; hosts and addresses are checked by
//! [`super::Guard`].

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use url::{Host, ParseError, Position, Url};

/// An `http` or `https` URL of at most 2 048 characters, without credentials and without a
/// fragment, in canonical form.
///
/// It is parsed once, by the WHATWG parser that browsers use, so no second parser can find another
/// host in the same text. A query may contain a receiver's token: `Debug` shows only
/// [`WebhookUrl::origin`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Url);

/// The largest number of characters, both as given and in canonical form, where a character outside
/// ASCII takes three to twelve.
const MAX_LENGTH: usize = 2_048;

impl WebhookUrl {
    /// Returns the whole URL in canonical form. Not for logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the part that a log may show: `https://example.com:8443`.
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

    /// Returns the value of the header `Host`: `example.com:8443`.
    pub(super) fn authority(&self) -> &str {
        &self.0[Position::BeforeHost..Position::AfterPort]
    }

    /// Returns the target of the request line: `/path?query`.
    pub(super) fn target(&self) -> &str {
        &self.0[Position::BeforePath..]
    }
}

impl FromStr for WebhookUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        // No text has more characters than bytes, so characters are rarely counted.
        if text.len() > MAX_LENGTH {
            check_length(text.chars().count())?;
        }
        let mut url = Url::parse(text).map_err(|error| parse_error(text, error))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidUrl::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        url.set_fragment(None);
        check_length(url.as_str().len())?;
        Ok(Self(url))
    }
}

fn check_length(length: usize) -> Result<(), InvalidUrl> {
    if length > MAX_LENGTH { Err(InvalidUrl::TooLong { length }) } else { Ok(()) }
}

fn parse_error(text: &str, error: ParseError) -> InvalidUrl {
    match error {
        _ if text.trim().is_empty() => InvalidUrl::Empty,
        // No scheme: `example.com/path`.
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

/// Why a text is not a webhook URL. The messages do not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Empty, or whitespace only.
    #[error("must not be empty")]
    Empty,
    /// Longer than 2 048 characters.
    #[error("must be at most {MAX_LENGTH} characters, not {length}")]
    TooLong {
        /// Number of characters of the text, or of its canonical form.
        length: usize,
    },
    /// A scheme other than `http` and `https`, or none.
    #[error("must be http or https")]
    Scheme,
    /// No host: `https://`.
    #[error("must have a host")]
    NoHost,
    /// A host that is neither a valid name nor a valid address.
    #[error("must have a valid host")]
    Host,
    /// A port that is not a number, or above 65 535.
    #[error("must have a valid port")]
    Port,
    /// User name or password: `https://user:password@example.com`.
    #[error("must not contain credentials")]
    Credentials,
}

#[cfg(test)]
mod tests {
    use hyper::{Uri, http::uri::PathAndQuery};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_is_stored_in_canonical_form_without_its_fragment() {
        for (given, canonical) in [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://EXAMPLE.com:443/a/../b?q=1#top", "https://example.com/b?q=1"),
            (" http://example.com:8080/ä\n", "http://example.com:8080/%C3%A4"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http:\\\\example.com\\a", "http://example.com/a"),
            ("http://@example.com/", "http://example.com/"),
            ("https://[2606:4700::1111]:8443/", "https://[2606:4700::1111]:8443/"),
        ] {
            let url = WebhookUrl::try_from(given).expect(given);
            assert_eq!(url.as_str(), canonical);
            assert_eq!(WebhookUrl::try_from(canonical).as_ref(), Ok(&url), "{canonical}");
        }
    }

    #[test]
    fn an_invalid_url_is_refused_with_the_reason() {
        let long = format!("https://example.com/{}", "a".repeat(2_980));
        let grown = format!("https://example.com/{}", "ä".repeat(2_000));
        for (invalid, reason) in [
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
            ("https://user@example.com/", "must not contain credentials"),
            ("https://:secret@example.com/", "must not contain credentials"),
            (&long, "must be at most 2048 characters, not 3000"),
            (&grown, "must be at most 2048 characters, not 12020"),
        ] {
            assert_eq!(
                WebhookUrl::try_from(invalid).expect_err(invalid).to_string(),
                reason,
                "{invalid}"
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
    fn logs_show_neither_path_nor_query() {
        let url = WebhookUrl::try_from("https://example.com:8443/hook/s3cret?token=s3cret")
            .expect("a URL");
        assert_eq!(url.origin(), "https://example.com:8443");
        assert_eq!(format!("{url:?}"), "WebhookUrl(https://example.com:8443/…)");
    }

    #[test]
    fn a_url_is_a_string_in_json() {
        let url: WebhookUrl =
            serde_json::from_str(r#""https://example.com/a?b=c""#).expect("a URL");
        assert_eq!(serde_json::to_string(&url).expect("JSON"), r#""https://example.com/a?b=c""#);
        let error = serde_json::from_str::<WebhookUrl>(r#""ftp://s3cret/""#)
            .expect_err("not a webhook URL");
        assert!(error.to_string().starts_with("must be http or https"), "{error}");
    }

    proptest! {
        /// Sending relies on this: every URL has a valid request line.
        #[test]
        fn the_target_of_every_url_is_valid_in_a_request_line(
            path in "\\PC{0,40}",
            query in ".{0,40}",
        ) {
            let url = format!("https://example.com/{path}?{query}");
            let url = WebhookUrl::try_from(url).expect("any text is a path");
            let uri: Uri = url.target().parse().expect("a target");
            prop_assert_eq!(uri.path_and_query().map(PathAndQuery::as_str), Some(url.target()));
        }
    }
}
