//! Reading settlements: one with its progress, lists, and states for metrics.

use futures_util::{StreamExt, TryStreamExt, stream, try_join};

use super::{
    Settlement,
    job::{Job, JobId, State},
    job_status::JobStatus,
};
use crate::{
    aws::ServiceError,
    cursor::{Limit, Page, Place},
    dynamo::keys,
    time::Timestamp,
};

/// Number of settlements of a page whose progress is read concurrently.
const CONCURRENT_READS: usize = 16;

/// Position of a settlement in the list.
pub type JobPlace = Place<JobId>;

/// States of settlements, to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCounts {
    /// Of the newest settlements, newest first. The index is eventually consistent.
    pub recent: Vec<State>,
    /// Of all settlements that have not ended.
    pub live: Vec<State>,
}

impl Settlement {
    /// Returns a settlement with its progress: one read, and those of its finished batches.
    pub async fn job_status(
        &self,
        id: JobId,
        now: Timestamp,
    ) -> Result<Option<JobStatus>, ServiceError> {
        match self.store.job(id).await? {
            None => Ok(None),
            Some(job) => self.with_progress(job, now).await.map(Some),
        }
    }

    /// Returns settlements with their progress, newest first. The index is eventually consistent: a
    /// new settlement appears after a moment.
    pub async fn list(
        &self,
        limit: Limit,
        before: Option<&JobPlace>,
        now: Timestamp,
    ) -> Result<Page<JobStatus, JobPlace>, ServiceError> {
        let before = before.map(Place::sort_key);
        let jobs = self.store.newest_jobs(before, limit.to_usize() + 1).await?;
        let page = Page::of(jobs, limit, |job| {
            Place::after(keys::recent_job(job.created_at, &job.id.to_string()).sk)
        });
        let jobs = stream::iter(page.rows).map(|job| self.with_progress(job, now));
        let rows = jobs.buffered(CONCURRENT_READS).try_collect().await?;
        Ok(Page { rows, next: page.next })
    }

    /// Returns the states of the `newest` newest settlements and of all that have not ended: two
    /// queries, and a read for each of the latter.
    pub async fn job_counts(&self, newest: usize) -> Result<JobCounts, ServiceError> {
        let (recent, live) =
            try_join!(self.store.newest_jobs(None, newest), self.store.live_jobs())?;
        let states = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.state).collect();
        Ok(JobCounts { recent: states(recent), live: states(live) })
    }

    async fn with_progress(&self, job: Job, now: Timestamp) -> Result<JobStatus, ServiceError> {
        let progress = match job.plan_ref() {
            Some(plan) if !matches!(job.state, State::Finishing | State::Completed) => {
                Some(self.store.progress(plan).await?)
            }
            _ => None,
        };
        Ok(JobStatus::of(&job, progress.as_ref(), now))
    }
}
