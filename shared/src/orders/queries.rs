//! Reads of orders and products: one by its id, or a list page by page, newest first.
//!
//! A cursor has the sort key of the last row that was returned. So every page costs the same, and
//! new rows neither repeat nor hide others. An offset is counted from the newest row at each call:
//! it costs the rows that it skips, in every shard, and is therefore limited.

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Orders,
    order::{Order, OrderRecord, OrderWithProduct},
    product::{Product, ProductId},
};
use crate::{
    aws::ServiceError,
    cursor::{Limit, Page, Place},
    dynamo::{Item, from_item, keys, newest},
    validated::Bounded,
};

/// The number of products of a page whose stock is read concurrently.
const CONCURRENT_READS: usize = 16;

/// The number of newest orders that a page skips. Each costs its part of a read unit, in every
/// shard.
pub type Offset = Bounded<0, 1_000>;

/// The start of a page of orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageStart {
    /// After this number of newest rows.
    Offset(Offset),
    /// After the last row of an earlier page.
    After(OrderPlace),
}

impl PageStart {
    /// The newest order.
    pub const NEWEST: Self = Self::Offset(Offset::literal::<0>());
}

/// The position of an order in the list.
pub type OrderPlace = Place<Uuid>;

/// An order in the index.
#[derive(Deserialize)]
struct OrderRow {
    recent_sk: String,
    #[serde(flatten)]
    order: Order,
}

/// A product in the index.
#[derive(Deserialize)]
struct ListedProduct {
    id: ProductId,
}

impl Orders {
    /// Reads an order and its current product: two reads.
    pub async fn get(&self, id: Uuid) -> Result<Option<OrderWithProduct>, ServiceError> {
        let Some(OrderRecord { order, .. }) = self.store.order_record(id).await? else {
            return Ok(None);
        };
        let product = self.store.product(order.product_id).await?.map(Into::into);
        Ok(Some(OrderWithProduct { order, product }))
    }

    /// Reads a product with its stock: one read.
    pub async fn product(&self, id: u32) -> Result<Option<Product>, ServiceError> {
        self.store.product(id).await
    }

    /// Lists orders, newest first. The index is eventually consistent: an order is listed a moment
    /// after it was placed.
    ///
    /// A whole page is read from every shard, since all newest rows may be in one shard.
    pub async fn list(
        &self,
        limit: Limit,
        start: &PageStart,
    ) -> Result<Page<Order, OrderPlace>, ServiceError> {
        let (skip, before) = match start {
            PageStart::Offset(rows) => (rows.to_usize(), None),
            PageStart::After(place) => (0, Some(place.sort_key())),
        };
        let read_limit = skip + limit.to_usize() + 1;
        let shards = (0..keys::ORDER_SHARDS)
            .map(|shard| self.newest(keys::recent_orders(shard), before, read_limit));
        let found = try_join_all(shards).await?.into_iter().flatten();
        let mut found: Vec<OrderRow> = found.map(from_item).collect::<Result<_, _>>()?;
        found.sort_unstable_by(|a, b| b.recent_sk.cmp(&a.recent_sk));
        let rows = found.into_iter().take(read_limit).skip(skip).collect();
        let page = Page::of(rows, limit, |last: &OrderRow| Place::after(last.recent_sk.clone()));
        Ok(page.with_rows(|rows| rows.into_iter().map(|row| row.order).collect()))
    }

    /// Lists products, newest first, with their stock: one query for the page and one for each
    /// product.
    pub async fn list_products(
        &self,
        limit: Limit,
        before: Option<ProductId>,
    ) -> Result<Page<Product, ProductId>, ServiceError> {
        let before = before.map(|id| keys::listed_product(id.get()).sk);
        let read_limit = limit.to_usize() + 1;
        let found = self.newest(keys::PRODUCTS.to_owned(), before.as_deref(), read_limit).await?;
        let ids = found.into_iter().map(from_item::<ListedProduct>);
        let page = Page::of(ids.collect::<Result<_, _>>()?, limit, |product| product.id);
        let reads = page.rows.into_iter().map(|product| self.store.product(product.id.get()));
        let products: Vec<Option<Product>> =
            stream::iter(reads).buffered(CONCURRENT_READS).try_collect().await?;
        Ok(Page { rows: products.into_iter().flatten().collect(), next: page.next })
    }

    /// Reads at most `limit` rows of a partition of the index, newest first, after a sort key.
    async fn newest(
        &self,
        partition: String,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Item>, ServiceError> {
        newest(&self.store.client, &self.store.orders, partition, before, limit).await
    }
}
