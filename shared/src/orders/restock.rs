//! Restocking: adds units to the lanes of a product, once per idempotency key.
//!
//! A transaction over all lanes needs all of them free at once, which they never are while the
//! product is in demand. So each conflict halves the number of lanes that the units are spread
//! over, down to one. Orders find them there.

use metrics::counter;
use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

use super::{
    Orders,
    product::Product,
    stock::{self, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, from_item, keys},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
    validated::Bounded,
};

/// The body of `POST /products/{id}/restock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStock {
    /// The number of units to add.
    pub quantity: Bounded<1, 1_000_000_000>,
}

/// The result of a restock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restocked {
    /// The product with its current stock.
    pub product: Product,
    /// An earlier request with the same key added the units.
    pub replayed: bool,
}

/// Why no stock was added.
#[derive(Debug, thiserror::Error)]
pub enum RestockError {
    /// No product has this id.
    #[error("product {0} does not exist")]
    ProductNotFound(u32),
    /// The idempotency key was used for another quantity.
    #[error("the idempotency key was used for another quantity")]
    KeyReused,
    /// Concurrent requests or throttling exhausted the retry budget.
    #[error("too many concurrent requests: retry")]
    Contended,
    /// The store failed; the units may have been added.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for RestockError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// The record of a restock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RestockRecord {
    id: Uuid,
    quantity: u32,
    created_at: Timestamp,
    /// The lanes that its units were deposited into.
    shares: Vec<Share>,
}

impl Orders {
    /// Adds units to a product.
    ///
    /// Instances that have the product cached as sold out keep refusing orders until the entry
    /// expires (`SOLD_OUT_CACHE_MS`).
    pub async fn restock(
        &self,
        product_id: u32,
        new: NewStock,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Restocked, RestockError> {
        let budget = RetryBudget::new(self.retry_budget);
        let definition =
            self.definition(product_id).await?.ok_or(RestockError::ProductNotFound(product_id))?;
        let id = request_id(&keys::product_partition(product_id), key, now);
        let quantity = new.quantity.get();
        let record = RestockRecord { id, quantity, created_at: now, shares: Vec::new() };
        let replayed = self.add(product_id, record, definition.lanes(), budget).await?;
        if !replayed {
            counter!("UnitsRestocked").increment(quantity.into());
        }
        info!(product.id = product_id, quantity, replayed, "Product restocked");
        let product = self
            .store
            .product(product_id)
            .await?
            .ok_or(RestockError::ProductNotFound(product_id))?;
        Ok(Restocked { product, replayed })
    }

    /// Adds the units, unless an earlier request with the same key did. Returns whether it did.
    async fn add(
        &self,
        product_id: u32,
        record: RestockRecord,
        lanes: u16,
        budget: RetryBudget,
    ) -> Result<bool, RestockError> {
        let attempt = |spread: u16, _| {
            let start = fastrand::u16(..lanes);
            let shares = stock::split(record.quantity, lanes, start, spread);
            let record = RestockRecord { shares, ..record.clone() };
            async move {
                Ok(match self.try_to_add(product_id, &record).await? {
                    Commit::Done => Attempt::Decided(Ok(false)),
                    Commit::AlreadyRecorded(existing) => {
                        let existing: RestockRecord = from_item(existing)?;
                        let is_same = existing.quantity == record.quantity;
                        let replayed = existing.created_at != record.created_at;
                        let result = is_same.then_some(replayed);
                        Attempt::Decided(result.ok_or(RestockError::KeyReused))
                    }
                    Commit::Conflict | Commit::ConditionFailed => {
                        Attempt::Retry(spread.div_ceil(2))
                    }
                })
            }
        };
        budget.retry(lanes, attempt).await
    }

    async fn try_to_add(
        &self,
        product: u32,
        record: &RestockRecord,
    ) -> Result<Commit, ServiceError> {
        let put = self.store.put_new(keys::restock(product, record.id), None, record)?;
        let deposits: Result<Vec<_>, _> =
            record.shares.iter().map(|&share| self.store.deposit(product, share)).collect();
        commit(&self.store.client, put, deposits?).await
    }
}
