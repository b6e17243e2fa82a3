//! Presigned links: Signature Version 4 in the query of a request.

use std::fmt;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{Request, header, uri::Authority};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::{
    Error,
    call::{Parameters, parameters},
};

/// Begins the names of the parameters of a signature.
const PREFIX: &str = "X-Amz-";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The longest time that a link is valid.
const MAX_VALIDITY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How much the clock of the signer may be ahead.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// What is percent-encoded in a signed request.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Credentials that sign links, and that verify them.
#[derive(Clone)]
pub struct Credentials {
    /// Names the secret; part of each link.
    pub access_key_id: String,
    /// Signs links.
    pub secret_access_key: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Credentials").field(&self.access_key_id).finish()
    }
}

/// Returns whether a request is authorized by its query.
pub(crate) fn is_presigned<B>(request: &Request<B>) -> bool {
    request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

/// Returns whether a parameter belongs to a signature.
pub(super) fn is_link_parameter(name: &str) -> bool {
    name.starts_with(PREFIX)
}

impl Credentials {
    /// Verifies that a link was signed with these credentials, was not altered, and is valid now.
    pub(super) fn verify(&self, request: &Request<Bytes>, now: Timestamp) -> Result<(), Error> {
        const MALFORMED: Error = Error::AccessDenied("the link is not a valid presigned link");
        let parameters = parameters(request.uri().query().unwrap_or_default())?;
        let value = |name: &str| {
            let found =
                parameters.iter().find(|(other, _)| other.strip_prefix(PREFIX) == Some(name));
            found.map(|(_, value)| value.as_str()).ok_or(MALFORMED)
        };
        let (date, expires) = (value("Date")?, value("Expires")?);
        let signed: Timestamp = date.parse().map_err(|_| MALFORMED)?;
        let validity = expires.parse().map(SignedDuration::from_secs).map_err(|_| MALFORMED)?;
        let scope = value("Credential")?.strip_prefix(&self.access_key_id);
        let scope = scope.and_then(|scope| scope.strip_prefix('/')).ok_or(MALFORMED)?;
        let [day, region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
            return Err(MALFORMED);
        };
        let signed_headers = value("SignedHeaders")?;
        let signs_host = signed_headers.split(';').any(|name| name == "host");
        if value("Algorithm")? != ALGORITHM || !date.starts_with(day) || !signs_host {
            return Err(MALFORMED);
        }
        if !(SignedDuration::ZERO..=MAX_VALIDITY).contains(&validity) {
            return Err(MALFORMED);
        }

        let canonical = canonical_request(request, &parameters, signed_headers)?;
        let hash = hex::encode(Sha256::digest(canonical));
        let text = format!("{ALGORITHM}\n{date}\n{scope}\n{hash}");
        let mut key = format!("AWS4{}", self.secret_access_key).into_bytes();
        for part in [day, region, "s3", "aws4_request"] {
            key = mac(&key, part)?.finalize().into_bytes().to_vec();
        }
        let signature = hex::decode(value("Signature")?).map_err(|_| MALFORMED)?;
        mac(&key, &text)?.verify_slice(&signature).map_err(|_| Error::SignatureDoesNotMatch)?;

        if now > signed.saturating_add(validity).unwrap_or(Timestamp::MAX) {
            return Err(Error::AccessDenied("the link has expired"));
        }
        if signed.duration_since(now) > MAX_CLOCK_SKEW {
            return Err(Error::AccessDenied("the link is not valid yet"));
        }
        Ok(())
    }
}

fn mac(key: &[u8], text: &str) -> Result<Hmac<Sha256>, Error> {
    let mac = Hmac::new_from_slice(key).map_err(std::io::Error::other)?;
    Ok(mac.chain_update(text))
}

/// Returns the text that a link signs.
fn canonical_request(
    request: &Request<Bytes>,
    parameters: &Parameters,
    signed_headers: &str,
) -> Result<String, Error> {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path: Vec<String> =
        request.uri().path().split('/').map(|segment| encode(&decoded(segment))).collect();
    let mut query: Vec<String> = parameters
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    query.sort_unstable();
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        let authority = request.uri().authority().filter(|_| name == header::HOST.as_str());
        let value = value.or(authority.map(Authority::as_str));
        let value = value.ok_or(Error::AccessDenied("a signed header is missing"))?;
        Ok(format!("{name}:{}\n", value.trim()))
    };
    let headers = signed_headers.split(';').map(header).collect::<Result<String, Error>>()?;
    let (method, path, query) = (request.method(), path.join("/"), query.join("&"));
    Ok(format!("{method}\n{path}\n{query}\n{headers}\n{signed_headers}\nUNSIGNED-PAYLOAD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of S3's documentation of presigned links.
    const EXAMPLE: &str = "https://examplebucket.s3.amazonaws.com/test.txt\
         ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    fn verify(link: &str, now: &str) -> Result<(), Error> {
        let credentials = Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let request = Request::get(link).body(Bytes::new()).expect("a request");
        credentials.verify(&request, now.parse().expect("a time"))
    }

    #[test]
    fn the_documented_example_is_valid_for_its_time() {
        for now in ["2013-05-23T23:45:00Z", "2013-05-24T00:00:00Z", "2013-05-25T00:00:00Z"] {
            verify(EXAMPLE, now).expect(now);
        }
        for now in ["2013-05-23T23:44:59Z", "2013-05-25T00:00:01Z"] {
            let error = verify(EXAMPLE, now).expect_err(now);
            assert_eq!(error.code(), (http::StatusCode::FORBIDDEN, "AccessDenied"));
        }
    }

    #[test]
    fn an_altered_link_is_refused() {
        for (part, other) in [
            ("test.txt", "other.txt"),
            ("test.txt", "/test.txt"),
            ("examplebucket", "otherbucket"),
            ("https://", "https://x."),
            ("Expires=86400", "Expires=86401"),
            ("Expires=86400", "Expires=604801"),
            ("Expires=86400", "Expires=-1"),
            ("Expires=86400", "Expires=9999999999999999999"),
            ("20130524T000000Z", "20130524T000001Z"),
            ("20130524T000000Z", "20130525T000000Z"),
            ("20130524%2F", "20130525%2F"),
            ("us-east-1", "eu-west-1"),
            ("%2Fs3%2F", "%2Fsqs%2F"),
            ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLF"),
            ("SignedHeaders=host", "SignedHeaders="),
            ("SignedHeaders=host", "SignedHeaders=host;range"),
            ("404", "405"),
            ("f604d404", ""),
            ("X-Amz-Date", "X-Amz-Tade"),
            ("&X-Amz-Date", "&response-content-type=text&X-Amz-Date"),
            ("HMAC-SHA256", "HMAC-SHA1"),
        ] {
            assert!(EXAMPLE.contains(part), "{part}");
            let error = verify(&EXAMPLE.replace(part, other), "2013-05-24T12:00:00Z");
            let (status, _) = error.expect_err(other).code();
            assert_eq!(status, http::StatusCode::FORBIDDEN, "{part} {other}");
        }
    }

    #[test]
    fn no_secret_is_printed() {
        let secret_access_key = "geheim".to_owned();
        let credentials = Credentials { access_key_id: "id".to_owned(), secret_access_key };
        assert_eq!(format!("{credentials:?}"), "Credentials(\"id\")");
    }
}
