//! What a dead process has left: work whose message never came, or died with its worker.
//!
//! Each minute every job that is not over is looked at. If nothing has happened to it for [`QUIET`], and twice as long each
//! further time, its message is sent again: to plan it, to sum the batches that are left, or to finish it. A message that was still under way after all comes twice, which is harmless.

use std::time::Duration;

use tracing::{info, warn};

use super::{
    Settlement,
    batches::PlanRef,
    job::{Job, StallWatch, State},
    message::Message,
};
use crate::{aws::ServiceError, time::Timestamp};

/// How long nothing may happen to a job. More than a batch takes, and than a worker gives no sign.
pub const QUIET: Duration = Duration::from_mins(2);

/// How often that time doubles while nothing happens: to an hour. Messages that wait behind those of a large job do not become many.
const MOST_DOUBLINGS: u32 = 5;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Jobs that are not over.
    pub live: u32,
    /// Jobs whose work was asked for again.
    pub resent: u32,
}

impl Settlement {
    /// Looks at every job that is not over.
    ///
    /// # Errors
    /// A service failed for some job; the others are looked at all the same, and the next tick looks at all.
    pub async fn resend_stalled(&self, now: Timestamp) -> Result<Recovered, ServiceError> {
        let mut recovered = Recovered::default();
        let mut failure = None;
        for job in self.store.live().await? {
            recovered.live += 1;
            // On the heap: it is as large as the largest of what it may send.
            match Box::pin(self.recover_job(&job, now)).await {
                Ok(resent) => recovered.resent += u32::from(resent),
                Err(cause) => {
                    warn!(job.id = %job.id, %cause, "A job could not be looked at");
                    failure = Some(cause);
                }
            }
        }
        failure.map_or(Ok(recovered), Err)
    }

    async fn recover_job(&self, job: &Job, now: Timestamp) -> Result<bool, ServiceError> {
        let left = match job.plan {
            Some(id) if job.state == State::Running => {
                self.store.left(PlanRef { job: job.id, id }).await?
            }
            _ => 0,
        };
        if job.has_moved(left) {
            self.store.watch(job, &StallWatch { at: now, left, resent: 0 }).await?;
            return Ok(false);
        }
        let resent = job.watch.as_ref().map_or(0, |watch| watch.resent);
        let quiet = now.since(job.last_sign()) >= QUIET * 2_u32.pow(resent.min(MOST_DOUBLINGS));
        if quiet {
            self.resend(job, left, now).await?;
            info!(job.id = %job.id, state = %job.state, left, "Nothing happened to a job: its work was asked for again");
            metrics::counter!("SettlementsRecovered").increment(1);
            self.store.watch(job, &StallWatch { at: now, left, resent: resent + 1 }).await?;
        }
        Ok(quiet)
    }

    async fn resend(&self, job: &Job, left: u64, now: Timestamp) -> Result<(), ServiceError> {
        match (job.state, job.plan) {
            (State::Queued, _) => self.send_plan(job, now).await,
            (State::Running, Some(id)) if left == 0 => {
                self.finish_if_last(PlanRef { job: job.id, id }, job.run, now).await
            }
            (State::Running, Some(id)) => self.dispatch(PlanRef { job: job.id, id }, job.run).await,
            (State::Finishing, Some(plan)) => {
                self.finishes().send([Message::Finish { job: job.id, run: job.run, plan }]).await
            }
            _ => Ok(()),
        }
    }
}

impl Job {
    /// Batches were summed since it was looked at last, or nobody has looked at them yet.
    fn has_moved(&self, left: u64) -> bool {
        self.state == State::Running
            && left > 0
            && self.watch.as_ref().is_none_or(|watch| watch.left != left)
    }

    /// When something is last known to have happened to it, or will have.
    fn last_sign(&self) -> Timestamp {
        let signs =
            [Some(self.updated_at), self.lease_until, self.watch.as_ref().map(|watch| watch.at)];
        let last = signs.into_iter().flatten().max().unwrap_or(self.updated_at);
        if self.state == State::Queued { last.max(self.ledger_settled_at()) } else { last }
    }
}
