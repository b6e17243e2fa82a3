//! Creating products.

use serde::{Deserialize, Serialize};
use tracing::info;
use uuid::Uuid;

use super::{
    Orders,
    product::{Definition, NewProduct, Product},
    stock::{self, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{Commit, commit, from_item, keys},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// The result of a creation request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The product with its current stock.
    pub product: Product,
    /// An earlier request with the same key created it.
    pub replayed: bool,
}

/// Why no product was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The idempotency key was used for another product.
    #[error("the idempotency key was used for another product")]
    KeyReused,
    /// Concurrent requests or throttling exhausted the retry budget.
    #[error("too many concurrent requests: retry")]
    Contended,
    /// The store failed; a product may have been created.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl From<Exhausted> for CreateError {
    fn from(Exhausted: Exhausted) -> Self {
        Self::Contended
    }
}

/// The record of a creation request: the product that it created.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct CreationRecord {
    product_id: u32,
}

impl Orders {
    /// Creates a product with its stock, once per merchant and idempotency key.
    pub async fn create_product(
        &self,
        new: NewProduct,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Created, CreateError> {
        let budget = RetryBudget::new(self.retry_budget);
        let id = self.store.next_product_id().await?;
        let request = request_id(&format!("product#{}", new.merchant_id), key, now);
        let definition = Definition { id, product: new, created_at: now };
        let attempt = |(), _| async {
            Ok(match self.try_to_create(&definition, request).await? {
                Commit::Done => Attempt::Decided(Ok(None)),
                Commit::AlreadyRecorded(existing) => {
                    let CreationRecord { product_id } = from_item(existing)?;
                    Attempt::Decided(Ok(Some(product_id)))
                }
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        let existing: Result<_, CreateError> = budget.retry((), attempt).await;
        if let Some(product_id) = existing? {
            return self.replay_creation(&definition, product_id).await;
        }
        info!(product.id = id, "Product created");
        let stock = definition.product.stock.get().into();
        Ok(Created { product: Product::new(definition, stock), replayed: false })
    }

    async fn try_to_create(
        &self,
        definition: &Definition,
        request: Uuid,
    ) -> Result<Commit, ServiceError> {
        let Definition { id, product, .. } = definition;
        let lanes = definition.lanes();
        let shares = stock::split(product.stock.get(), lanes, 0, lanes);
        let units_of = |lane| {
            shares.iter().find(|share| share.lane == lane).map_or(0, |&Share { units, .. }| units)
        };
        let recent = Some(keys::listed_product(*id));
        let lanes = (0..lanes).map(|lane| self.store.put_lane(*id, lane, units_of(lane).into()));
        let rest: Result<Vec<_>, _> =
            std::iter::once(self.store.put_new(keys::product(*id), recent, definition))
                .chain(lanes)
                .collect();
        let record = CreationRecord { product_id: *id };
        let record = self.store.put_new(keys::product_key(request), None, &record)?;
        commit(&self.store.client, record, rest?).await
    }

    /// Returns the product that an earlier request with the same key created, or that an earlier
    /// attempt of this request created and whose reply was lost.
    async fn replay_creation(
        &self,
        requested: &Definition,
        product_id: u32,
    ) -> Result<Created, CreateError> {
        let existing = self
            .definition(product_id)
            .await?
            .filter(|existing| existing.product == requested.product);
        let product = self.store.product(product_id).await?;
        let replayed = product_id != requested.id;
        existing
            .and(product)
            .map(|product| Created { product, replayed })
            .ok_or(CreateError::KeyReused)
    }
}
