//! What the workers share: how a message is read, how its work ends, and when it comes again.

use tracing::{error, info, warn};

use super::{
    Settlement,
    batches::PlanRef,
    job::{JobId, State},
    job_failure::JobFailure,
    message::Message,
    store::TransitionOutcome,
    transition::Transition,
};
use crate::{
    aws::ServiceError,
    sqs::{Delivery, Queue},
    time::Timestamp,
};

/// Why a message is to come again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It says nothing that this release understands.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is for another worker.
    #[error("the message is in the wrong queue")]
    Misplaced,
    /// Its time has not come.
    #[error("the ledger is not complete before {0}")]
    TooEarly(Timestamp),
    /// Another delivery of the same message is at work on the same items.
    #[error("another worker holds the batch")]
    Contended,
    /// A service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// How work ends that did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkOutcome {
    /// It cannot be done, however often it is tried.
    #[error(transparent)]
    JobFailure(#[from] JobFailure),
    /// It may be done later.
    #[error(transparent)]
    Later(#[from] WorkError),
    /// It is not wanted any more, or another does it.
    #[error("nobody wants it any more")]
    Unwanted,
}

impl From<ServiceError> for WorkOutcome {
    fn from(failure: ServiceError) -> Self {
        Self::Later(failure.into())
    }
}

impl Settlement {
    /// What is done about work that ended: a defect fails its job, at once; what may be done later comes again after a pause that
    /// grows.
    pub(super) async fn conclude(
        &self,
        ended: Result<(), WorkOutcome>,
        message: &Message,
        (queue, delivery): (&Queue, &Delivery),
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let (job, run) = message.about();
        match ended {
            Ok(()) | Err(WorkOutcome::Unwanted) => Ok(()),
            Err(WorkOutcome::JobFailure(defect)) => Ok(self.fail(job, run, &defect, now).await?),
            Err(WorkOutcome::Later(failure)) => {
                // If this fails too, the message comes again when its visibility ends.
                if let Err(cause) = queue.retry_later(delivery, None).await {
                    warn!(%cause, "A message could not be postponed");
                }
                Err(failure)
            }
        }
    }

    /// Fails a run of a job, unless it is over or another run has begun.
    async fn fail(
        &self,
        job: JobId,
        run: u32,
        defect: &JobFailure,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let failure = defect.failure();
        let transition = Transition::Fail { run, failure: failure.clone() };
        if let TransitionOutcome::Applied(_) = self.store.transition(job, &transition, now).await? {
            error!(job.id = %job, failure.code, failure.message, "Settlement failed");
            metrics::counter!("SettlementsFailed").increment(1);
            if defect.is_mismatch() {
                metrics::counter!("ControlTotalMismatches").increment(1);
            }
        }
        Ok(())
    }

    /// Sends one message for each batch of the plan that is left, page by page.
    pub(super) async fn dispatch(&self, plan: PlanRef, run: u32) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let (left, last) = self.store.todos(plan, after).await?;
            let message = |batch| Message::Batch { job: plan.job, run, plan: plan.id, batch };
            self.batches().send(left.into_iter().map(message)).await?;
            if last.is_none() {
                return Ok(());
            }
            after = last;
        }
    }

    /// If no batch of a running plan is left, has it finished. Two that see this at the same time send twice, which is harmless.
    pub(super) async fn finish_if_last(
        &self,
        plan: PlanRef,
        run: u32,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        if self.store.is_any_left(plan).await? {
            return Ok(());
        }
        let transition = Transition::Finish { plan: plan.id };
        match self.store.transition(plan.job, &transition, now).await? {
            TransitionOutcome::Applied(job) => info!(job.id = %job.id, "All batches are summed"),
            // Perhaps it was we: the reply may have been lost.
            TransitionOutcome::Rejected(job)
                if job.state == transition.to() && job.plan == Some(plan.id) => {}
            TransitionOutcome::Rejected(_) | TransitionOutcome::NotFound => return Ok(()),
        }
        self.finishes().send([Message::Finish { job: plan.job, run, plan: plan.id }]).await
    }

    /// A message that was tried as often as its queue allows, and is given up: if its work is still to be done, its job fails.
    ///
    /// What cannot be read names no job. It is logged, and nothing else can be done with it.
    pub async fn handle_dead_letter(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let message: Message = match serde_json::from_str(&delivery.body) {
            Ok(message) => message,
            Err(cause) => {
                error!(%cause, bytes = delivery.body.len(), "A message that nobody can read was given up");
                metrics::counter!("UnreadableMessages").increment(1);
                return Ok(());
            }
        };
        let work = match &message {
            Message::Plan { .. } => "the plan".to_owned(),
            Message::Batch { batch, .. } => format!("batch {batch}"),
            Message::Finish { .. } => "the file".to_owned(),
        };
        let (job, run) = message.about();
        if self.is_due(&message).await? {
            self.fail(job, run, &JobFailure::GivenUp { work }, now).await?;
        }
        Ok(())
    }

    /// No other delivery has done it, and nobody has stopped it.
    async fn is_due(&self, message: &Message) -> Result<bool, ServiceError> {
        let (id, _) = message.about();
        let Some(job) = self.store.job(id).await? else { return Ok(false) };
        Ok(match *message {
            Message::Plan { .. } => job.state == State::Queued,
            Message::Finish { plan, .. } => job.state == State::Finishing && job.plan == Some(plan),
            Message::Batch { plan, batch, .. } => {
                let plan = PlanRef { job: id, id: plan };
                job.is_running(plan) && self.store.todo(plan, batch).await?.is_some()
            }
        })
    }
}
