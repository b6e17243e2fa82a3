//! Orders: **a unit of stock is sold once**. Never oversold, no order lost, no unit lost.
//!
//! An order is one transaction: units leave the product's lanes, the order is put, and its payment enters the ledger, all or
//! nothing, so there is nothing to repair. The order is its own idempotency record: with an idempotency key its id is derived
//! from buyer and key, and the put's condition is that it does not exist, so a request that comes twice, at once or after a
//! year, finds the one order.
//!
//! Not covered: a request without a key whose reply was lost past every retry. Its order may stand, and its caller cannot
//! know; callers who must know send a key.

mod cache;
mod cancel;
mod create_product;
mod order;
mod place;
mod product;
mod queries;
mod restock;
pub mod stock;
mod store;

use std::time::Duration;

use aws_sdk_dynamodb::Client;

use self::{cache::Cache, store::Store};
use crate::{
    aws::ServiceError,
    env::{VariableError, Variables},
};

pub use cancel::CancelError;
pub use create_product::{CreateError, Created};
pub use order::{NewOrder, Order, OrderWithProduct, ProductSummary, Status};
pub use place::{PlaceError, Placed};
pub use product::{NewProduct, Product, ProductId};
pub use queries::{Cursor, From, Offset, Page};
pub use restock::{NewStock, RestockError, Restocked};

/// Where orders are kept and how hard they try.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Orders`.
    pub orders_table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// How long a write retries against contention.
    pub retry_budget: Duration,
    /// How long an instance remembers that a product is sold out.
    pub sold_out_cache: Duration,
}

impl Settings {
    /// Reads `ORDERS_TABLE`, `LEDGER_TABLE`, `ORDER_RETRY_BUDGET_MS` and `SOLD_OUT_CACHE_MS`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        Ok(Self {
            orders_table: variables.required("ORDERS_TABLE")?,
            ledger_table: variables.required("LEDGER_TABLE")?,
            retry_budget: variables.millis("ORDER_RETRY_BUDGET_MS", 3_000, 100..=8_000)?,
            sold_out_cache: variables.millis("SOLD_OUT_CACHE_MS", 1_000, 0..=60_000)?,
        })
    }
}

/// Products and orders.
#[derive(Debug)]
pub struct Orders {
    store: Store,
    cache: Cache,
    retry_budget: Duration,
}

impl Orders {
    /// Orders in these tables, with an empty memory.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        let Settings { orders_table, ledger_table, retry_budget, sold_out_cache } = settings;
        Self {
            store: Store { client, orders: orders_table, ledger: ledger_table },
            cache: Cache::new(sold_out_cache),
            retry_budget,
        }
    }

    /// One cheap call, so that the connection stands and TLS is set up before the first request.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.store.definition(0).await.map(|_| ())
    }

    /// What the product is, from memory or with one read.
    async fn definition(&self, id: u32) -> Result<Option<product::Definition>, ServiceError> {
        if let Some(known) = self.cache.definition(id) {
            return Ok(Some(known));
        }
        let read = self.store.definition(id).await?;
        if let Some(definition) = &read {
            self.cache.learn(definition);
        }
        Ok(read)
    }
}
