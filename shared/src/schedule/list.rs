//! Paged lists: the jobs, and the runs of a job, newest first.

use serde::Serialize;

use super::{
    Schedules,
    edit::EditError,
    id::ScheduledJobId,
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

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScheduledJobPage {
    /// The jobs with their next occurrences.
    pub jobs: Vec<JobView>,
    /// The start of the next page; `None` on the last page.
    pub next_cursor: Option<ScheduledJobCursor>,
}

/// A page of runs, latest `due_at` first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPage {
    /// The runs.
    pub runs: Vec<RunView>,
    /// The start of the next page; `None` on the last page.
    pub next_cursor: Option<RunCursor>,
}

impl Schedules {
    /// Lists jobs from the index, which contains a job a moment after it was created. A job that
    /// this release cannot read is left out, so a page may be shorter than its limit.
    pub async fn list(
        &self,
        limit: Limit,
        before: Option<&ScheduledJobCursor>,
        now: Timestamp,
    ) -> Result<ScheduledJobPage, ServiceError> {
        let rows = self.jobs.newest(before.map(Cursor::sort_key), limit.to_usize() + 1).await?;
        let (rows, next_cursor) = paginate(rows, limit, |row| row.place.clone());
        let jobs = rows.into_iter().filter_map(|row| row.job);
        Ok(ScheduledJobPage { jobs: jobs.map(|job| JobView::new(job, now)).collect(), next_cursor })
    }

    /// Lists the runs of a job that are still retained.
    pub async fn runs(
        &self,
        id: ScheduledJobId,
        limit: Limit,
        before: Option<&RunCursor>,
        now: Timestamp,
    ) -> Result<RunPage, EditError> {
        // A deleted job's idempotency key creates a job with the same id and a history of its own.
        let since = self.jobs.job(id).await?.ok_or(EditError::JobNotFound(id))?.created_at;
        let runs = self
            .runs
            .newest(id, since, before.map(Cursor::sort_key), limit.to_usize() + 1, now)
            .await?;
        let (runs, next_cursor) =
            paginate(runs, limit, |run| format!("{}#{}", run.due_at, run.run_id));
        Ok(RunPage { runs, next_cursor })
    }
}
