//! How many jobs are where.

use super::{
    Settlement,
    job::{Job, State},
};
use crate::aws::ServiceError;

/// States of jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCounts {
    /// Of the newest jobs, newest first, as the index knows them.
    pub recent: Vec<State>,
    /// Of all that are not over.
    pub live: Vec<State>,
}

impl Settlement {
    /// The states of so many of the newest jobs, and of all that are not over: two queries, and a read for each of the latter.
    pub async fn census(&self, newest: usize) -> Result<JobCounts, ServiceError> {
        let (recent, live) =
            futures_util::try_join!(self.store.newest(None, newest), self.store.live())?;
        let states = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.state).collect();
        Ok(JobCounts { recent: states(recent), live: states(live) })
    }
}
