//! Cancelling an order: its units return to the lanes that gave them, and its payment is reversed, once.

use metrics::counter;
use tracing::info;
use uuid::Uuid;

use super::{
    Orders,
    order::{Order, OrderRecord, Status},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, read},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// Why an order is not cancelled.
#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    /// No order has this id.
    #[error("order {0} does not exist")]
    OrderNotFound(Uuid),
    /// Others held the stock for longer than the budget.
    #[error("too many changes at once")]
    Contended,
    /// The store failed; the order may be cancelled.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for CancelError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

impl Orders {
    /// Cancels an order; cancelled before, it is answered as it stands.
    pub async fn cancel(&self, id: Uuid, now: Timestamp) -> Result<Order, CancelError> {
        let budget = RetryBudget::new(self.retry_budget);
        let record = self.store.sale(id).await?.ok_or(CancelError::OrderNotFound(id))?;
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
                // Another request has cancelled it.
                Commit::AlreadyRecorded(stored) => {
                    Attempt::Decided(Ok(read::<OrderRecord>(stored)?.order))
                }
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        budget.retry((), attempt).await
    }

    async fn try_to_cancel(
        &self,
        sale: &OrderRecord,
        now: Timestamp,
    ) -> Result<Commit, ServiceError> {
        let returned =
            sale.shares.iter().map(|&share| self.store.give(sale.order.product_id, share));
        let reversal = self.store.put_entry(&sale.entry().reversed(now));
        let rest: Result<Vec<_>, _> = std::iter::once(reversal).chain(returned).collect();
        commit(&self.store.client, self.store.cancel_sale(sale.order.id, now)?, rest?).await
    }
}
