//! Paged lists: the jobs, and the runs of a job, newest first.

use super::{
    Schedules,
    edit::EditError,
    id::ScheduledJobId,
    job::JobView,
    run::{RunPlace, RunView},
};
use crate::{
    aws::ServiceError,
    cursor::{Limit, Page, Place},
    time::Timestamp,
};

/// The place of a job in the list.
pub type ScheduledJobPlace = Place<ScheduledJobId>;

impl Schedules {
    /// Lists jobs with their next occurrences, newest first, from the index, which contains a job a
    /// moment after it was created. A job that this release cannot read is left out, so a page may
    /// be shorter than its limit.
    pub async fn list(
        &self,
        limit: Limit,
        before: Option<&ScheduledJobPlace>,
        now: Timestamp,
    ) -> Result<Page<JobView, ScheduledJobPlace>, ServiceError> {
        let rows = self.jobs.newest(before.map(Place::sort_key), limit.to_usize() + 1).await?;
        let page = Page::of(rows, limit, |row| Place::after(row.place.clone()));
        Ok(page.with_rows(|rows| {
            let jobs = rows.into_iter().filter_map(|row| row.job);
            jobs.map(|job| JobView::new(job, now)).collect()
        }))
    }

    /// Lists the runs of a job that are still retained, latest `due_at` first.
    pub async fn runs(
        &self,
        id: ScheduledJobId,
        limit: Limit,
        before: Option<&RunPlace>,
        now: Timestamp,
    ) -> Result<Page<RunView, RunPlace>, EditError> {
        // A deleted job's idempotency key creates a job with the same id and a history of its own.
        let since = self.jobs.job(id).await?.ok_or(EditError::JobNotFound(id))?.created_at;
        let runs = self
            .runs
            .newest(id, since, before.map(Place::sort_key), limit.to_usize() + 1, now)
            .await?;
        Ok(Page::of(runs, limit, |run| Place::after(format!("{}#{}", run.due_at, run.run_id))))
    }
}
