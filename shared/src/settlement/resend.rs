//! Recovering stalled settlements: those whose message was lost, or whose worker died.
//!
//! Each minute every settlement that has not ended is checked. If nothing has happened to it for
//! [`STALL_TIMEOUT`], doubled after each resend, its message is sent again: to plan it, to sum the
//! pending batches, or to finish it. A message that was only late is then delivered twice, which is
//! harmless.

use std::time::Duration;

use tracing::{info, warn};

use super::{
    Settlement,
    job::{Job, JobId, StallWatch, State},
};
use crate::{aws::ServiceError, time::Timestamp};

/// How long nothing may happen to a settlement: longer than a batch takes, and than a worker's
/// lease lasts.
const STALL_TIMEOUT: Duration = Duration::from_mins(2);

/// Maximum doublings of the timeout: it grows to about an hour. The messages of settlements that
/// wait behind a large one therefore remain few.
const MAX_DOUBLINGS: u32 = 5;

/// Result of one check of all settlements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResendSummary {
    /// Settlements that have not ended.
    pub live: u32,
    /// Settlements whose work was resent.
    pub resent: u32,
}

/// Result of the check of one settlement.
enum Checked {
    /// It had ended meanwhile.
    Ended,
    /// Something has happened to it lately.
    Active,
    Resent,
}

impl ResendSummary {
    fn add(&mut self, checked: &Checked) {
        self.live += u32::from(!matches!(checked, Checked::Ended));
        self.resent += u32::from(matches!(checked, Checked::Resent));
    }
}

impl Settlement {
    /// Checks every settlement that has not ended, and resends the work of those that stalled.
    ///
    /// # Errors
    /// A service failed for a settlement. The others are checked nevertheless, and the next
    /// invocation checks all again.
    pub async fn resend_stalled(&self, now: Timestamp) -> Result<ResendSummary, ServiceError> {
        let mut summary = ResendSummary::default();
        let mut failure = None;
        for id in self.store.live_ids().await? {
            // On the heap: the future is as large as the largest of those that it may await.
            match Box::pin(self.check(id, now)).await {
                Ok(checked) => summary.add(&checked),
                Err(cause) => {
                    warn!(job.id = %id, %cause, "Settlement not checked");
                    failure = Some(cause);
                }
            }
        }
        failure.map_or(Ok(summary), Err)
    }

    /// Resends the work of every settlement that has not ended, and ends the leases of its workers.
    /// For the start of a process that is the only one with this store: the workers ended with the
    /// process before, perhaps before they sent the message that comes next. Returns the number of
    /// settlements that were resent. One for which a service fails is resent when it has stalled.
    ///
    /// # Errors
    /// The settlements cannot be listed.
    pub async fn resume(&self, now: Timestamp) -> Result<usize, ServiceError> {
        let mut resumed = 0;
        for id in self.store.live_ids().await? {
            match Box::pin(self.resume_one(id, now)).await {
                Ok(was_live) => resumed += usize::from(was_live),
                Err(cause) => warn!(job.id = %id, %cause, "Settlement not resumed"),
            }
        }
        Ok(resumed)
    }

    /// Resumes a settlement, unless it has ended.
    async fn resume_one(&self, id: JobId, now: Timestamp) -> Result<bool, ServiceError> {
        let Some(job) = self.store.live_job(id).await? else { return Ok(false) };
        if job.lease_until.is_some() {
            self.store.revoke_lease(id).await?;
        }
        let pending = self.count_pending(&job).await?;
        self.resend(&job, pending, now).await?;
        Ok(true)
    }

    async fn count_pending(&self, job: &Job) -> Result<u64, ServiceError> {
        match job.plan_ref() {
            Some(plan) if job.state == State::Running => self.store.count_pending(plan).await,
            _ => Ok(0),
        }
    }

    /// Checks a settlement, unless it has ended.
    async fn check(&self, id: JobId, now: Timestamp) -> Result<Checked, ServiceError> {
        match self.store.live_job(id).await? {
            Some(job) if self.resend_if_stalled(&job, now).await? => Ok(Checked::Resent),
            Some(_) => Ok(Checked::Active),
            None => Ok(Checked::Ended),
        }
    }

    async fn resend_if_stalled(&self, job: &Job, now: Timestamp) -> Result<bool, ServiceError> {
        let pending = self.count_pending(job).await?;
        if has_progressed(job, pending) {
            let watch = StallWatch { at: now, left: pending, resent: 0 };
            self.store.put_watch(job, &watch).await?;
            return Ok(false);
        }
        let resent = job.watch.as_ref().map_or(0, |watch| watch.resent);
        let timeout = STALL_TIMEOUT * 2_u32.pow(resent.min(MAX_DOUBLINGS));
        let is_stalled = now.since(last_activity(job)) >= timeout;
        if is_stalled {
            self.resend(job, pending, now).await?;
            info!(job.id = %job.id, state = %job.state, pending, "Stalled settlement resent");
            metrics::counter!("SettlementsResent").increment(1);
            let watch = StallWatch { at: now, left: pending, resent: resent + 1 };
            self.store.put_watch(job, &watch).await?;
        }
        Ok(is_stalled)
    }

    async fn resend(&self, job: &Job, pending: u64, now: Timestamp) -> Result<(), ServiceError> {
        match (job.state, job.plan_ref()) {
            (State::Queued, _) => self.send_plan(job, now).await,
            (State::Running, Some(plan)) if pending == 0 => {
                self.finish_if_none_pending(plan, job.run, now).await
            }
            (State::Running, Some(plan)) => self.send_pending_batches(plan, job.run).await,
            (State::Finishing, Some(plan)) => self.send_finish(plan, job.run).await,
            _ => Ok(()),
        }
    }
}

/// Returns whether batches were summed since the last check, or no check has seen the batches yet.
fn has_progressed(job: &Job, pending: u64) -> bool {
    job.state == State::Running
        && pending > 0
        && job.watch.as_ref().is_none_or(|watch| watch.left != pending)
}

/// Returns the latest time at which something is known to have happened, or to be due.
fn last_activity(job: &Job) -> Timestamp {
    let times = [Some(job.updated_at), job.lease_until, job.watch.as_ref().map(|watch| watch.at)];
    let last = times.into_iter().flatten().max().unwrap_or(job.updated_at);
    if job.state == State::Queued { last.max(job.ledger_complete_at()) } else { last }
}
