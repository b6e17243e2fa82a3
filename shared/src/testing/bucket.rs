//! A bucket of S3, as far as files are put, read and deleted, in one piece or in parts.
//!
//! Stricter than S3 in one thing: a multipart upload that was completed is unknown at once. S3 documents that, but mostly
//! answers a second completion as it did the first.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hasher},
};

use aws_smithy_runtime_api::client::{
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use http_body_util::BodyExt;

use super::replies;

/// Every part but the last has at least so many bytes.
const LEAST_PART: usize = 5 * 1024 * 1024;

/// Headers that change what a request means, in ways that are not known here.
const UNKNOWN_HEADERS: [&str; 6] = [
    "x-amz-copy-source",
    "x-amz-trailer",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
];

/// What is stored, and what is about to be.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    name: Option<String>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) uploads: BTreeMap<String, Upload>,
    begun: usize,
}

#[derive(Debug, Default)]
pub(super) struct Upload {
    key: String,
    parts: BTreeMap<u16, Vec<u8>>,
}

/// A request, read.
pub(super) struct Request {
    operation: &'static str,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// A status and S3's code of an error.
struct Refusal(u16, &'static str);

impl Request {
    pub(super) async fn read(mut request: HttpRequest) -> Result<Self, ConnectorError> {
        for header in UNKNOWN_HEADERS {
            assert!(!request.headers().contains_key(header), "{header} means nothing here");
        }
        let body =
            request.take_body().collect().await.map_err(ConnectorError::io)?.to_bytes().to_vec();
        let (path, query) = target(&request);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Ok(Self {
            operation: operation(&request),
            bucket: bucket.to_owned(),
            key: decoded(key),
            query,
            body,
        })
    }

    fn asked(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

impl Bucket {
    pub(super) fn answer(&mut self, request: Request) -> HttpResponse {
        let name = self.name.get_or_insert_with(|| request.bucket.clone());
        assert_eq!(*name, request.bucket, "one bucket is used");
        let answer = match request.operation {
            "PutObject" => Ok(self.put(request)),
            "GetObject" => self.get(&request.key),
            "HeadBucket" => Ok(replies::in_xml(200, "")),
            "DeleteObject" => {
                self.files.remove(&request.key);
                Ok(replies::in_xml(204, ""))
            }
            "CreateMultipartUpload" => Ok(self.begin(request.key)),
            "UploadPart" => self.upload_part(request),
            "CompleteMultipartUpload" => self.complete(&request),
            _ => self.abort(&request),
        };
        answer.unwrap_or_else(|Refusal(status, code)| refused(status, code))
    }

    fn put(&mut self, request: Request) -> HttpResponse {
        let etag = etag(&request.body);
        self.files.insert(request.key, request.body);
        tagged(replies::in_xml(200, ""), etag)
    }

    fn get(&self, key: &str) -> Result<HttpResponse, Refusal> {
        let content = self.files.get(key).ok_or(Refusal(404, "NoSuchKey"))?;
        Ok(tagged(replies::with(200, "application/octet-stream", content.clone()), etag(content)))
    }

    fn begin(&mut self, key: String) -> HttpResponse {
        self.begun += 1;
        let id = format!("upload-{}", self.begun);
        let answer = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        self.uploads.insert(id, Upload { key, parts: BTreeMap::new() });
        replies::in_xml(200, &answer)
    }

    fn upload(&mut self, request: &Request) -> Result<&mut Upload, Refusal> {
        let upload = self.uploads.get_mut(request.asked("uploadId"));
        upload.filter(|upload| upload.key == request.key).ok_or(Refusal(404, "NoSuchUpload"))
    }

    fn upload_part(&mut self, request: Request) -> Result<HttpResponse, Refusal> {
        let part = request.asked("partNumber").parse().expect("a part's number");
        let etag = etag(&request.body);
        self.upload(&request)?.parts.insert(part, request.body);
        Ok(tagged(replies::in_xml(200, ""), etag))
    }

    fn complete(&mut self, request: &Request) -> Result<HttpResponse, Refusal> {
        let content = self.upload(request)?.joined(&String::from_utf8_lossy(&request.body))?;
        let etag = etag(&content);
        self.files.insert(request.key.clone(), content);
        self.uploads.remove(request.asked("uploadId"));
        let answer = format!(
            "<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        );
        Ok(replies::in_xml(200, &answer))
    }

    fn abort(&mut self, request: &Request) -> Result<HttpResponse, Refusal> {
        self.upload(request)?;
        self.uploads.remove(request.asked("uploadId"));
        Ok(replies::in_xml(204, ""))
    }
}

impl Upload {
    /// The parts that the manifest names, one after the other.
    fn joined(&self, manifest: &str) -> Result<Vec<u8>, Refusal> {
        let mut content = Vec::new();
        let mut last = None;
        let mut named = manifest.split("<Part>").skip(1).peekable();
        while let Some(part) = named.next() {
            let number: u16 =
                within(part, "PartNumber").parse().map_err(|_| Refusal(400, "MalformedXML"))?;
            let bytes = self.parts.get(&number).ok_or(Refusal(400, "InvalidPart"))?;
            if within(part, "ETag").replace("&quot;", "\"") != etag(bytes) {
                return Err(Refusal(400, "InvalidPart"));
            }
            if last >= Some(number) {
                return Err(Refusal(400, "InvalidPartOrder"));
            }
            if bytes.len() < LEAST_PART && named.peek().is_some() {
                return Err(Refusal(400, "EntityTooSmall"));
            }
            last = Some(number);
            content.extend_from_slice(bytes);
        }
        if last.is_some() { Ok(content) } else { Err(Refusal(400, "MalformedXML")) }
    }
}

/// What a request asks of S3: its method and its query say.
pub(super) fn operation(request: &HttpRequest) -> &'static str {
    let (_, query) = target(request);
    match (request.method(), query.contains_key("uploads"), query.contains_key("uploadId")) {
        ("PUT", false, false) => "PutObject",
        ("GET", false, false) => "GetObject",
        ("HEAD", false, false) => "HeadBucket",
        ("DELETE", false, false) => "DeleteObject",
        ("POST", true, false) => "CreateMultipartUpload",
        ("PUT", false, true) => "UploadPart",
        ("POST", false, true) => "CompleteMultipartUpload",
        ("DELETE", false, true) => "AbortMultipartUpload",
        (method, ..) => panic!("no stand-in for {method} {}", request.uri()),
    }
}

/// `503 SlowDown`: too many requests.
pub(super) fn slow_down() -> HttpResponse {
    refused(503, "SlowDown")
}

fn refused(status: u16, code: &str) -> HttpResponse {
    replies::in_xml(
        status,
        &format!("<Error><Code>{code}</Code><Message>as planned</Message></Error>"),
    )
}

/// The path as it was sent, without its first slash, and the query.
fn target(request: &HttpRequest) -> (&str, BTreeMap<String, String>) {
    let (_, uri) = request.uri().split_once("://").expect("a whole URI");
    let (_, target) = uri.split_once('/').expect("a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// The key of an encoded path, which is empty where the bucket itself is meant. The SDK encodes all that a form would give a meaning.
fn decoded(path: &str) -> String {
    form_urlencoded::parse(path.as_bytes())
        .next()
        .map_or_else(String::new, |(key, _)| key.into_owned())
}

fn within<'a>(xml: &'a str, tag: &str) -> &'a str {
    let content = xml.split_once(&format!("<{tag}>")).map_or("", |(_, content)| content);
    content.split_once("</").map_or("", |(content, _)| content)
}

fn tagged(mut response: HttpResponse, etag: String) -> HttpResponse {
    response.headers_mut().insert("etag", etag);
    response
}

/// The same bytes, the same tag.
fn etag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests;
