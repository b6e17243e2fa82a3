//! Lists: jobs, and the runs of a job, newest first.

use serde::Serialize;

use super::{
    EditError, Schedules, TaskId,
    run::{RunCursor, RunView},
    task::Standing,
};
use crate::{
    aws::ServiceError,
    cursor::{Cursor, Limit, cut},
    time::Timestamp,
};

/// The place of a job in the list.
pub type TaskCursor = Cursor<TaskId>;

/// Jobs, newest first, and where the next page begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskPage {
    /// With their next times.
    pub jobs: Vec<Standing>,
    /// `None`: this was the last page.
    pub next_cursor: Option<TaskCursor>,
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
        before: Option<&TaskCursor>,
        now: Timestamp,
    ) -> Result<TaskPage, ServiceError> {
        let tasks = self.store.newest(before.map(Cursor::place), limit.to_usize() + 1).await?;
        let (tasks, next_cursor) = cut(tasks, limit, |listed| listed.place.clone());
        let tasks = tasks.into_iter().filter_map(|listed| listed.task);
        Ok(TaskPage { jobs: tasks.map(|task| Standing::of(task, now)).collect(), next_cursor })
    }

    /// The runs of a job, as far as they are kept.
    pub async fn runs(
        &self,
        id: TaskId,
        limit: Limit,
        before: Option<&RunCursor>,
        now: Timestamp,
    ) -> Result<RunPage, EditError> {
        // An id that an idempotency key gives twice has a history of its own each time.
        let since = self.store.task(id).await?.ok_or(EditError::TaskNotFound(id))?.created_at;
        let runs = self.runs.newest(id, since, before.map(Cursor::place), limit.to_usize() + 1, now).await?;
        let (runs, next_cursor) = cut(runs, limit, |run| format!("{}#{}", run.due_at, run.run_id));
        Ok(RunPage { runs, next_cursor })
    }
}
