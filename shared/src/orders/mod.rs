//! Orders: **a unit of stock is sold once**. Never oversold, no order lost, no unit lost.
//!
//! An order is one transaction: units are withdrawn from the product's lanes, the order is put, and
//! its payment is put into the ledger, all or nothing, so there is nothing to repair. The order is
//! its own idempotency record. With an idempotency key its id is derived from the key and its
//! caller ([`crate::idempotency`]), and it is put on the condition that it does not exist. So a
//! request that is sent twice, concurrently or a year later, finds the one order.
//!
//! Not covered: a request without a key whose reply was lost past every retry. Its order may exist,
//! and its caller cannot know; callers who must know send a key.
//!
//! | file | what it has |
//! |---|---|
//! | `product.rs`, `order.rs` | products and orders, as requested, stored and returned |
//! | [`stock`] | the arithmetic of stock lanes, pure |
//! | `place.rs`, `cancel.rs`, `restock.rs`, `create_product.rs` | the writes, each with its error |
//! | `queries.rs` | reads and lists |
//! | `token.rs` | the own tokens of orders |
//! | `store.rs` | items, and the parts of transactions |
//! | `cache.rs` | what an instance caches |

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
mod token;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use tokio::sync::Semaphore;

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
pub use queries::{Offset, OrderPlace, PageStart};
pub use restock::{NewStock, RestockError, Restocked};
pub use token::{InvalidTokenSecret, OrderToken, OrderTokens, TokenKeys};

/// Number of orders that a process tries at a time. Those that wait for their turn when their
/// product sells out are refused from the cache: in a storm of buyers most cost no call.
const CONCURRENT_ORDERS: usize = 64;

/// Configuration of orders.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Orders`.
    pub orders_table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// The time that a write may spend on retries.
    pub retry_budget: Duration,
    /// The time that an instance caches that a product is sold out.
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
    /// Turns of orders to be tried.
    turns: Semaphore,
}

impl Orders {
    /// Makes the orders of these tables, with an empty cache.
    #[must_use]
    pub fn new(client: Client, settings: Settings) -> Self {
        let Settings { orders_table, ledger_table, retry_budget, sold_out_cache } = settings;
        Self {
            store: Store { client, orders: orders_table, ledger: ledger_table },
            cache: Cache::new(sold_out_cache),
            retry_budget,
            turns: Semaphore::new(CONCURRENT_ORDERS),
        }
    }

    /// Makes one cheap call, so that the connection and its TLS session are established before the
    /// first request.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.store.definition(0).await.map(|_| ())
    }

    /// Returns a product from the cache, or reads it with one call.
    async fn definition(&self, id: u32) -> Result<Option<product::Definition>, ServiceError> {
        if let Some(cached) = self.cache.definition(id) {
            return Ok(Some(cached));
        }
        let stored = self.store.definition(id).await?;
        if let Some(definition) = &stored {
            self.cache.insert(definition);
        }
        Ok(stored)
    }
}
