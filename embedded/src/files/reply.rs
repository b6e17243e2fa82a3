//! Responses as S3 sends them.

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use jiff::{Timestamp, fmt::rfc2822};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Error, ListedObject, Object,
    call::{Call, List, continuation_token},
};
use crate::xml::{self, element};

/// The type of an object that was stored without one.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// A response without a body.
pub(super) fn empty(status: u16) -> Response<Bytes> {
    with(StatusCode::from_u16(status).unwrap_or_default(), Bytes::new())
}

/// The response to a write.
pub(super) fn with_etag(etag: &str) -> Result<Response<Bytes>, Error> {
    let mut response = empty(200);
    insert(&mut response, header::ETAG, etag)?;
    Ok(response)
}

/// The response to a reader that has the object.
pub(super) fn not_modified(object: &Object) -> Result<Response<Bytes>, Error> {
    let mut response = empty(304);
    describe(&mut response, object)?;
    Ok(response)
}

/// An object or a range of it, with its stored headers or others instead.
pub(super) fn object(
    object: &Object,
    range: Option<&Range<u64>>,
    overrides: &[(HeaderName, &str)],
    content: Bytes,
) -> Result<Response<Bytes>, Error> {
    let mut response = with(StatusCode::OK, content);
    insert(&mut response, header::CONTENT_TYPE, DEFAULT_TYPE)?;
    for (name, value) in object.headers() {
        insert(&mut response, HeaderName::try_from(name).map_err(std::io::Error::other)?, value)?;
    }
    for (name, value) in overrides {
        insert(&mut response, name.clone(), value)?;
    }
    describe(&mut response, object)?;
    insert(&mut response, header::ACCEPT_RANGES, "bytes")?;
    let mut length = object.length();
    if let Some(Range { start, end }) = range {
        let range = format!("bytes {start}-{}/{length}", end - 1);
        insert(&mut response, header::CONTENT_RANGE, &range)?;
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        length = end - start;
    }
    insert(&mut response, header::CONTENT_LENGTH, &length.to_string())?;
    Ok(response)
}

/// The response to `CreateMultipartUpload`.
pub(super) fn created(call: &Call<'_>, id: &str) -> Response<Bytes> {
    xml::response(StatusCode::OK, "InitiateMultipartUploadResult", |root| {
        element(root, "Bucket", &call.bucket);
        element(root, "Key", call.key_text());
        element(root, "UploadId", id);
    })
}

/// The response to `CompleteMultipartUpload`.
pub(super) fn completed(call: &Call<'_>, etag: &str) -> Response<Bytes> {
    xml::response(StatusCode::OK, "CompleteMultipartUploadResult", |root| {
        element(root, "Bucket", &call.bucket);
        element(root, "Key", call.key_text());
        element(root, "ETag", etag);
    })
}

/// The response to `ListObjectsV2`.
pub(super) fn list(
    call: &Call<'_>,
    list: &List<'_>,
    objects: &[ListedObject],
    has_more: bool,
) -> Response<Bytes> {
    let text = |text: &str| {
        if list.is_encoded {
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
        } else {
            text.to_owned()
        }
    };
    xml::response(StatusCode::OK, "ListBucketResult", |root| {
        element(root, "Name", &call.bucket);
        element(root, "Prefix", &text(list.prefix));
        element(root, "MaxKeys", &list.limit.to_string());
        element(root, "KeyCount", &objects.len().to_string());
        element(root, "IsTruncated", &has_more.to_string());
        if list.is_encoded {
            element(root, "EncodingType", "url");
        }
        if let Some(last) = objects.last().filter(|_| has_more) {
            element(root, "NextContinuationToken", &continuation_token(&last.key));
        }
        for object in objects {
            let mut contents = root.start_el("Contents").finish();
            element(&mut contents, "Key", &text(object.key.as_str()));
            element(&mut contents, "LastModified", &object.modified.to_string());
            element(&mut contents, "ETag", &object.etag);
            element(&mut contents, "Size", &object.length.to_string());
            element(&mut contents, "StorageClass", "STANDARD");
        }
    })
}

/// Makes a failure a response. One to `HEAD` has no body.
pub(super) fn finish(result: Result<Response<Bytes>, Error>, is_head: bool) -> Response<Bytes> {
    result.unwrap_or_else(|error| {
        let (status, code) = error.code();
        if status.is_server_error() && code != "NotImplemented" {
            tracing::error!(%error, "A file could not be read or written");
        }
        let mut response = if is_head { with(status, Bytes::new()) } else { failure(&error) };
        if let Error::InvalidRange { length } = error
            && let Ok(range) = HeaderValue::try_from(format!("bytes */{length}"))
        {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
        response
    })
}

fn failure(error: &Error) -> Response<Bytes> {
    let (status, code) = error.code();
    xml::response(status, "Error", |root| {
        element(root, "Code", code);
        element(root, "Message", &error.to_string());
    })
}

/// Sets the headers that every response to a read has.
fn describe(response: &mut Response<Bytes>, object: &Object) -> Result<(), Error> {
    insert(response, header::ETAG, object.etag())?;
    insert(response, header::LAST_MODIFIED, &http_date(object.modified())?)
}

fn http_date(time: Timestamp) -> Result<String, Error> {
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&time);
    Ok(date.map_err(std::io::Error::other)?)
}

fn insert(response: &mut Response<Bytes>, name: HeaderName, value: &str) -> Result<(), Error> {
    let invalid = |_| Error::InvalidArgument(format!("{name}: not valid in a header"));
    let value = HeaderValue::from_str(value).map_err(invalid)?;
    response.headers_mut().insert(name, value);
    Ok(())
}

fn with(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
