//! Reading orders and products: one by its id, or newest first page by page.
//!
//! A cursor is the place of the last row that was seen, so a page costs the same wherever it is, and rows that come
//! meanwhile neither repeat nor hide others. An offset is counted off from the newest row at each call: it costs what it
//! skips, in every shard, and is capped for that.

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Orders,
    order::{Order, OrderRecord, OrderWithProduct},
    product::{Definition, Product, ProductId},
};
use crate::{
    aws::ServiceError,
    cursor::{Limit, paginate},
    dynamo::{Item, keys, newest, read},
    validated::Bounded,
};

/// Products whose stock is read at the same time for one page.
const PRODUCTS_AT_ONCE: usize = 16;

/// How many of the newest orders a page may skip. Each costs its share of a read, in every shard.
pub type Offset = Bounded<0, 1_000>;

/// Where a page of orders begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// So many rows after the newest.
    Offset(Offset),
    /// After the row that an earlier page ended with.
    Cursor(Cursor),
}

impl From {
    /// At the newest order.
    pub const NEWEST: Self = Self::Offset(Offset::literal::<0>());
}

/// A page, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Row, Next> {
    /// The rows.
    pub rows: Vec<Row>,
    /// `None`: this was the last page.
    pub next: Option<Next>,
}

/// The place of an order in the list.
pub type Cursor = crate::cursor::Cursor<Uuid>;

/// An order as the index has it.
#[derive(Deserialize)]
struct Listed {
    recent_sk: String,
    #[serde(flatten)]
    order: Order,
}

impl Orders {
    /// The order with its product as it is now: two reads.
    pub async fn get(&self, id: Uuid) -> Result<Option<OrderWithProduct>, ServiceError> {
        let Some(OrderRecord { order, .. }) = self.store.sale(id).await? else {
            return Ok(None);
        };
        let product = self.store.product(order.product_id).await?.map(Into::into);
        Ok(Some(OrderWithProduct { order, product }))
    }

    /// The product with its stock: one read.
    pub async fn product(&self, id: u32) -> Result<Option<Product>, ServiceError> {
        self.store.product(id).await
    }

    /// Orders, newest first, as the index knows them: an order is listed a moment after it was placed.
    ///
    /// Every shard is asked for a whole page, since all its rows may be the newest.
    pub async fn list(
        &self,
        limit: Limit,
        from: &From,
    ) -> Result<Page<Order, Cursor>, ServiceError> {
        let (skip, before) = match from {
            From::Offset(rows) => (rows.to_usize(), None),
            From::Cursor(cursor) => (0, Some(cursor.sort_key())),
        };
        let wanted = skip + limit.to_usize() + 1;
        let shards = (0..keys::ORDER_SHARDS)
            .map(|shard| self.newest(keys::recent_orders(shard), before, wanted));
        let found = try_join_all(shards).await?.into_iter().flatten();
        let mut found: Vec<Listed> = found.map(read).collect::<Result<_, _>>()?;
        found.sort_unstable_by(|a, b| b.recent_sk.cmp(&a.recent_sk));
        let rows = found.into_iter().take(wanted).skip(skip).collect();
        let (rows, next) = paginate(rows, limit, |last: &Listed| last.recent_sk.clone());
        Ok(Page { rows: rows.into_iter().map(|listed| listed.order).collect(), next })
    }

    /// Products, newest first, with their stock: one query for the page and one for each product.
    pub async fn list_products(
        &self,
        limit: Limit,
        before: Option<ProductId>,
    ) -> Result<Page<Product, u32>, ServiceError> {
        let place = before.map(|id| keys::listed_product(id.get()).sk);
        let limit = limit.to_usize();
        let found = self.newest(keys::PRODUCTS.to_owned(), place.as_deref(), limit + 1).await?;
        let more = found.len() > limit;
        let listed = found
            .into_iter()
            .take(limit)
            .map(|item| read(item).map(|listed: Definition| listed.id));
        let ids: Vec<u32> = listed.collect::<Result<_, _>>()?;
        let next = ids.last().filter(|_| more).copied();
        let read = ids.into_iter().map(|id| self.store.product(id));
        let products: Vec<Option<Product>> =
            stream::iter(read).buffered(PRODUCTS_AT_ONCE).try_collect().await?;
        Ok(Page { rows: products.into_iter().flatten().collect(), next })
    }

    /// The newest `wanted` rows of one partition of the index, or the newest before a place.
    async fn newest(
        &self,
        partition: String,
        before: Option<&str>,
        wanted: usize,
    ) -> Result<Vec<Item>, ServiceError> {
        newest(&self.store.client, &self.store.orders, partition, before, wanted).await
    }
}
