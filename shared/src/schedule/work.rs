//! The worker: executes the occurrence of a message.
//!
//! Where runs must not overlap, a run first acquires the slot of its job. Then it claims its
//! occurrence, performs the action, records the result, and releases the slot. Otherwise:
//!
//! | found | outcome of the message |
//! |---|---|
//! | the job does not exist, is paused, or has another generation | consumed: the occurrence is revoked, and a run that has started ends as failed |
//! | the run is finished | consumed |
//! | another delivery holds the claim, or the next attempt is not due | delivered again at that time |
//! | another run of the job is live | consumed: the run is skipped, or waits for the slot with a new message |

use std::time::Duration;

use tracing::{info, warn};

use super::{
    Schedules,
    action::{ActionContext, Attempt, Failure},
    job::ScheduledJob,
    occurrence::Occurrence,
    overlap::{self, POLL_INTERVAL, Slot},
    run::{FOREVER, is_final},
    run_store,
    when::Overlap,
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Fence, Outcome, Record},
    sqs::{Delivery, backoff},
    time::{Clock, Timestamp},
};

/// Why a run was skipped.
const OVERLAP: &str = "OVERLAP: another run of the job was live";

/// Why a run that has started gets no further attempt.
const TAKEN_BACK: &str = "TAKEN_BACK: the job was paused or changed before it could be tried again";

/// Why a message is delivered again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// This release does not understand the message.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Another delivery holds the claim, or the next attempt is not due.
    #[error("an attempt is in progress, or the next one is due later: in {} s", .0.as_secs())]
    NotYet(Duration),
    /// The attempt failed, and another one follows.
    #[error("{cause}; the next attempt is in {} s", pause.as_secs())]
    AttemptFailed {
        /// The cause, in one line.
        cause: String,
        /// The time until the next attempt.
        pause: Duration,
    },
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What happened to the occurrence of a consumed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// This delivery performed the action.
    Completed,
    /// The action failed, and no attempt follows.
    Failed,
    /// The run was finished before.
    AlreadyFinished,
    /// The job does not accept the occurrence any more.
    Revoked,
    /// Another run of the job was live.
    Skipped,
    /// Another run of the job is live: a new message was sent for this run.
    Waiting,
}

impl Schedules {
    /// Executes the occurrence of a message, unless another delivery does or did.
    pub async fn run(
        &self,
        delivery: &Delivery,
        context: ActionContext<'_>,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        let occurrence: Occurrence = serde_json::from_str(&delivery.body)?;
        let clock = Clock::starting(now);
        let job = self.jobs.job(occurrence.job).await?;
        let Some(job) = job.filter(|job| job.accepts(&occurrence)) else {
            info!(job.id = %occurrence.job, due_at = %occurrence.due_at, "Occurrence revoked");
            return self.end_revoked_run(&occurrence, delivery, now).await;
        };
        if let Some(outcome) = self.acquire_slot(&occurrence, job.overlap(), now).await? {
            return Ok(outcome);
        }
        match self.runs.claim(&occurrence, now).await? {
            Claim::Acquired(fence) => {
                if fence.number() == 1 {
                    record_start(&occurrence, now);
                }
                Box::pin(self.attempt(&job, &occurrence, fence, delivery, context, clock)).await
            }
            Claim::Occupied(record) => {
                if let Some(at) = claimable_at(&record) {
                    return self.postpone(delivery, at, now).await;
                }
                self.release_slot(&job, &occurrence).await?;
                Ok(RunOutcome::AlreadyFinished)
            }
        }
    }

    /// Acquires the slot of the job, where its runs must not overlap. Returns the outcome of the
    /// message if the slot is occupied.
    async fn acquire_slot(
        &self,
        occurrence: &Occurrence,
        overlap: Overlap,
        now: Timestamp,
    ) -> Result<Option<RunOutcome>, RunError> {
        let slot = match overlap {
            Overlap::Allow => Slot::Acquired,
            Overlap::Skip => self.slots.acquire(occurrence, overlap::LEASE, now).await?,
            Overlap::QueueOne => {
                self.slots.acquire_or_wait(occurrence, overlap::LEASE, now).await?
            }
        };
        let waits = match slot {
            Slot::Acquired => return Ok(None),
            Slot::Waiting => true,
            Slot::Occupied => match self.runs.skip(occurrence, OVERLAP, now).await? {
                None => false,
                Some(run) if run.finished_at.is_some() => {
                    return Ok(Some(RunOutcome::AlreadyFinished));
                }
                // It has started, so it cannot be skipped.
                Some(_) => true,
            },
        };
        if waits {
            // A new message, since polls must not count as deliveries of this one.
            self.queue().send_after([occurrence], POLL_INTERVAL).await?;
            return Ok(Some(RunOutcome::Waiting));
        }
        info!(
            job.id = %occurrence.job, due_at = %occurrence.due_at,
            "Run skipped: another run of the job is live"
        );
        metrics::counter!("RunsSkipped").increment(1);
        Ok(Some(RunOutcome::Skipped))
    }

