//! A fake S3 bucket: puts, reads and deletes objects, whole or as multipart uploads.
//!
//! Stricter than S3 in one respect: a completed multipart upload is unknown at once. S3 documents
//! that, but mostly responds to a second completion as it did to the first.

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

/// The minimum size of every part but the last, in bytes.
const MIN_PART_BYTES: usize = 5 * 1024 * 1024;

/// Headers that change the meaning of a request and are not implemented here.
const UNSUPPORTED_HEADERS: [&str; 6] = [
    "x-amz-copy-source",
    "x-amz-trailer",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
];

/// The stored objects and the unfinished multipart uploads.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    name: Option<String>,
    /// Contents by key.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// Unfinished uploads by id.
    pub(super) uploads: BTreeMap<String, Upload>,
    created_uploads: usize,
}

#[derive(Debug, Default)]
pub(super) struct Upload {
    key: String,
    parts: BTreeMap<u16, Vec<u8>>,
}

/// A parsed request.
pub(super) struct Request {
    operation: &'static str,
    bucket: String,
    key: String,
    query: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// An error response: its status and S3's error code.
struct S3Error(u16, &'static str);

impl Request {
    pub(super) async fn read(mut request: HttpRequest) -> Result<Self, ConnectorError> {
        for header in UNSUPPORTED_HEADERS {
            assert!(!request.headers().contains_key(header), "{header} is not implemented");
        }
        let body =
            request.take_body().collect().await.map_err(ConnectorError::io)?.to_bytes().to_vec();
        let (path, query) = target(&request);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        Ok(Self {
            operation: operation(&request),
            bucket: bucket.to_owned(),
            key: decode_key(key),
            query,
            body,
        })
    }

    fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

impl Bucket {
    pub(super) fn respond(&mut self, request: Request) -> HttpResponse {
        let name = self.name.get_or_insert_with(|| request.bucket.clone());
        assert_eq!(*name, request.bucket, "one bucket is used");
        let response = match request.operation {
            "PutObject" => Ok(self.put(request)),
            "GetObject" => self.get(&request.key),
            "HeadBucket" => Ok(replies::in_xml(200, "")),
            "DeleteObject" => {
                self.files.remove(&request.key);
                Ok(replies::in_xml(204, ""))
            }
            "CreateMultipartUpload" => Ok(self.create_upload(request.key)),
            "UploadPart" => self.upload_part(request),
            "CompleteMultipartUpload" => self.complete(&request),
            _ => self.abort(&request),
        };
        response.unwrap_or_else(|S3Error(status, code)| error_response(status, code))
    }

    fn put(&mut self, request: Request) -> HttpResponse {
        let etag = etag(&request.body);
        self.files.insert(request.key, request.body);
        with_etag(replies::in_xml(200, ""), etag)
    }

    fn get(&self, key: &str) -> Result<HttpResponse, S3Error> {
        let content = self.files.get(key).ok_or(S3Error(404, "NoSuchKey"))?;
        let response = replies::with(200, "application/octet-stream", content.clone());
        Ok(with_etag(response, etag(content)))
    }

    fn create_upload(&mut self, key: String) -> HttpResponse {
        self.created_uploads += 1;
        let id = format!("upload-{}", self.created_uploads);
        let body = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId>\
             </InitiateMultipartUploadResult>"
        );
        self.uploads.insert(id, Upload { key, parts: BTreeMap::new() });
        replies::in_xml(200, &body)
    }

    fn upload(&mut self, request: &Request) -> Result<&mut Upload, S3Error> {
        let upload = self.uploads.get_mut(request.parameter("uploadId"));
        upload.filter(|upload| upload.key == request.key).ok_or(S3Error(404, "NoSuchUpload"))
    }

    fn upload_part(&mut self, request: Request) -> Result<HttpResponse, S3Error> {
        let part = request.parameter("partNumber").parse().expect("a part number");
        let etag = etag(&request.body);
        self.upload(&request)?.parts.insert(part, request.body);
        Ok(with_etag(replies::in_xml(200, ""), etag))
    }

    fn complete(&mut self, request: &Request) -> Result<HttpResponse, S3Error> {
        let content = self.upload(request)?.join(&String::from_utf8_lossy(&request.body))?;
        let etag = etag(&content);
        self.files.insert(request.key.clone(), content);
        self.uploads.remove(request.parameter("uploadId"));
        let body = format!(
            "<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>"
        );
        Ok(replies::in_xml(200, &body))
    }

    fn abort(&mut self, request: &Request) -> Result<HttpResponse, S3Error> {
        self.upload(request)?;
        self.uploads.remove(request.parameter("uploadId"));
        Ok(replies::in_xml(204, ""))
    }
}

impl Upload {
    /// Concatenates the parts that the manifest lists.
    fn join(&self, manifest: &str) -> Result<Vec<u8>, S3Error> {
        let mut content = Vec::new();
        let mut last = None;
        let mut listed = manifest.split("<Part>").skip(1).peekable();
        while let Some(part) = listed.next() {
            let number: u16 =
                element(part, "PartNumber").parse().map_err(|_| S3Error(400, "MalformedXML"))?;
            let bytes = self.parts.get(&number).ok_or(S3Error(400, "InvalidPart"))?;
            if element(part, "ETag").replace("&quot;", "\"") != etag(bytes) {
                return Err(S3Error(400, "InvalidPart"));
            }
            if last >= Some(number) {
                return Err(S3Error(400, "InvalidPartOrder"));
            }
            if bytes.len() < MIN_PART_BYTES && listed.peek().is_some() {
                return Err(S3Error(400, "EntityTooSmall"));
            }
            last = Some(number);
            content.extend_from_slice(bytes);
        }
        if last.is_some() { Ok(content) } else { Err(S3Error(400, "MalformedXML")) }
    }
}

/// Returns the S3 operation that the method and the query of a request stand for.
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
        (method, ..) => panic!("{method} {} is not implemented", request.uri()),
    }
}

/// `503 SlowDown`: too many requests.
pub(super) fn slow_down() -> HttpResponse {
    error_response(503, "SlowDown")
}

fn error_response(status: u16, code: &str) -> HttpResponse {
    replies::in_xml(
        status,
        &format!("<Error><Code>{code}</Code><Message>injected</Message></Error>"),
    )
}

/// Returns the path as sent, without its leading slash, and the query.
fn target(request: &HttpRequest) -> (&str, BTreeMap<String, String>) {
    let (_, uri) = request.uri().split_once("://").expect("a whole URI");
    let (_, target) = uri.split_once('/').expect("a path");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (path, form_urlencoded::parse(query.as_bytes()).into_owned().collect())
}

/// Decodes the key of a path; it is empty in a request to the bucket itself. A form decoder is
/// sufficient: the SDK encodes all characters that have a meaning in a form.
fn decode_key(path: &str) -> String {
    form_urlencoded::parse(path.as_bytes())
        .next()
        .map_or_else(String::new, |(key, _)| key.into_owned())
}

/// Returns the text of the first element with this tag, or `""`.
fn element<'a>(xml: &'a str, tag: &str) -> &'a str {
    let content = xml.split_once(&format!("<{tag}>")).map_or("", |(_, content)| content);
    content.split_once("</").map_or("", |(content, _)| content)
}

fn with_etag(mut response: HttpResponse, etag: String) -> HttpResponse {
    response.headers_mut().insert("etag", etag);
    response
}

/// Returns an entity tag of the content: the same for the same bytes.
fn etag(content: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    format!("\"{:016x}\"", hasher.finish())
}

#[cfg(test)]
mod tests;
