//! Looks figures up: in the instance's cache, in the table, or by waiting for their computation.

use tokio::time::timeout;

use super::{
    Companies,
    query::{CacheStatus, FiguresError, FiguresKey, Response},
    singleflight::Resolved,
};
use crate::time::{Clock, Timestamp};

impl Companies {
    /// Returns the figures. If they have to be computed, waits for them, at most for the configured
    /// time.
    pub async fn figures(&self, key: FiguresKey, now: Timestamp) -> Result<Response, FiguresError> {
        if let Some(answer) = self.0.cache.fresh(&key, now) {
            return Ok(Response { answer, status: CacheStatus::Hit });
        }
        if self.0.cache.is_missing(&key.company, now) {
            return Err(FiguresError::CompanyNotFound(key.company));
        }
        let wait = self.0.settings.wait;
        let (waiter, started_poll) = self.join_poll(key, Clock::starting(now));
        let Resolved { answer, existed, started_work } =
            timeout(wait, waiter.resolved()).await.map_err(|_| FiguresError::TimedOut)??;
        let status = match (existed, started_poll && started_work) {
            (true, _) => CacheStatus::Hit,
            (false, true) => CacheStatus::Miss,
            (false, false) => CacheStatus::Collapsed,
        };
        Ok(Response { answer, status })
    }
}
