//! The access key of an endpoint, and where requests name theirs.

use http::{Request, header};
use subtle::ConstantTimeEq;

use crate::{files, services::Protocol};

/// The access key that requests must name.
pub(super) struct AccessKey(String);

impl AccessKey {
    /// Checks a text. `None`: it is no access key.
    pub(super) fn new(text: String) -> Option<Self> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        ((16..=128).contains(&text.len()) && text.chars().all(allowed)).then_some(Self(text))
    }

    /// Returns whether a request names this access key.
    ///
    /// That of a link counts for S3 only, which verifies its signature: who has a link may do no
    /// more than what it says.
    pub(super) fn is_of<B>(&self, request: &Request<B>, protocol: Protocol) -> bool {
        if protocol == Protocol::S3 && files::is_presigned(request) {
            return self.is(in_link(request.uri().query().unwrap_or_default()).as_deref());
        }
        let authorization = request.headers().get(header::AUTHORIZATION);
        self.is(authorization.and_then(|value| value.to_str().ok()).and_then(in_header))
    }

    /// Compares in a time that does not tell how much of it is right.
    fn is(&self, other: Option<&str>) -> bool {
        other.is_some_and(|other| self.0.as_bytes().ct_eq(other.as_bytes()).into())
    }
}

/// Finds the access key in `AWS4-HMAC-SHA256 Credential=<access key>/…, SignedHeaders=…, …`.
fn in_header(authorization: &str) -> Option<&str> {
    let parameters = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let mut parameters = parameters.split(',');
    let credential = parameters.find_map(|part| part.trim().strip_prefix("Credential="))?;
    credential.split_once('/').map(|(access_key, _)| access_key)
}

/// Finds the access key in the query of a presigned link: `…&X-Amz-Credential=<access key>%2F…`.
fn in_link(query: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let (_, credential) = parameters.find(|(name, _)| name == "X-Amz-Credential")?;
    credential.split_once('/').map(|(access_key, _)| access_key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AKIAEXAMPLE000000000";

    fn is_named(uri: &str, authorization: &str) -> bool {
        let access_key = AccessKey::new(KEY.to_owned()).expect("an access key");
        let request = Request::get(uri).header("authorization", authorization);
        let request = request.body(()).expect("a request");
        access_key.is_of(&request, Protocol::of(&request))
    }

    #[test]
    fn the_access_key_is_that_of_the_signature() {
        let headers = "SignedHeaders=host, Signature=0";
        for authorization in [
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request, {headers}"
            ),
            format!("AWS4-HMAC-SHA256 SignedHeaders=host,Credential={KEY}/20260101,Signature=0"),
        ] {
            assert!(is_named("/", &authorization), "{authorization}");
        }
        for authorization in [
            String::new(),
            "AWS4-HMAC-SHA256 ".to_owned(),
            format!("AWS4-HMAC-SHA256 Credential={KEY}"),
            format!("AWS4-HMAC-SHA256 Credential={KEY}1/20260101, {headers}"),
            format!("AWS4-HMAC-SHA256 Credential={}/20260101, {headers}", &KEY[1..]),
            format!("AWS4-HMAC-SHA256 Credential=/{KEY}/20260101, {headers}"),
            format!("Basic Credential={KEY}/20260101"),
            KEY.to_owned(),
        ] {
            assert!(!is_named("/", &authorization), "{authorization}");
        }
    }

    #[test]
    fn a_link_names_its_access_key_only_if_it_is_signed() {
        let link = format!("/files/a?X-Amz-Credential={KEY}%2F20260101%2Fus-east-1");
        assert!(is_named(&format!("{link}&X-Amz-Signature=0"), ""));
        assert!(!is_named(&link, ""));
        let other = link.replace(KEY, "AKIAEXAMPLE000000001");
        assert!(!is_named(&format!("{other}&X-Amz-Signature=0"), ""));
    }

    #[test]
    fn the_access_key_of_a_link_opens_no_other_service() {
        let link = format!("/?X-Amz-Credential={KEY}%2F20260101&X-Amz-Signature=0");
        let request = Request::post(link).header("x-amz-target", "AmazonSQS.ListQueues");
        let request = request.body(()).expect("a request");
        let access_key = AccessKey::new(KEY.to_owned()).expect("an access key");
        assert!(!access_key.is_of(&request, Protocol::of(&request)));
    }

    #[test]
    fn an_access_key_is_long_and_has_no_punctuation() {
        for text in ["", "short", "AKIAEXAMPLE/0000000", &"x".repeat(129)] {
            assert!(AccessKey::new(text.to_owned()).is_none(), "{text}");
        }
    }
}
