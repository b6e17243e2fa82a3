//! Orders and products as items: what is read, and the parts of which transactions are made.

use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{ReturnValue, TransactWriteItem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    order::{OrderRecord, Status},
    product::{Definition, Product},
    stock::{self, Level, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{
        Item, Update, get, keyed,
        keys::{self, Key},
        number, read, text, write, written,
    },
    ledger::Entry,
    time::Timestamp,
};

/// It is there.
const EXISTS: &str = "attribute_exists(pk)";

/// The lane has the units.
const HAS_UNITS: &str = "stock >= :units";

/// Nobody has cancelled it.
const CONFIRMED: &str = "#status = :confirmed";

/// The tables, and the client that reaches them.
#[derive(Debug)]
pub struct Store {
    pub client: Client,
    pub orders: String,
    pub ledger: String,
}

/// The last product id given.
#[derive(Deserialize)]
struct Counter {
    last_id: u32,
}

/// A lane with its sort key, which holds its number.
#[derive(Deserialize)]
struct Named {
    sk: String,
    #[serde(flatten)]
    lane: Lane,
}

/// One lane: its units, and how often they changed. The changes serve the invariants: each committed change counts once.
#[derive(Serialize, Deserialize)]
struct Lane {
    stock: u64,
    version: u64,
}

impl Store {
    // ---- reads, all consistent ----

    /// The definition of a product: one read unit.
    pub async fn definition(&self, id: u32) -> Result<Option<Definition>, ServiceError> {
        self.get(keys::product(id)).await
    }

    /// The order, with what its cancellation needs: one read unit.
    pub async fn sale(&self, id: Uuid) -> Result<Option<OrderRecord>, ServiceError> {
        self.get(keys::order(id)).await
    }

    /// An item by its key.
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, ServiceError> {
        get(&self.client, &self.orders, key).await
    }

    /// What the lanes of a product hold, lane by lane: one query, one read unit.
    pub async fn levels(&self, product: u32) -> Result<Vec<Level>, ServiceError> {
        let lanes = self
            .query(keys::product_partition(product))
            .key_condition_expression("pk = :pk AND begins_with(sk, :lane)")
            .expression_attribute_values(":lane", text(keys::LANE_PREFIX))
            .consistent_read(true)
            .send()
            .await?;
        levels(lanes.items())
    }

    /// A product with its stock: one query, one read unit.
    pub async fn product(&self, id: u32) -> Result<Option<Product>, ServiceError> {
        // Lanes sort before the product and restocks after it.
        let mut found = self
            .query(keys::product_partition(id))
            .key_condition_expression("pk = :pk AND sk BETWEEN :lane AND :product")
            .expression_attribute_values(":lane", text(keys::LANE_PREFIX))
            .expression_attribute_values(":product", text(keys::product(id).sk))
            .consistent_read(true)
            .send()
            .await?
            .items
            .unwrap_or_default();
        let Some(definition) = found.pop() else {
            return Ok(None);
        };
        let stock = stock::sum(&levels(&found)?);
        Ok(Some(Product::new(read(definition)?, stock)))
    }

    /// A query of one partition of the table `Orders` or of its index.
    pub fn query(&self, partition: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.orders)
            .expression_attribute_values(":pk", text(partition))
    }

    /// The next product id. A process that dies after it leaves a gap, never a double.
    pub async fn next_product_id(&self) -> Result<u32, ServiceError> {
        let counted = self
            .client
            .update_item()
            .table_name(&self.orders)
            .set_key(Some(keys::product_counter().attributes()))
            .update_expression("ADD last_id :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await?;
        read::<Counter>(counted.attributes.unwrap_or_default()).map(|counter| counter.last_id)
    }

    // ---- the parts of transactions ----

    /// The order is there: only if it was not.
    pub fn put_sale(&self, sale: &OrderRecord) -> Result<TransactWriteItem, ServiceError> {
        let listed = keys::recent_order(sale.order.created_at, sale.order.id);
        self.put_new(keys::order(sale.order.id), Some(listed), sale)
    }

    /// The order is cancelled: only if it is confirmed.
    pub fn cancel_sale(&self, id: Uuid, now: Timestamp) -> Result<TransactWriteItem, ServiceError> {
        Update::new(&self.orders, keys::order(id))
            .set("status", written(&Status::Cancelled)?)
            .set("updated_at", text(now))
            .condition(CONFIRMED)
            .value("confirmed", written(&Status::Confirmed)?)
            .transact()
    }

    /// Units leave a lane: only if it has them.
    pub fn take(&self, product: u32, share: Share) -> Result<TransactWriteItem, ServiceError> {
        self.change(product, share, "stock - :units", HAS_UNITS)
    }

    /// Units enter a lane.
    pub fn give(&self, product: u32, share: Share) -> Result<TransactWriteItem, ServiceError> {
        self.change(product, share, "stock + :units", EXISTS)
    }

    fn change(
        &self,
        product: u32,
        share: Share,
        stock: &str,
        condition: &str,
    ) -> Result<TransactWriteItem, ServiceError> {
        Update::new(&self.orders, keys::lane(product, share.lane))
            .set_to("stock", stock)
            .increment("version")
            .condition(condition)
            .value("units", number(share.units))
            .transact()
    }

    /// A lane is there.
    pub fn put_lane(
        &self,
        product: u32,
        lane: u16,
        units: u64,
    ) -> Result<TransactWriteItem, ServiceError> {
        self.put_new(keys::lane(product, lane), None, &Lane { stock: units, version: 0 })
    }

    /// An item is there: only if it was not.
    pub fn put_new<T: Serialize>(
        &self,
        key: Key,
        listed: Option<Key>,
        value: &T,
    ) -> Result<TransactWriteItem, ServiceError> {
        let mut item = keyed(key, value)?;
        if let Some(Key { pk, sk }) = listed {
            item.extend([("recent_pk".to_owned(), text(pk)), ("recent_sk".to_owned(), text(sk))]);
        }
        write::put_new(&self.orders, item)
    }

    /// A payment is in the ledger. What makes it happen once is the order in the same transaction.
    pub fn put_entry(&self, entry: &Entry) -> Result<TransactWriteItem, ServiceError> {
        write::put(&self.ledger, entry.item()?)
    }
}

fn levels(items: &[Item]) -> Result<Vec<Level>, ServiceError> {
    let level = |item: &Item| {
        let Named { sk, lane } = read(item.clone())?;
        let lane_number =
            sk.trim_start_matches(keys::LANE_PREFIX).parse().map_err(ServiceError::permanent)?;
        Ok(Level { lane: lane_number, units: lane.stock })
    };
    items.iter().map(level).collect()
}
