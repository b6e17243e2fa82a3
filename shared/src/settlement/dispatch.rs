//! Sending messages to the workers. A message that is sent twice is harmless.

use tracing::{info, warn};

use super::{
    Settlement,
    job::{Job, PlanRef},
    message::Message,
    transition::{Transition, TransitionOutcome},
};
use crate::{aws::ServiceError, time::Timestamp};

impl Settlement {
    /// Sends the plan message of a recorded settlement. If that fails, `settlement-recover` sends
    /// it later.
    pub(super) async fn request_plan(&self, job: &Job, now: Timestamp) {
        if let Err(cause) = self.send_plan(job, now).await {
            warn!(job.id = %job.id, %cause, "Plan message not sent");
        }
    }

    /// Sends the plan message, delayed until the ledger is complete.
    pub(super) async fn send_plan(&self, job: &Job, now: Timestamp) -> Result<(), ServiceError> {
        let not_before = job.ledger_complete_at();
        let message = Message::Plan { job: job.id, run: job.run, not_before };
        self.plan_queue().send_after([message], not_before.since(now)).await
    }

    /// Sends one message for each pending batch of a plan, page by page.
    pub(super) async fn send_pending_batches(
        &self,
        plan: PlanRef,
        run: u32,
    ) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let (pending, last) = self.store.pending_page(plan, after).await?;
            let message = |batch| Message::Batch { job: plan.job, run, plan: plan.id, batch };
            self.batch_queue().send(pending.into_iter().map(message)).await?;
            if last.is_none() {
                return Ok(());
            }
            after = last;
        }
    }

    /// If no batch of a running plan is pending, moves the settlement to FINISHING and sends the
    /// finish message. Workers that do so concurrently send several.
    pub(super) async fn finish_if_none_pending(
        &self,
        plan: PlanRef,
        run: u32,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        if self.store.has_pending(plan).await? {
            return Ok(());
        }
        let transition = Transition::Finish { plan: plan.id };
        match self.store.transition(plan.job, &transition, now).await? {
            TransitionOutcome::Applied(job) => info!(job.id = %job.id, "Settlement batches summed"),
            // The transition may have been ours: its reply may have been lost.
            TransitionOutcome::Rejected(job)
                if job.state == transition.to() && job.plan == Some(plan.id) => {}
            TransitionOutcome::Rejected(_) | TransitionOutcome::NotFound => return Ok(()),
        }
        self.send_finish(plan, run).await
    }

    /// Sends the finish message.
    pub(super) async fn send_finish(&self, plan: PlanRef, run: u32) -> Result<(), ServiceError> {
        self.finish_queue().send([Message::Finish { job: plan.job, run, plan: plan.id }]).await
    }
}
