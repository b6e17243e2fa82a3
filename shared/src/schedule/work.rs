//! Doing an occurrence: whoever gets its message claims it, does the action, and records what has come of it.
//!
//! The run takes its job's turn first, where runs must not overlap, and then the claim; it gives both back in the other order. What it finds
//! instead tells what becomes of the message:
//!
//! | found | the message |
//! |---|---|
//! | the job is gone, paused, or of another generation | is done: the occurrence is nobody's; a run that has begun is ended first |
//! | the occurrence is finished | is done |
//! | another delivery is at work on it, or it is to be tried later | comes again then |
//! | another run is live | is done, and the run recorded as skipped; or it waits its turn |

use std::time::Duration;

use tracing::{info, warn};

use super::{
    Schedules,
    action::{ActionContext, Attempt, Failed},
    job::ScheduledJob,
    overlap::{self, POLL, Slot},
    run::{FOREVER, Occurrence, is_for_good},
    runs,
    when::Overlap,
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Fence, Outcome, Record},
    sqs::{Delivery, backoff},
    time::{Clock, Timestamp},
};

/// Why a run was not done: its job has another that is not finished.
const OVERLAP: &str = "OVERLAP: another run of the job was live";

/// Why a run is not tried again.
const TAKEN_BACK: &str = "TAKEN_BACK: the job was paused or changed before it could be tried again";

/// Why a message is to come again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It says nothing that this release understands.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// Another delivery is at work on the occurrence, or it is not its time.
    #[error("another delivery is at work on it, or it is to be tried later: it comes again in {} s", .0.as_secs())]
    NotYet(Duration),
    /// The action has failed.
    #[error("{cause}; it is tried again in {} s", pause.as_secs())]
    Failed {
        /// In a line.
        cause: String,
        /// When.
        pause: Duration,
    },
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// What has become of an occurrence whose message is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunOutcome {
    /// Its action is done, by this delivery.
    Completed,
    /// Its action has failed for good.
    Failed,
    /// It was finished before.
    Before,
    /// Its job does not want it any more.
    Unwanted,
    /// Another run of its job is live.
    Skipped,
    /// Another run of its job is live; a new message comes for it.
    Waits,
}

impl Schedules {
    /// Does what a message says, if nobody has.
    pub async fn run(
        &self,
        delivery: &Delivery,
        reach: ActionContext<'_>,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        let occurrence: Occurrence = serde_json::from_str(&delivery.body)?;
        let clock = Clock::starting(now);
        let Some(job) =
            self.store.job(occurrence.job).await?.filter(|job| occurrence.is_current(job))
        else {
            info!(job.id = %occurrence.job, due_at = %occurrence.due_at, "An occurrence is not wanted any more");
            return self.take_back(&occurrence, delivery, now).await;
        };
        if let Some(left) = self.wait_for_turn(&occurrence, job.overlap(), now).await? {
            return Ok(left);
        }
        match self.runs.claim(&occurrence, now).await? {
            Claim::Acquired(fence) => {
                if fence.number() == 1 {
                    meter_lag(&occurrence, now);
                }
                Box::pin(self.attempt(&job, &occurrence, fence, delivery, reach, clock)).await
            }
            Claim::Occupied(Record::Finished(finished))
                if is_for_good(finished.completed_at, finished.expires_at) =>
            {
                self.give_turn_back(&job, &occurrence).await?;
                Ok(RunOutcome::Before)
            }
            Claim::Occupied(Record::Finished(finished)) => {
                self.come_again(delivery, finished.expires_at, now).await
            }
            Claim::Occupied(Record::Running { lease_until, .. }) => {
                self.come_again(delivery, lease_until, now).await
            }
        }
    }

    /// Takes the job's turn where runs must not overlap; what becomes of the message where there is none to be had.
    async fn wait_for_turn(
        &self,
        occurrence: &Occurrence,
        overlap: Overlap,
        now: Timestamp,
    ) -> Result<Option<RunOutcome>, RunError> {
        let turn = match overlap {
            Overlap::Allow => Slot::Mine,
            Overlap::Skip => self.live.hold(occurrence, overlap::LEASE, now).await?,
            Overlap::QueueOne => self.live.queue(occurrence, overlap::LEASE, now).await?,
        };
        let begun = match turn {
            Slot::Mine => return Ok(None),
            Slot::Waits => true,
            Slot::Taken => match self.runs.skip(occurrence, OVERLAP, now).await? {
                None => false,
                Some(run) if run.finished_at.is_some() => return Ok(Some(RunOutcome::Before)),
                Some(_) => true,
            },
        };
        if begun {
            // A message of its own: how often this one was delivered tells nothing of the action.
            self.queue().send_after([occurrence], POLL).await?;
            return Ok(Some(RunOutcome::Waits));
        }
        info!(job.id = %occurrence.job, due_at = %occurrence.due_at, "Another run of the job is live: skipped this one");
        metrics::counter!("RunsSkipped").increment(1);
        Ok(Some(RunOutcome::Skipped))
    }