    /// Ends a run that has started and is not finished. A message that arrives before its next
    /// attempt is due is delivered again then, since no other message would end the run.
    async fn end_revoked_run(
        &self,
        occurrence: &Occurrence,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        if self.runs.run(occurrence).await?.is_none_or(|run| run.finished_at.is_some()) {
            return Ok(RunOutcome::Revoked);
        }
        match self.runs.claim(occurrence, now).await? {
            Claim::Acquired(fence) => {
                let lease = self.runs.guard(occurrence, fence, Clock::starting(now));
                lease.finish(&Outcome::Failed(TAKEN_BACK.to_owned()), FOREVER).await?.ok();
                self.slots.release(occurrence).await?;
                Ok(RunOutcome::Revoked)
            }
            Claim::Occupied(record) => match claimable_at(&record) {
                Some(at) => self.postpone(delivery, at, now).await,
                None => Ok(RunOutcome::Revoked),
            },
        }
    }

    async fn attempt(
        &self,
        job: &ScheduledJob,
        occurrence: &Occurrence,
        fence: Fence,
        delivery: &Delivery,
        context: ActionContext<'_>,
        clock: Clock,
    ) -> Result<RunOutcome, RunError> {
        let lease = self.runs.guard(occurrence, fence, clock);
        let attempt = Attempt { occurrence, name: job.name.as_ref(), now: clock.now() };
        let Ok(result) = lease.run_while_held(job.action.0.perform(attempt, context)).await else {
            return self.postpone_for_lease(delivery, clock).await;
        };
        let is_last = fence.number() >= self.settings.max_attempts.into();
        let (outcome, recorded) = match result {
            Ok(result) => (RunOutcome::Completed, Outcome::Done(result)),
            Err(Failure::Permanent(cause)) => (RunOutcome::Failed, Outcome::Failed(cause)),
            Err(Failure::Retryable { cause, .. }) if is_last => {
                (RunOutcome::Failed, Outcome::Failed(cause))
            }
            Err(Failure::Retryable { cause, retry_after }) => {
                let attempts = u32::try_from(fence.number()).unwrap_or(u32::MAX);
                let pause = backoff(attempts, retry_after, &mut fastrand::Rng::new());
                // The slot stays with this run until its next attempt.
                if job.overlap() != Overlap::Allow {
                    self.slots.acquire(occurrence, overlap::LEASE + pause, clock.now()).await?;
                }
                lease.finish(&Outcome::Failed(cause.clone()), pause).await?.ok();
                self.queue().postpone(delivery, pause).await?;
                return Err(RunError::AttemptFailed { cause, pause });
            }
        };
        if lease.finish(&recorded, FOREVER).await?.is_err() {
            return self.postpone_for_lease(delivery, clock).await;
        }
        report(occurrence, &recorded);
        self.release_slot(job, occurrence).await?;
        Ok(outcome)
    }

    async fn release_slot(
        &self,
        job: &ScheduledJob,
        occurrence: &Occurrence,
    ) -> Result<(), ServiceError> {
        if job.overlap() == Overlap::Allow { Ok(()) } else { self.slots.release(occurrence).await }
    }

    /// Has the message of a worker that lost its lease delivered again after the lease of the
    /// worker that holds the claim now.
    async fn postpone_for_lease(
        &self,
        delivery: &Delivery,
        clock: Clock,
    ) -> Result<RunOutcome, RunError> {
        self.postpone(delivery, clock.now().plus(run_store::LEASE), clock.now()).await
    }

    /// Has the message delivered again at a time.
    async fn postpone(
        &self,
        delivery: &Delivery,
        at: Timestamp,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        let pause = at.since(now);
        self.queue().postpone(delivery, pause).await?;
        Err(RunError::NotYet(pause))
    }
}

/// Returns when an occupied claim can be acquired; `None` if its run is finished.
fn claimable_at(record: &Record) -> Option<Timestamp> {
    match record {
        Record::Finished(completion)
            if is_final(completion.completed_at, completion.expires_at) =>
        {
            None
        }
        Record::Finished(completion) => Some(completion.expires_at),
        Record::Running { lease_until, .. } => Some(*lease_until),
    }
}

fn record_start(occurrence: &Occurrence, now: Timestamp) {
    let lag_ms = u32::try_from(now.since(occurrence.due_at).as_millis()).unwrap_or(u32::MAX);
    info!(job.id = %occurrence.job, due_at = %occurrence.due_at, lag_ms, "Run started");
    metrics::histogram!("ScheduleLagMs").record(lag_ms);
}

fn report(occurrence: &Occurrence, outcome: &Outcome) {
    match outcome {
        Outcome::Done(result) => {
            info!(job.id = %occurrence.job, run.id = %occurrence.run, result, "Run completed");
            metrics::counter!("RunsCompleted").increment(1);
        }
        Outcome::Failed(cause) => {
            warn!(job.id = %occurrence.job, run.id = %occurrence.run, cause, "Run failed");
            metrics::counter!("RunsFailed").increment(1);
        }
    }
}
