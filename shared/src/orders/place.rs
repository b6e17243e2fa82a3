//! Placing an order.

use metrics::counter;
use tracing::info;

use super::{
    Orders,
    order::{NewOrder, Order, OrderRecord},
    stock::{self, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, read},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// An order that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// As it is stored.
    pub order: Order,
    /// It was placed by an earlier request with the same key.
    pub replayed: bool,
}

/// Why no order stands.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No product has this id.
    #[error("product {0} does not exist")]
    ProductNotFound(u32),
    /// Fewer units are left than were asked for.
    #[error("insufficient stock")]
    OutOfStock,
    /// The key names an order with another body.
    #[error("the idempotency key was used for another order")]
    KeyReused,
    /// Others held the stock for longer than the budget.
    #[error("too many buyers at once")]
    Contended,
    /// The store failed; an order may stand.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for PlaceError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

impl Orders {
    /// Sells the units, or says why not.
    ///
    /// With a known product and an unhurried lane this is one transaction and nothing else.
    pub async fn place(
        &self,
        new: NewOrder,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Placed, PlaceError> {
        let budget = RetryBudget::new(self.retry_budget);
        let product_id = new.product_id.get();
        let product =
            self.definition(product_id).await?.ok_or(PlaceError::ProductNotFound(product_id))?;
        let id = request_id(new.buyer_id.as_ref(), key, now);
        let sale = OrderRecord::new(&product, new, id, now);

        if self.cache.is_sold_out(product.id, sale.order.quantity) {
            return self.refuse(&sale, key.is_some()).await;
        }
        let placed = self.sell(sale, product.lanes(), key.is_some(), budget).await?;
        if !placed.replayed {
            counter!("OrdersPlaced").increment(1);
            counter!("UnitsSold").increment(placed.order.quantity.into());
        }
        info!(order.id = %placed.order.id, placed.replayed, "Placed order");
        Ok(placed)
    }

    /// Withdraws from one lane at random and, if that is short, from all of them.
    ///
    /// An order may be recorded without this attempt knowing: by another request with the same key,
    /// or by an earlier attempt whose reply was lost. So it is read once more before it is refused.
    async fn sell(
        &self,
        record: OrderRecord,
        lanes: u16,
        has_key: bool,
        budget: RetryBudget,
    ) -> Result<Placed, PlaceError> {
        let one_lane = |units| vec![Share { lane: fastrand::u16(..lanes), units }];
        let first = one_lane(record.order.quantity);
        let attempt = |shares, is_outcome_unknown| {
            let record = OrderRecord { shares, ..record.clone() };
            async move {
                Ok(match self.try_to_sell(&record).await? {
                    Commit::Done => {
                        Attempt::Decided(Ok(Placed { order: record.order, replayed: false }))
                    }
                    Commit::AlreadyRecorded(stored) => {
                        Attempt::Decided(replay(&record, read(stored)?))
                    }
                    Commit::ConditionFailed => {
                        if let Some(shares) = self.shares(&record.order, lanes).await? {
                            return Ok(Attempt::RetryNow(shares));
                        }
                        let may_exist = has_key || is_outcome_unknown;
                        Attempt::Decided(self.refuse(&record, may_exist).await)
                    }
                    Commit::Conflict => {
                        counter!("OrderConflicts").increment(1);
                        Attempt::Retry(one_lane(record.order.quantity))
                    }
                })
            }
        };
        budget.retry(first, attempt).await
    }

    async fn try_to_sell(&self, sale: &OrderRecord) -> Result<Commit, ServiceError> {
        let taken = sale.shares.iter().map(|&share| self.store.take(sale.order.product_id, share));
        let rest: Result<Vec<_>, _> =
            std::iter::once(self.store.put_entry(&sale.entry())).chain(taken).collect();
        commit(&self.store.client, self.store.put_sale(sale)?, rest?).await
    }

    /// From which lanes the order can be served, now that one was short. `None`: from all together it cannot.
    async fn shares(&self, order: &Order, lanes: u16) -> Result<Option<Vec<Share>>, ServiceError> {
        let levels = self.store.levels(order.product_id).await?;
        let shares = stock::take(&levels, order.quantity, fastrand::u16(..lanes));
        if shares.is_none() {
            self.cache.sold_out(order.product_id, stock::sum(&levels));
        }
        Ok(shares)
    }

    /// Too few units are left. Where the order may stand all the same, it wins.
    async fn refuse(&self, sale: &OrderRecord, doubtful: bool) -> Result<Placed, PlaceError> {
        let before = if doubtful { self.store.sale(sale.order.id).await? } else { None };
        if let Some(before) = before {
            return replay(sale, before);
        }
        counter!("OrdersRefused").increment(1);
        Err(PlaceError::OutOfStock)
    }
}

/// The order stands already: by an earlier request, or by an earlier try of this one whose reply was lost.
fn replay(sale: &OrderRecord, before: OrderRecord) -> Result<Placed, PlaceError> {
    if !sale.asks_the_same(&before.order) {
        return Err(PlaceError::KeyReused);
    }
    // Two requests of the same millisecond with one key may both believe that they placed it: both get the one order.
    let replayed = before.order.created_at != sale.order.created_at;
    Ok(Placed { order: before.order, replayed })
}
