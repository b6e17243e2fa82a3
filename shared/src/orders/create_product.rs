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
    dynamo::{Commit, commit, keys, read},
    idempotency::{IdempotencyKey, request_id},
    retry::{Attempt, Exhausted, RetryBudget},
    time::Timestamp,
};

/// A product that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// As it is now.
    pub product: Product,
    /// It was created by an earlier request with the same key.
    pub replayed: bool,
}

/// Why no product was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The key names another product.
    #[error("the idempotency key was used for another product")]
    KeyReused,
    /// Others held the key, or the table was throttled, for longer than the budget.
    #[error("too many products at once")]
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

/// Which product a request made.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Made {
    product_id: u32,
}

impl Orders {
    /// Creates a product with its stock.
    pub async fn create_product(
        &self,
        new: NewProduct,
        key: Option<&IdempotencyKey>,
        now: Timestamp,
    ) -> Result<Created, CreateError> {
        let budget = RetryBudget::new(self.retry_budget);
        let id = self.store.next_product_id().await?;
        let definition = Definition { id, product: new, created_at: now };
        let request = request_id("product", key, now);
        let attempt = |(), _| async {
            Ok(match self.try_to_create(&definition, request).await? {
                Commit::Done => Attempt::Decided(Ok(None)),
                Commit::AlreadyRecorded(stored) => {
                    let Made { product_id } = read(stored)?;
                    Attempt::Decided(Ok(Some(product_id)))
                }
                Commit::Conflict | Commit::ConditionFailed => Attempt::Retry(()),
            })
        };
        let replayed: Result<_, CreateError> = budget.retry((), attempt).await;
        if let Some(product_id) = replayed? {
            return self.created_before(&definition, product_id).await;
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
        let units = stock::split(product.stock.get(), lanes, 0, lanes);
        let in_lane = |lane| {
            units.iter().find(|share| share.lane == lane).map_or(0, |&Share { units, .. }| units)
        };
        let listed = Some(keys::listed_product(*id));
        let lanes = (0..lanes).map(|lane| self.store.put_lane(*id, lane, in_lane(lane).into()));
        let rest: Result<Vec<_>, _> =
            std::iter::once(self.store.put_new(keys::product(*id), listed, definition))
                .chain(lanes)
                .collect();
        let record =
            self.store.put_new(keys::product_key(request), None, &Made { product_id: *id })?;
        commit(&self.store.client, record, rest?).await
    }

    async fn created_before(
        &self,
        asked: &Definition,
        product_id: u32,
    ) -> Result<Created, CreateError> {
        let before =
            self.definition(product_id).await?.filter(|before| before.product == asked.product);
        let product = self.store.product(product_id).await?;
        let replayed = product_id != asked.id;
        before
            .and(product)
            .map(|product| Created { product, replayed })
            .ok_or(CreateError::KeyReused)
    }
}
