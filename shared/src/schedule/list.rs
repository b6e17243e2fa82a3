//! Lists: jobs, and the runs of a job, newest first.

use serde::Serialize;

use super::{
    EditError, ScheduledJobId, Schedules,
    job::JobView,
    run::{RunCursor, RunView},
};
use crate::{
    aws::ServiceError,
    cursor::{Cursor, Limit, paginate},
    time::Timestamp,
};

/// The place of a job in the list.
pub type ScheduledJobCursor = Cursor<ScheduledJobId>;

/// Jobs, newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScheduledJobPage {
    /// With their next times.
    pub jobs: Vec<JobView>,
    /// `None`: this was the last page.
    pub next_cursor: Option<ScheduledJobCursor>,
}

/// Runs, the last due first, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPage {
    /// What came of each.
    pub runs: Vec<RunView>,
    /// `None`: this was the last page.
    pub next_cursor: Option<RunCursor>,
}

impl Schedules {
    /// Jobs, as the index knows them: a job is listed a moment after it was made.
    pub async fn list(
        &self,
        limit: Limit,
        before: Option<&ScheduledJobCursor>,
        now: Timestamp,
    ) -> Result<ScheduledJobPage, ServiceError> {
        let jobs = self.store.newest(before.map(Cursor::sort_key), limit.to_usize() + 1).await?;
        let (jobs, next_cursor) = paginate(jobs, limit, |listed| listed.place.clone());
        let jobs = jobs.into_iter().filter_map(|listed| listed.job);
        Ok(ScheduledJobPage { jobs: jobs.map(|job| JobView::of(job, now)).collect(), next_cursor })
    }

    /// The runs of a job, as far as they are kept.
    pub async fn runs(
        &self,
        id: ScheduledJobId,
        limit: Limit,
        before: Option<&RunCursor>,
        now: Timestamp,
    ) -> Result<RunPage, EditError> {
        // An id that an idempotency key gives twice has a history of its own each time.
        let since = self.store.job(id).await?.ok_or(EditError::JobNotFound(id))?.created_at;
        let runs = self
            .runs
            .newest(id, since, before.map(Cursor::sort_key), limit.to_usize() + 1, now)
            .await?;
        let (runs, next_cursor) =
            paginate(runs, limit, |run| format!("{}#{}", run.due_at, run.run_id));
        Ok(RunPage { runs, next_cursor })
    }
}
