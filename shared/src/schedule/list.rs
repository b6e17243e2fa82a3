//! Lists: jobs, and the runs of a job, newest first.

use serde::Serialize;

use super::{
    EditError, Schedules, TaskId,
    run::{RunCursor, RunView},
    task::{Standing, Task},
};
use crate::{aws::ServiceError, cursor::Cursor, dynamo::keys, limits::Bounded, time::Timestamp};

/// Rows of a page.
pub type Limit = Bounded<1, 100>;

/// The rows of a page where no number is asked for.
pub const DEFAULT_LIMIT: Limit = Limit::literal::<20>();

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
        let limit = limit.to_usize();
        let mut tasks = self.store.newest(before.map(Cursor::place), limit + 1).await?;
        let more = tasks.len() > limit;
        tasks.truncate(limit);
        let place = |task: &Task| Cursor::at(keys::recent_task(task.created_at, &task.id.to_string()).sk);
        let next_cursor = tasks.last().filter(|_| more).map(place);
        Ok(TaskPage { jobs: tasks.into_iter().map(|task| Standing::of(task, now)).collect(), next_cursor })
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
        let limit = limit.to_usize();
        let mut runs = self.runs.newest(id, since, before.map(Cursor::place), limit + 1, now).await?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        let place = |run: &RunView| Cursor::at(format!("{}#{}", run.due_at, run.run_id));
        let next_cursor = runs.last().filter(|_| more).map(place);
        Ok(RunPage { runs, next_cursor })
    }
}
