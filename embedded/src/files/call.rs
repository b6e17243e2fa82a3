//! [`Call`]: a request as S3 reads it.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, Request, header};
use percent_encoding::percent_decode_str;

use super::{
    Error, Headers, Key, body,
    link::is_link_parameter,
    upload::{ListedPart, MAX_PART},
};

/// What is stored with an object, in addition to `x-amz-meta-…`.
const STORED_HEADERS: [HeaderName; 6] = [
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::EXPIRES,
];

const META_PREFIX: &str = "x-amz-meta-";

/// Headers of S3 that are obeyed, or that change nothing here. Others are refused: they would
/// change what a call means.
const KNOWN_HEADERS: [&str; 7] = [
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-trailer",
    "x-amz-user-agent",
];

/// Parameters that set a header of the response to a read, and the header.
const OVERRIDES: [(&str, HeaderName); 6] = [
    ("response-cache-control", header::CACHE_CONTROL),
    ("response-content-disposition", header::CONTENT_DISPOSITION),
    ("response-content-encoding", header::CONTENT_ENCODING),
    ("response-content-language", header::CONTENT_LANGUAGE),
    ("response-content-type", header::CONTENT_TYPE),
    ("response-expires", header::EXPIRES),
];

/// The most objects of one list.
const MAX_LISTED: usize = 1_000;

/// An operation. A `HEAD` of an object is a `GetObject` without content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    HeadBucket,
    ListObjectsV2,
    PutObject,
    GetObject,
    DeleteObject,
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
}

/// A parsed request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) method: &'a Method,
    pub(super) bucket: String,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
    key: String,
    parameters: Parameters,
}

/// The parameters of a query, decoded.
pub(super) type Parameters = Vec<(String, String)>;

/// A request for a list.
#[derive(Debug)]
pub(super) struct List<'a> {
    pub(super) prefix: &'a str,
    /// The list begins behind this key.
    pub(super) after: String,
    pub(super) limit: usize,
    /// Whether keys of the response are percent-encoded.
    pub(super) is_encoded: bool,
}

impl<'a> Call<'a> {
    /// Reads a request that names its bucket in the path.
    pub(super) fn read(request: &'a Request<Bytes>) -> Result<Self, Error> {
        let path = request.uri().path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let (bucket, key) = (decode(bucket)?, decode(key)?);
        let parameters = parameters(request.uri().query().unwrap_or_default())?;
        let (method, headers, body) = (request.method(), request.headers(), request.body());
        if let Some(name) = headers.keys().find(|name| !is_known(name.as_str())) {
            return Err(Error::NotImplemented(format!("the header {name}")));
        }
        let operation = operation(method, !key.is_empty(), &parameters)
            .ok_or_else(|| Error::NotImplemented(description(method, &key, &parameters)))?;
        Ok(Self { operation, method, bucket, headers, body, key, parameters })
    }

    pub(super) fn key(&self) -> Result<Key, Error> {
        self.key.parse()
    }

    pub(super) fn key_text(&self) -> &str {
        &self.key
    }

    /// Returns the headers to store with an object.
    pub(super) fn stored_headers(&self) -> Result<Headers, Error> {
        let mut stored = Headers::new();
        for (name, value) in self.headers {
            if !STORED_HEADERS.contains(name) && !name.as_str().starts_with(META_PREFIX) {
                continue;
            }
            let invalid = |_| Error::InvalidArgument(format!("{name}: must be ASCII"));
            let mut value = value.to_str().map_err(invalid)?.to_owned();
            if name == header::CONTENT_ENCODING {
                // `aws-chunked` is how the content was sent, not what it is.
                let encodings = value.split(',').map(str::trim);
                value =
                    encodings.filter(|name| *name != "aws-chunked").collect::<Vec<_>>().join(",");
            }
            if !value.is_empty() {
                stored.insert(name.to_string(), value);
            }
        }
        Ok(stored)
    }

    /// Returns the headers that a read wants instead of the stored ones.
    pub(super) fn header_overrides(&self) -> Vec<(HeaderName, &str)> {
        let value = |(parameter, name)| Some((name, self.parameter(parameter)?));
        OVERRIDES.into_iter().filter_map(value).collect()
    }

    pub(super) fn upload_id(&self) -> &str {
        self.parameter("uploadId").unwrap_or_default()
    }

    pub(super) fn part_number(&self) -> Result<u16, Error> {
        let number = self.parameter("partNumber").and_then(|number| number.parse().ok());
        number.filter(|number| (1..=MAX_PART).contains(number)).ok_or_else(|| {
            Error::InvalidArgument(format!("partNumber: must be between 1 and {MAX_PART}"))
        })
    }

    /// Reads the parts that a completion lists. Their checksums are not read: each `ETag` is
    /// compared.
    pub(super) fn listed_parts(&self) -> Result<Vec<ListedPart>, Error> {
        if let Some((name, _)) = body::checksums(self.headers).next() {
            return Err(Error::NotImplemented(format!("{name} of a completed upload")));
        }
        let text = std::str::from_utf8(self.body).map_err(|_| Error::MalformedXml)?;
        let parts = listed_parts(text).ok().flatten();
        // The decoder ends silently where the text is not well-formed.
        let is_whole = |parts: &Vec<_>| {
            parts.len() == text.matches("<Part>").count()
                && text.trim_end().ends_with("</CompleteMultipartUpload>")
        };
        parts.filter(is_whole).ok_or(Error::MalformedXml)
    }

