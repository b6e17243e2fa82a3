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
    retry::{Exhausted, RetryBudget},
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
        let mut budget = RetryBudget::new(self.retry_budget);
        let mut sale = self.store.sale(id).await?.ok_or(CancelError::OrderNotFound(id))?;
        while sale.order.status == Status::Confirmed {
            match self.try_to_cancel(&sale, now).await {
                Ok(Commit::Done) => {
                    sale.order.status = Status::Cancelled;
                    sale.order.updated_at = now;
                    counter!("OrdersCancelled").increment(1);
                    info!(order.id = %id, "Cancelled order");
                }
                Ok(Commit::AlreadyRecorded(stored)) => sale = read(stored)?,
                Ok(Commit::Conflict | Commit::ConditionFailed) => budget.pause().await?,
                Err(error) if error.is_passing() => {
                    budget.pause().await.map_err(|Exhausted| error)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sale.order)
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
