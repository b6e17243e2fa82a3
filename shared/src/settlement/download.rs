//! The finished file, for callers.

use std::time::Duration;

use super::{
    Settlement,
    files::report_key,
    job::{File, Job, JobId, State},
};
use crate::{aws::ServiceError, digest::sha256};

/// The largest file that is answered directly: Lambda answers at most 6 MB.
const DIRECT: u64 = 4 * 1_024 * 1_024;

/// How long a link to a larger one is valid.
const LINK_VALID: Duration = Duration::from_mins(5);

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How it is saved: the value of `Content-Disposition`.
    pub disposition: String,
    /// What it says, or where.
    pub content: Content,
}

/// A small file or a large one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// The caller has it already.
    Known,
    /// The file itself.
    Text(String),
    /// A link to it, which is valid for five minutes.
    Link(String),
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No job has this id.
    #[error("job {0} does not exist")]
    JobNotFound(JobId),
    /// It is not there yet.
    #[error("the job is {0}")]
    NotFinished(State),
    /// It will never be there.
    #[error("the job is {0}")]
    Ended(State),
    /// It was there.
    #[error("the file has expired")]
    Expired,
    /// It is not the file that was written.
    #[error("the file has the SHA-256 {found}, and was written with {written}")]
    Changed {
        /// The SHA-256 that the job keeps.
        written: String,
        /// That of what is there.
        found: String,
    },
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl Settlement {
    /// The file of a completed job; not again for a caller who knows it, by its SHA-256.
    pub async fn download(
        &self,
        id: JobId,
        known: impl Fn(&str) -> bool,
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
        let content = if known(&file.sha256) {
            Content::Known
        } else if file.bytes <= DIRECT {
            self.read(&key, file).await?
        } else {
            Content::Link(self.files().link(&key, &disposition, LINK_VALID).await?)
        };
        Ok(Download { sha256: file.sha256.clone(), disposition, content })
    }

    async fn read(&self, key: &str, file: &File) -> Result<Content, DownloadError> {
        let bytes = self.files().get(key).await?.ok_or(DownloadError::Expired)?;
        let found = sha256(&bytes);
        match String::from_utf8(bytes) {
            Ok(text) if found == file.sha256 => Ok(Content::Text(text)),
            _ => Err(DownloadError::Changed { written: file.sha256.clone(), found }),
        }
    }
}

/// It is saved under the name of its days and its job.
fn disposition(job: &Job) -> String {
    format!("attachment; filename=\"settlement_{}_{}_{}.csv\"", job.days.from, job.days.to, job.id)
}