    pub(super) fn list(&self) -> Result<List<'_>, Error> {
        let limit = match self.parameter("max-keys") {
            None => MAX_LISTED,
            Some(text) => text
                .parse::<usize>()
                .map_err(|_| Error::InvalidArgument("max-keys: must be a number".to_owned()))?
                .min(MAX_LISTED),
        };
        let after = match self.parameter("continuation-token") {
            None => self.parameter("start-after").unwrap_or_default().to_owned(),
            Some(token) => decode_token(token).ok_or_else(|| {
                Error::InvalidArgument("continuation-token: not valid".to_owned())
            })?,
        };
        let is_encoded = self.parameter("encoding-type") == Some("url");
        Ok(List { prefix: self.parameter("prefix").unwrap_or_default(), after, limit, is_encoded })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// Returns the operation with this method and these parameters, all of which it must know.
fn operation(method: &Method, has_key: bool, parameters: &Parameters) -> Option<Operation> {
    use Operation::{
        AbortMultipartUpload, CompleteMultipartUpload, CreateMultipartUpload, DeleteObject,
        GetObject, HeadBucket, ListObjectsV2, PutObject, UploadPart,
    };
    let has = |name: &str| parameters.iter().any(|(other, _)| other == name);
    let upload = (has("uploads"), has("uploadId"));
    let overrides = OVERRIDES.map(|(name, _)| name);
    let (operation, known): (_, &[&str]) = match (method.as_str(), has_key, upload) {
        ("HEAD", false, (false, false)) => (HeadBucket, &[]),
        ("GET", false, (false, false)) if has("list-type") => (
            ListObjectsV2,
            &[
                "list-type",
                "prefix",
                "max-keys",
                "continuation-token",
                "start-after",
                "encoding-type",
            ],
        ),
        ("PUT", true, (false, false)) => (PutObject, &[]),
        ("GET" | "HEAD", true, (false, false)) => (GetObject, &overrides),
        ("DELETE", true, (false, false)) => (DeleteObject, &[]),
        ("POST", true, (true, false)) => (CreateMultipartUpload, &["uploads"]),
        ("PUT", true, (false, true)) => (UploadPart, &["uploadId", "partNumber"]),
        ("POST", true, (false, true)) => (CompleteMultipartUpload, &["uploadId"]),
        ("DELETE", true, (false, true)) => (AbortMultipartUpload, &["uploadId"]),
        _ => return None,
    };
    let is_known = |name: &str| known.contains(&name) || name == "x-id" || is_link_parameter(name);
    parameters.iter().all(|(name, _)| is_known(name)).then_some(operation)
}

/// Describes a request that is not implemented: `GetObjectAcl`, or `GET ?acl of an object`.
fn description(method: &Method, key: &str, parameters: &Parameters) -> String {
    if let Some((_, name)) = parameters.iter().find(|(name, _)| name == "x-id") {
        let others =
            parameters.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "x-id");
        return format!("{name} ({})", others.collect::<Vec<_>>().join(", "));
    }
    let names: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
    let target = if key.is_empty() { "a bucket" } else { "an object" };
    format!("{method} ?{} of {target}", names.join("&"))
}

/// Returns whether a header may be sent: only those of S3 have a meaning that could be missed.
fn is_known(name: &str) -> bool {
    !name.starts_with("x-amz-")
        || name.starts_with("x-amz-checksum-")
        || name.starts_with(META_PREFIX)
        || KNOWN_HEADERS.contains(&name)
}

/// Decodes a query.
pub(super) fn parameters(query: &str) -> Result<Parameters, Error> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded =
        decoded.map_err(|_| Error::InvalidArgument("the URI must be UTF-8".to_owned()))?;
    Ok(decoded.into_owned())
}

/// Returns the token that continues a list behind a key.
pub(super) fn continuation_token(last: &Key) -> String {
    URL_SAFE_NO_PAD.encode(last.as_str())
}

fn decode_token(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// Reads `<CompleteMultipartUpload><Part><PartNumber/><ETag/></Part>…`. `None`: not valid.
fn listed_parts(text: &str) -> Result<Option<Vec<ListedPart>>, XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    if !root.start_el().matches("CompleteMultipartUpload") {
        return Ok(None);
    }
    let mut parts = Vec::new();
    while let Some(mut tag) = root.next_tag() {
        let Some(part) = listed_part(&mut tag)? else { return Ok(None) };
        parts.push(part);
    }
    Ok(Some(parts))
}

fn listed_part(part: &mut ScopedDecoder<'_, '_>) -> Result<Option<ListedPart>, XmlDecodeError> {
    let (mut number, mut etag) = (None, None);
    while let Some(mut tag) = part.next_tag() {
        if tag.start_el().matches("PartNumber") {
            number = try_data(&mut tag)?.parse().ok();
        } else if tag.start_el().matches("ETag") {
            etag = Some(try_data(&mut tag)?.into_owned());
        }
    }
    Ok(number.zip(etag).map(|(number, etag)| ListedPart { number, etag }))
}
