//! [`Files`]: the part of S3 that an application with one bucket uses, as files in a folder.
//!
//! A write is answered when it is on the disk. After a crash an object is the old one or the new
//! one, never a part of one. Conditions, ranges, checksums and multipart uploads are S3's, as are
//! the error codes; what is not implemented is refused by name. Not covered: versions, access
//! rules, encryption, lists by delimiter, and damage of the disk.
//!
//! | File | Content |
//! |---|---|
//! | `bucket`, `upload` | objects and multipart uploads: the functions for use in process |
//! | `key` | keys and their file names |
//! | `blob` | files with a head |
//! | `call` | S3's requests |
//! | `body`, `condition`, `range`, `link` | checksums, conditions, ranges and presigned links |
//! | `reply`, `error` | S3's responses |

mod blob;
mod body;
mod bucket;
mod call;
mod condition;
mod error;
mod key;
mod link;
mod range;
mod reply;
mod upload;

use std::{io, path::Path, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};

pub use bucket::{Bucket, Headers, ListedObject, Object};
pub use condition::WriteCondition;
pub use error::Error;
pub use key::Key;
pub use link::Credentials;
pub(crate) use link::is_presigned;
pub use upload::{ListedPart, MAX_PART, MIN_PART_BYTES};

use call::{Call, Operation};

/// The age at which drafts and unfinished uploads are removed.
const LEFTOVER_AGE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How a bucket answers requests.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the bucket.
    pub bucket: String,
    /// The largest content of one request, in bytes; S3 allows 5 GiB. Contents are in memory.
    pub max_content_bytes: u64,
    /// The credentials that sign links.
    pub credentials: Credentials,
}

/// A bucket behind S3's interface. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Files(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bucket: Bucket,
    settings: Settings,
}

impl Files {
    /// Opens the bucket of a folder, which is created if it does not exist.
    pub fn open(folder: &Path, settings: Settings) -> io::Result<Self> {
        Ok(Self(Arc::new(Inner { bucket: Bucket::open(folder)?, settings })))
    }

    /// The bucket, for calls on threads that may block.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.0.bucket
    }

    /// Responds to a request of the SDK. The caller is trusted: only a presigned link is verified.
    pub async fn respond(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        let files = self.0.clone();
        let head = request.method() == Method::HEAD;
        let response = blocking(move || files.respond(&request, now)).await;
        reply::finish(response, head)
    }

    /// Responds to a download by a presigned link. All else is refused: anybody may call this.
    pub async fn download(&self, request: Request<Bytes>, now: Timestamp) -> Response<Bytes> {
        if is_presigned(&request) && [Method::GET, Method::HEAD].contains(request.method()) {
            return self.respond(request, now).await;
        }
        let refused = Error::AccessDenied("only downloads by a presigned link are allowed");
        reply::finish(Err(refused), request.method() == Method::HEAD)
    }

    /// Removes the drafts and the uploads that were begun 7 days ago or earlier.
    pub async fn remove_leftovers(&self, now: Timestamp) -> Result<(), Error> {
        let files = self.0.clone();
        blocking(move || files.bucket.remove_leftovers(now - LEFTOVER_AGE)).await
    }
}

impl Inner {
    fn respond(&self, request: &Request<Bytes>, now: Timestamp) -> Result<Response<Bytes>, Error> {
        if is_presigned(request) {
            self.settings.credentials.verify(request, now)?;
        }
        let call = Call::read(request)?;
        if call.bucket != self.settings.bucket {
            return Err(Error::NoSuchBucket);
        }
        match call.operation {
            Operation::HeadBucket => Ok(reply::empty(200)),
            Operation::ListObjectsV2 => self.list(&call),
            Operation::PutObject => {
                let content = self.content(&call)?;
                let condition = WriteCondition::read(call.headers)?;
                let headers = call.stored_headers()?;
                let etag = self.bucket.put(&call.key()?, &content, headers, &condition, now)?;
                reply::with_etag(&etag)
            }
            Operation::GetObject => self.get(&call),
            Operation::DeleteObject => {
                self.bucket.delete(&call.key()?)?;
                Ok(reply::empty(204))
            }
            Operation::CreateMultipartUpload => {
                let id = self.bucket.create_upload(&call.key()?, call.stored_headers()?, now)?;
                Ok(reply::created(&call, &id))
            }
            Operation::UploadPart => {
                let (id, number) = (call.upload_id(), call.part_number()?);
                let content = self.content(&call)?;
                reply::with_etag(&self.bucket.put_part(&call.key()?, id, number, &content, now)?)
            }
            Operation::CompleteMultipartUpload => {
                let parts = call.listed_parts()?;
                let condition = WriteCondition::read(call.headers)?;
                let id = call.upload_id();
                let etag =
                    self.bucket.complete_upload(&call.key()?, id, &parts, &condition, now)?;
                Ok(reply::completed(&call, &etag))
            }
            Operation::AbortMultipartUpload => {
                self.bucket.abort_upload(&call.key()?, call.upload_id(), now)?;
                Ok(reply::empty(204))
            }
        }
    }

    /// Returns the checked content of an upload.
    fn content(&self, call: &Call<'_>) -> Result<Bytes, Error> {
        let content = body::content(call.headers, call.body)?;
        let limit = self.settings.max_content_bytes;
        if content.len() as u64 > limit {
            return Err(Error::EntityTooLarge { limit });
        }
        Ok(content)
    }

    /// Responds with an object, a part of it, or its headers.
    fn get(&self, call: &Call<'_>) -> Result<Response<Bytes>, Error> {
        let mut object = self.bucket.get(&call.key()?)?;
        if !condition::is_wanted(call.headers, object.etag(), object.modified())? {
            return reply::not_modified(&object);
        }
        let range = range::requested(call.headers, object.etag(), object.length())?;
        let whole = 0..object.length();
        let content = match call.method {
            &Method::HEAD => Bytes::new(),
            _ => object.read(range.clone().unwrap_or(whole))?,
        };
        reply::object(&object, range.as_ref(), &call.header_overrides(), content)
    }

    fn list(&self, call: &Call<'_>) -> Result<Response<Bytes>, Error> {
        let list = call.list()?;
        let (objects, has_more) = self.bucket.list(list.prefix, &list.after, list.limit)?;
        Ok(reply::list(call, &list, &objects, has_more))
    }
}

/// Runs a function on a thread that may block.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(call).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests;
