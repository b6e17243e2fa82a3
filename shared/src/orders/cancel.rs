//! Canceling orders: the units return to the lanes that they were withdrawn from, and the payment
//! is reversed, once.

use metrics::counter;
use tracing::info;
use uuid::Uuid;

use super::{
    Orders,
    order::{Order, OrderRecord, Status},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, from_item},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// Why an order was not canceled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No order has this id.
    #[error("order {0} does not exist")]
    OrderNotFound(Uuid),
    /// Concurrent requests or throttling exhausted the retry budget.
    #[error("too many concurrent requests: retry")]
    Contended,
    /// The store failed; the order may be canceled.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for CancelError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

impl Orders {
    /// Cancels an order and returns it. An order that is already canceled is returned unchanged.
    pub async fn cancel(&self, id: Uuid, now: Timestamp) -> Result<Order, CancelError> {
        let budget = RetryBudget::new(self.retry_budget);
        let record = self.store.order_record(id).await?.ok_or(CancelError::OrderNotFound(id))?;
        if record.order.status == Status::Cancelled {
            return Ok(record.order);
        }
        let attempt = |(), _| async {
            Ok(match self.try_to_cancel(&record, now).await? {
                Commit::Done => {
                    counter!("OrdersCancelled").increment(1);
                    info!(order.id = %id, "Order cancelled");
                    let order = record.order.clone();
                    let status = Status::Cancelled;
                    Attempt::Decided(Ok(Order { status, updated_at: now, ..order }))
                }
                // Another request canceled it.
                Commit::AlreadyRecorded(existing) => {
                    Attempt::Decided(Ok(from_item::<OrderRecord>(existing)?.order))
                }
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        budget.retry((), attempt).await
    }

    async fn try_to_cancel(
        &self,
        record: &OrderRecord,
        now: Timestamp,
    ) -> Result<Commit, ServiceError> {
        let Order { id, product_id, .. } = record.order;
        let deposits = record.shares.iter().map(|&share| self.store.deposit(product_id, share));
        let reversal = self.store.put_entry(&record.entry().reversed(now));
        let rest: Result<Vec<_>, _> = std::iter::once(reversal).chain(deposits).collect();
        commit(&self.store.client, self.store.cancel_order(id, now)?, rest?).await
    }
}
