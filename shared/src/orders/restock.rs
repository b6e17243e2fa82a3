//! Adding stock: spread over the lanes, once per key.
//!
//! A transaction over all lanes has to meet them all free, which it never does while the product is in demand. So each
//! conflict halves the lanes that the units go to, down to one; orders find them there.

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
    dynamo::{Commit, commit, keys, read},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
    validated::Bounded,
};

/// `POST /products/{id}/restock`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStock {
    /// Units to add.
    pub quantity: Bounded<1, 1_000_000_000>,
}

/// The stock is in the lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restocked {
    /// The product as it is now.
    pub product: Product,
    /// It was added by an earlier request with the same key.
    pub replayed: bool,
}

/// Why no stock was added.
#[derive(Debug, thiserror::Error)]
pub enum RestockError {
    /// No product has this id.
    #[error("product {0} does not exist")]
    ProductNotFound(u32),
    /// The key names a restock of another quantity.
    #[error("the idempotency key was used for another quantity")]
    KeyReused,
    /// Others held the lanes for longer than the budget.
    #[error("too many buyers at once")]
    Contended,
    /// The store failed; the stock may have been added.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for RestockError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// A restock that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Restock {
    id: Uuid,
    quantity: u32,
    created_at: Timestamp,
    /// The lanes that got its units.
    shares: Vec<Share>,
}

impl Orders {
    /// Adds units to a product.
    ///
    /// Instances that remember the product as sold out go on refusing until they forget (`SOLD_OUT_MEMORY_MS`).
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
        let restock = Restock { id, quantity, created_at: now, shares: Vec::new() };
        let replayed = self.add(product_id, restock, definition.lanes(), budget).await?;
        if !replayed {
            counter!("UnitsRestocked").increment(quantity.into());
        }
        info!(product.id = product_id, quantity, replayed, "Restocked product");
        let product = self
            .store
            .product(product_id)
            .await?
            .ok_or(RestockError::ProductNotFound(product_id))?;
        Ok(Restocked { product, replayed })
    }

    /// Adds the units, unless this restock was there before: then `true`.
    async fn add(
        &self,
        product_id: u32,
        restock: Restock,
        lanes: u16,
        budget: RetryBudget,
    ) -> Result<bool, RestockError> {
        let attempt = |spread: u16, _| {
            let start = fastrand::u16(..lanes);
            let shares = stock::split(restock.quantity, lanes, start, spread);
            let restock = Restock { shares, ..restock.clone() };
            async move {
                Ok(match self.try_to_add(product_id, &restock).await? {
                    Commit::Done => Attempt::Decided(Ok(false)),
                    Commit::AlreadyRecorded(stored) => {
                        let before: Restock = read(stored)?;
                        let is_same = before.quantity == restock.quantity;
                        let replayed = before.created_at != restock.created_at;
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

    async fn try_to_add(&self, product: u32, restock: &Restock) -> Result<Commit, ServiceError> {
        let record = self.store.put_new(keys::restock(product, restock.id), None, restock)?;
        let given: Result<Vec<_>, _> =
            restock.shares.iter().map(|&share| self.store.give(product, share)).collect();
        commit(&self.store.client, record, given?).await
    }
}
