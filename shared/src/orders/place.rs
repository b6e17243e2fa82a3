//! Placing orders.

use metrics::counter;
use tracing::info;

use super::{
    Orders,
    order::{NewOrder, Order, OrderRecord},
    stock::{self, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, from_item},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// The scope of operators' idempotency keys. No buyer has this id, since ids have no line breaks.
const OPERATORS: &str = "operators\n";

/// The result of a request for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The order as it is stored.
    pub order: Order,
    /// An earlier request with the same key placed it.
    pub replayed: bool,
}

/// Why no order was placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// No product has this id.
    #[error("product {0} does not exist")]
    ProductNotFound(u32),
    /// Fewer units are left than the order needs.
    #[error("insufficient stock")]
    OutOfStock,
    /// The idempotency key was used for an order with another body.
    #[error("the idempotency key was used for another order")]
    KeyReused,
    /// Concurrent requests or throttling exhausted the retry budget.
    #[error("too many concurrent requests: retry")]
    Contended,
    /// The store failed; an order may have been placed.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for PlaceError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

impl Orders {
    /// Places an order, once per idempotency key and its caller: all operators, or the buyer.
    ///
    /// With a cached product and without contention this is one transaction and no other call.
    pub async fn place(
        &self,
        new: NewOrder,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Placed, PlaceError> {
        let budget = RetryBudget::new(self.retry_budget);
        // Held until the answer. Nothing closes the semaphore, so there is no error.
        let _turn = self.turns.acquire().await;
        let product_id = new.product_id.get();
        let product =
            self.definition(product_id).await?.ok_or(PlaceError::ProductNotFound(product_id))?;
        let is_of_operator = key.is_some_and(IdempotencyKey::is_of_operator);
        let scope = if is_of_operator { OPERATORS } else { new.buyer_id.as_ref() };
        let id = request_id(scope, key, now);
        let record = OrderRecord::new(&product, new, id, now);

        if self.cache.is_sold_out(product.id, record.order.quantity, now) {
            return self.refuse(&record, key.is_some()).await;
        }
        let placed = self.sell(record, product.lanes(), key.is_some(), budget).await?;
        if !placed.replayed {
            counter!("OrdersPlaced").increment(1);
            counter!("UnitsSold").increment(placed.order.quantity.into());
        }
        info!(order.id = %placed.order.id, replayed = placed.replayed, "Order placed");
        Ok(placed)
    }

    /// Withdraws the units from a random lane and, if that one is short, from those that have them.
    ///
    /// The order may exist without this attempt knowing: placed by another request with the same
    /// key, or by an earlier attempt whose reply was lost. So it is read once more before it is
    /// refused.
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
                    Commit::AlreadyRecorded(existing) => {
                        Attempt::Decided(replay(&record, from_item(existing)?))
                    }
                    Commit::ConditionFailed => {
                        if let Some(shares) = self.find_shares(&record.order, lanes).await? {
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

    async fn try_to_sell(&self, record: &OrderRecord) -> Result<Commit, ServiceError> {
        let product_id = record.order.product_id;
        let withdrawals = record.shares.iter().map(|&share| self.store.withdraw(product_id, share));
        let payment = self.store.put_entry(&record.entry());
        let rest: Result<Vec<_>, _> = std::iter::once(payment).chain(withdrawals).collect();
        commit(&self.store.client, self.store.put_order(record)?, rest?).await
    }

    /// Reads all lanes, after one was short, and chooses those to withdraw the order's units from.
    /// `None`: all lanes together have too few.
    async fn find_shares(
        &self,
        order: &Order,
        lanes: u16,
    ) -> Result<Option<Vec<Share>>, ServiceError> {
        let levels = self.store.levels(order.product_id).await?;
        let shares = stock::withdraw(&levels, order.quantity, fastrand::u16(..lanes));
        if shares.is_none() {
            let left = stock::sum(&levels);
            self.cache.insert_sold_out(order.product_id, left, order.created_at);
        }
        Ok(shares)
    }

    /// Refuses an order for which too few units are left. If it may exist nevertheless, it is read
    /// first, and an existing order is returned.
    async fn refuse(&self, record: &OrderRecord, may_exist: bool) -> Result<Placed, PlaceError> {
        let id = record.order.id;
        let existing = if may_exist { self.store.order_record(id).await? } else { None };
        if let Some(existing) = existing {
            return replay(record, existing);
        }
        counter!("OrdersRefused").increment(1);
        Err(PlaceError::OutOfStock)
    }
}

/// Returns an order that exists already: placed by an earlier request, or by an earlier attempt of
/// this one whose reply was lost.
fn replay(record: &OrderRecord, existing: OrderRecord) -> Result<Placed, PlaceError> {
    if !record.is_same_request(&existing.order) {
        return Err(PlaceError::KeyReused);
    }
    // Of two requests of the same millisecond with one key, each may report that it placed the one
    // order.
    let replayed = existing.order.created_at != record.order.created_at;
    Ok(Placed { order: existing.order, replayed })
}

#[cfg(test)]
mod tests {
    use super::OPERATORS;
    use crate::{
        idempotency::{IdempotencyKey, request_id},
        time::Timestamp,
        validated::Text,
    };

    #[test]
    fn no_buyer_shares_the_keys_of_operators() {
        assert!(Text::<128>::try_from(OPERATORS.to_owned()).is_err());
        let key = IdempotencyKey::try_from(&b"k"[..]).expect("a key");
        let id = request_id(OPERATORS, Some(&key), Timestamp::from_millis(0));
        // Stored data depends on this: with another derivation a retried order would be placed
        // again.
        assert_eq!(id.to_string(), "a65a9f6c-640f-8d1a-a304-f9dcccb80c35");
    }
}
