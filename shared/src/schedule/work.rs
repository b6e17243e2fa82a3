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
    action::{Attempt, Failed, Reach},
    live::{self, POLL, Turn},
    run::{FOR_GOOD, Occurrence, is_for_good},
    runs,
    task::Task,
    when::Overlap,
};
use crate::{
    aws::ServiceError,
    claim::{Claimed, Fence, Outcome, Record},
    sqs::{Delivery, pause},
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
pub enum Left {
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
    pub async fn run(&self, delivery: &Delivery, reach: Reach<'_>, now: Timestamp) -> Result<Left, RunError> {
        let occurrence: Occurrence = serde_json::from_str(&delivery.body)?;
        let clock = Clock::starting(now);
        let Some(task) = self.store.task(occurrence.task).await?.filter(|task| occurrence.is_wanted(task)) else {
            info!(task.id = %occurrence.task, due_at = %occurrence.due_at, "An occurrence is not wanted any more");
            return self.take_back(&occurrence, delivery, now).await;
        };
        if let Some(left) = self.wait_for_turn(&occurrence, task.overlap(), now).await? {
            return Ok(left);
        }
        match self.runs.claim(&occurrence, now).await? {
            Claimed::Won(fence) => {
                if fence.number() == 1 {
                    meter_lag(&occurrence, now);
                }
                Box::pin(self.attempt(&task, &occurrence, fence, delivery, reach, clock)).await
            }
            Claimed::Stands(Record::Finished(finished)) if is_for_good(finished.completed_at, finished.expires_at) => {
                self.give_turn_back(&task, &occurrence).await?;
                Ok(Left::Before)
            }
            Claimed::Stands(Record::Finished(finished)) => self.come_again(delivery, finished.expires_at, now).await,
            Claimed::Stands(Record::Running { lease_until, .. }) => self.come_again(delivery, lease_until, now).await,
        }
    }

    /// Takes the job's turn where runs must not overlap; what becomes of the message where there is none to be had.
    async fn wait_for_turn(
        &self,
        occurrence: &Occurrence,
        overlap: Overlap,
        now: Timestamp,
    ) -> Result<Option<Left>, RunError> {
        let turn = match overlap {
            Overlap::Allow => Turn::Mine,
            Overlap::Skip => self.live.hold(occurrence, live::LEASE, now).await?,
            Overlap::QueueOne => self.live.queue(occurrence, live::LEASE, now).await?,
        };
        let begun = match turn {
            Turn::Mine => return Ok(None),
            Turn::Waits => true,
            Turn::Taken => match self.runs.skip(occurrence, OVERLAP, now).await? {
                None => false,
                Some(run) if run.finished_at.is_some() => return Ok(Some(Left::Before)),
                Some(_) => true,
            },
        };
        if begun {
            // A message of its own: how often this one was delivered tells nothing of the action.
            self.queue().send_after([occurrence], POLL).await?;
            return Ok(Some(Left::Waits));
        }
        info!(task.id = %occurrence.task, due_at = %occurrence.due_at, "Another run of the job is live: skipped this one");
        metrics::counter!("RunsSkipped").increment(1);
        Ok(Some(Left::Skipped))
    }

    /// Ends a run that has begun and is not over. A message that comes before its time comes again then: no other would end the run.
    async fn take_back(&self, occurrence: &Occurrence, delivery: &Delivery, now: Timestamp) -> Result<Left, RunError> {
        if self.runs.run(occurrence).await?.is_none_or(|run| run.finished_at.is_some()) {
            return Ok(Left::Unwanted);
        }
        match self.runs.claim(occurrence, now).await? {
            Claimed::Won(fence) => {
                let held = self.runs.hold(occurrence, fence, Clock::starting(now));
                held.finish(&Outcome::Failed(TAKEN_BACK.to_owned()), FOR_GOOD).await?.ok();
                self.live.release(occurrence).await?;
                Ok(Left::Unwanted)
            }
            Claimed::Stands(Record::Finished(finished)) if is_for_good(finished.completed_at, finished.expires_at) => {
                Ok(Left::Unwanted)
            }
            Claimed::Stands(Record::Finished(finished)) => self.come_again(delivery, finished.expires_at, now).await,
            Claimed::Stands(Record::Running { lease_until, .. }) => self.come_again(delivery, lease_until, now).await,
        }
    }

    async fn attempt(
        &self,
        task: &Task,
        occurrence: &Occurrence,
        fence: Fence,
        delivery: &Delivery,
        reach: Reach<'_>,
        clock: Clock,
    ) -> Result<Left, RunError> {
        let held = self.runs.hold(occurrence, fence, clock);
        let attempt = Attempt { occurrence, name: task.name.as_ref(), now: clock.now() };
        let Ok(done) = held.during(task.action.0.perform(attempt, reach)).await else {
            return self.come_again(delivery, clock.now().plus(runs::LEASE), clock.now()).await;
        };
        let last = fence.number() >= self.settings.tries.into();
        let (left, outcome) = match done {
            Ok(result) => (Left::Completed, Outcome::Done(result)),
            Err(Failed::ForGood(cause)) => (Left::Failed, Outcome::Failed(cause)),
            Err(Failed::ForNow { cause, .. }) if last => (Left::Failed, Outcome::Failed(cause)),
            Err(Failed::ForNow { cause, pause: at_least }) => {
                let attempts = u32::try_from(fence.number()).unwrap_or(u32::MAX);
                let pause = pause(attempts, at_least, &mut fastrand::Rng::new());
                // Its turn outlasts the pause: the next attempt finds it held by itself.
                if task.overlap() != Overlap::Allow {
                    self.live.hold(occurrence, live::LEASE + pause, clock.now()).await?;
                }
                held.finish(&Outcome::Failed(cause.clone()), pause).await?.ok();
                self.queue().postpone(delivery, pause).await?;
                return Err(RunError::Failed { cause, pause });
            }
        };
        if held.finish(&outcome, FOR_GOOD).await?.is_err() {
            return self.come_again(delivery, clock.now().plus(runs::LEASE), clock.now()).await;
        }
        report(occurrence, &outcome);
        self.give_turn_back(task, occurrence).await?;
        Ok(left)
    }

    async fn give_turn_back(&self, task: &Task, occurrence: &Occurrence) -> Result<(), ServiceError> {
        if task.overlap() == Overlap::Allow { Ok(()) } else { self.live.release(occurrence).await }
    }

    async fn come_again(&self, delivery: &Delivery, at: Timestamp, now: Timestamp) -> Result<Left, RunError> {
        let pause = at.since(now);
        self.queue().postpone(delivery, pause).await?;
        Err(RunError::NotYet(pause))
    }
}

fn meter_lag(occurrence: &Occurrence, now: Timestamp) {
    let lag_ms = u32::try_from(now.since(occurrence.due_at).as_millis()).unwrap_or(u32::MAX);
    info!(task.id = %occurrence.task, due_at = %occurrence.due_at, lag_ms, "Began a run");
    metrics::histogram!("ScheduleLagMs").record(lag_ms);
}

fn report(occurrence: &Occurrence, outcome: &Outcome) {
    match outcome {
        Outcome::Done(result) => {
            info!(task.id = %occurrence.task, run.id = %occurrence.run, result, "Completed a run");
            metrics::counter!("RunsCompleted").increment(1);
        }
        Outcome::Failed(cause) => {
            warn!(task.id = %occurrence.task, run.id = %occurrence.run, cause, "A run has failed");
            metrics::counter!("RunsFailed").increment(1);
        }
    }
}
