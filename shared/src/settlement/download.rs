//! Downloading the file of a completed settlement.

use std::time::Duration;

use super::{
    Settlement,
    files::report_key,
    job::{Job, JobId, ReportFile, State},
};
use crate::{aws::ServiceError, digest::sha256};

/// Maximum size of a file that is returned inline: a Lambda response has at most 6 MB.
const MAX_INLINE_BYTES: u64 = 4 * 1_024 * 1_024;

/// Validity of the link to a larger file.
const LINK_VALIDITY: Duration = Duration::from_mins(5);

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// Value of `Content-Disposition`: the name under which it is saved.
    pub disposition: String,
    /// Its bytes or its location.
    pub content: Content,
}

/// Content of a download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The caller has the file already.
    NotModified,
    /// The file, if it is small.
    Text(String),
    /// A link to a large file, valid for five minutes.
    Link(String),
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No settlement has this id.
    #[error("settlement {0} does not exist")]
    JobNotFound(JobId),
    /// The settlement is not completed yet.
    #[error("the settlement is {0}: its file does not exist yet")]
    NotFinished(State),
    /// The settlement was cancelled or failed.
    #[error("the settlement is {0}: it has no file")]
    Ended(State),
    /// The bucket no longer has the file.
    #[error("the file has expired")]
    Expired,
    /// The file in the bucket is not the one that was written.
    #[error("the file's SHA-256 is {found}, but was {written} when it was written")]
    ChecksumMismatch {
        /// SHA-256 of the file that was written.
        written: String,
        /// SHA-256 of the file in the bucket.
        found: String,
    },
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Settlement {
    /// Returns the file of a completed settlement, or [`Content::NotModified`] if `is_cached`
    /// returns true for its SHA-256.
    pub async fn download(
        &self,
        id: JobId,
        is_cached: impl Fn(&str) -> bool,
    ) -> Result<Download, DownloadError> {
        let job = self.store.job(id).await?.ok_or(DownloadError::JobNotFound(id))?;
        let (Some(file), Some(plan)) = (&job.file, job.plan) else {
            return Err(match job.state {
                State::Cancelled | State::Failed => DownloadError::Ended(job.state),
                state => DownloadError::NotFinished(state),
            });
        };
        let disposition = disposition(&job);
        let key = report_key(id, plan);
        let content = if is_cached(&file.sha256) {
            Content::NotModified
        } else if file.bytes <= MAX_INLINE_BYTES {
            self.read(&key, file).await?
        } else {
            Content::Link(self.files().link(&key, &disposition, LINK_VALIDITY).await?)
        };
        Ok(Download { sha256: file.sha256.clone(), disposition, content })
    }

    async fn read(&self, key: &str, file: &ReportFile) -> Result<Content, DownloadError> {
        let bytes = self.files().get(key).await?.ok_or(DownloadError::Expired)?;
        let found = sha256(&bytes);
        match String::from_utf8(bytes) {
            Ok(text) if found == file.sha256 => Ok(Content::Text(text)),
            _ => Err(DownloadError::ChecksumMismatch { written: file.sha256.clone(), found }),
        }
    }
}

/// Returns the `Content-Disposition` with a file name of the days and the id.
fn disposition(job: &Job) -> String {
    format!("attachment; filename=\"settlement_{}_{}_{}.csv\"", job.days.from, job.days.to, job.id)
}
