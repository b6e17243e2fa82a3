//! Errors with S3's codes.

use std::io;

use http::StatusCode;

/// Why a call failed. [`Error::code`] is what S3 calls it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bad credentials, or none.
    #[error("{0}")]
    AccessDenied(&'static str),
    /// A link was altered, or was signed with another secret.
    #[error("the signature does not match the request")]
    SignatureDoesNotMatch,
    /// There is one bucket, with another name.
    #[error("the bucket does not exist")]
    NoSuchBucket,
    /// No object has the key.
    #[error("the key does not exist")]
    NoSuchKey,
    /// The upload does not exist, has ended, or is for another key.
    #[error("the upload does not exist: it may have been completed or aborted")]
    NoSuchUpload,
    /// A condition of the request does not hold.
    #[error("a condition of the request does not hold")]
    PreconditionFailed,
    /// A requested range begins behind the end.
    #[error("the range begins behind the end of the object: it has {length} bytes")]
    InvalidRange {
        /// The size of the object in bytes.
        length: u64,
    },
    /// A part is missing, or was uploaded again.
    #[error("part {number} does not exist with this ETag")]
    InvalidPart {
        /// The number of the part.
        number: u16,
    },
    /// The parts are not listed in ascending order.
    #[error("the parts are not in ascending order")]
    InvalidPartOrder,
    /// A part that is not the last has less than 5 MiB.
    #[error("part {number} has less than 5 MiB and is not the last")]
    EntityTooSmall {
        /// The number of the part.
        number: u16,
    },
    /// The object or part exceeds the limit.
    #[error("the object exceeds the limit of {limit} bytes")]
    EntityTooLarge {
        /// The limit.
        limit: u64,
    },
    /// The key has more than 1 024 bytes.
    #[error("the key has more than 1024 bytes")]
    KeyTooLong,
    /// The body is not as S3 defines it.
    #[error("the XML of the body is not valid")]
    MalformedXml,
    /// The body is shorter or longer than announced.
    #[error("the body does not have its announced length")]
    IncompleteBody,
    /// The body does not match its checksum.
    #[error("the body does not match {0}")]
    BadDigest(String),
    /// A header or parameter is not valid.
    #[error("{0}")]
    InvalidArgument(String),
    /// The call, or a part of it, is not implemented.
    #[error("{0} is not implemented")]
    NotImplemented(String),
    /// The disk failed.
    #[error("the disk failed: {0}")]
    Disk(#[from] io::Error),
}

impl Error {
    /// Returns the HTTP status and S3's name of the error.
    #[must_use]
    pub fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::AccessDenied(_) => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::SignatureDoesNotMatch => (StatusCode::FORBIDDEN, "SignatureDoesNotMatch"),
            Self::NoSuchBucket => (StatusCode::NOT_FOUND, "NoSuchBucket"),
            Self::NoSuchKey => (StatusCode::NOT_FOUND, "NoSuchKey"),
            Self::NoSuchUpload => (StatusCode::NOT_FOUND, "NoSuchUpload"),
            Self::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, "PreconditionFailed"),
            Self::InvalidRange { .. } => (StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange"),
            Self::InvalidPart { .. } => (StatusCode::BAD_REQUEST, "InvalidPart"),
            Self::InvalidPartOrder => (StatusCode::BAD_REQUEST, "InvalidPartOrder"),
            Self::EntityTooSmall { .. } => (StatusCode::BAD_REQUEST, "EntityTooSmall"),
            Self::EntityTooLarge { .. } => (StatusCode::BAD_REQUEST, "EntityTooLarge"),
            Self::KeyTooLong => (StatusCode::BAD_REQUEST, "KeyTooLongError"),
            Self::MalformedXml => (StatusCode::BAD_REQUEST, "MalformedXML"),
            Self::IncompleteBody => (StatusCode::BAD_REQUEST, "IncompleteBody"),
            Self::BadDigest(_) => (StatusCode::BAD_REQUEST, "BadDigest"),
            Self::InvalidArgument(_) => (StatusCode::BAD_REQUEST, "InvalidArgument"),
            Self::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
            Self::Disk(_) => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
        }
    }
}
