//! Messages that used up the attempts of their queue.

use tracing::error;

use super::{
    Settlement,
    job::{PlanRef, State},
    job_failure::JobFailure,
    message::Message,
    work::WorkError,
};
use crate::{aws::ServiceError, sqs::Delivery, time::Timestamp};

impl Settlement {
    /// Fails the settlement of a dead letter, if its work is still pending.
    ///
    /// An unreadable message names no settlement: it is logged, counted and dropped.
    pub async fn handle_dead_letter(
        &self,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let message: Message = match serde_json::from_str(&delivery.body) {
            Ok(message) => message,
            Err(cause) => {
                error!(%cause, bytes = delivery.body.len(), "Unreadable message dropped");
                metrics::counter!("UnreadableMessages").increment(1);
                return Ok(());
            }
        };
        let work = match &message {
            Message::Plan { .. } => "the plan".to_owned(),
            Message::Batch { batch, .. } => format!("batch {batch}"),
            Message::Finish { .. } => "the file".to_owned(),
        };
        let (job, run) = message.job_and_run();
        if self.is_pending(&message).await? {
            self.fail(job, run, &JobFailure::GivenUp { work }, now).await?;
        }
        Ok(())
    }

    /// Returns whether no other delivery has done the work of a message, and the settlement still
    /// needs it.
    async fn is_pending(&self, message: &Message) -> Result<bool, ServiceError> {
        let (id, _) = message.job_and_run();
        let Some(job) = self.store.job(id).await? else { return Ok(false) };
        Ok(match *message {
            Message::Plan { .. } => job.state == State::Queued,
            Message::Finish { plan, .. } => job.state == State::Finishing && job.plan == Some(plan),
            Message::Batch { plan, batch, .. } => {
                let plan = PlanRef { job: id, id: plan };
                job.is_running(plan) && self.store.pending(plan, batch).await?.is_some()
            }
        })
    }
}