    /// Ends a run that has begun and is not over. A message that comes before its time comes again then: no other would end the run.
    async fn take_back(
        &self,
        occurrence: &Occurrence,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<RunOutcome, RunError> {
        if self.runs.run(occurrence).await?.is_none_or(|run| run.finished_at.is_some()) {
            return Ok(RunOutcome::Unwanted);
        }
        match self.runs.claim(occurrence, now).await? {
            Claim::Acquired(fence) => {
                let held = self.runs.hold(occurrence, fence, Clock::starting(now));
                held.finish(&Outcome::Failed(TAKEN_BACK.to_owned()), FOREVER).await?.ok();
                self.live.release(occurrence).await?;
                Ok(RunOutcome::Unwanted)
            }
            Claim::Occupied(Record::Finished(finished))
                if is_for_good(finished.completed_at, finished.expires_at) =>
            {
                Ok(RunOutcome::Unwanted)
            }
            Claim::Occupied(Record::Finished(finished)) => {
                self.come_again(delivery, finished.expires_at, now).await
            }
            Claim::Occupied(Record::Running { lease_until, .. }) => {
                self.come_again(delivery, lease_until, now).await
            }
        }
    }

    async fn attempt(
        &self,
        job: &ScheduledJob,
        occurrence: &Occurrence,
        fence: Fence,
        delivery: &Delivery,
        reach: ActionContext<'_>,
        clock: Clock,
    ) -> Result<RunOutcome, RunError> {
        let held = self.runs.hold(occurrence, fence, clock);
        let attempt = Attempt { occurrence, name: job.name.as_ref(), now: clock.now() };
        let Ok(done) = held.run_while_held(job.action.0.perform(attempt, reach)).await else {
            return self.come_again(delivery, clock.now().plus(runs::LEASE), clock.now()).await;
        };
        let last = fence.number() >= self.settings.max_attempts.into();
        let (left, outcome) = match done {
            Ok(result) => (RunOutcome::Completed, Outcome::Done(result)),
            Err(Failed::ForGood(cause)) => (RunOutcome::Failed, Outcome::Failed(cause)),
            Err(Failed::ForNow { cause, .. }) if last => {
                (RunOutcome::Failed, Outcome::Failed(cause))
            }
            Err(Failed::ForNow { cause, pause: at_least }) => {
                let attempts = u32::try_from(fence.number()).unwrap_or(u32::MAX);
                let pause = backoff(attempts, at_least, &mut fastrand::Rng::new());
                // Its turn outlasts the pause: the next attempt finds it held by itself.
                if job.overlap() != Overlap::Allow {
                    self.live.hold(occurrence, overlap::LEASE + pause, clock.now()).await?;
                }
                held.finish(&Outcome::Failed(cause.clone()), pause).await?.ok();
                self.queue().postpone(delivery, pause).await?;
                return Err(RunError::Failed { cause, pause });
            }
        };
        if held.finish(&outcome, FOREVER).await?.is_err() {
            return self.come_again(delivery, clock.now().plus(runs::LEASE), clock.now()).await;
        }
        report(occurrence, &outcome);
        self.give_turn_back(job, occurrence).await?;
        Ok(left)
    }

    async fn give_turn_back(
        &self,
        job: &ScheduledJob,
        occurrence: &Occurrence,
    ) -> Result<(), ServiceError> {
        if job.overlap() == Overlap::Allow { Ok(()) } else { self.live.release(occurrence).await }
    }

    async fn come_again(
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

fn meter_lag(occurrence: &Occurrence, now: Timestamp) {
    let lag_ms = u32::try_from(now.since(occurrence.due_at).as_millis()).unwrap_or(u32::MAX);
    info!(job.id = %occurrence.job, due_at = %occurrence.due_at, lag_ms, "Began a run");
    metrics::histogram!("ScheduleLagMs").record(lag_ms);
}

fn report(occurrence: &Occurrence, outcome: &Outcome) {
    match outcome {
        Outcome::Done(result) => {
            info!(job.id = %occurrence.job, run.id = %occurrence.run, result, "Completed a run");
            metrics::counter!("RunsCompleted").increment(1);
        }
        Outcome::Failed(cause) => {
            warn!(job.id = %occurrence.job, run.id = %occurrence.run, cause, "A run has failed");
            metrics::counter!("RunsFailed").increment(1);
        }
    }
}
