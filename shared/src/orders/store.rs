//! Orders and products as items: reads, and the parts of transactions.

use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{ReturnValue, TransactWriteItem},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{
    order::{Order, OrderRecord, Status},
    product::{Definition, Product},
    stock::{self, Level, Share},
};
use crate::{
    aws::ServiceError,
    dynamo::{
        Item, Update, from_item, get,
        keys::{self, Key},
        number, text, to_attribute, to_item, write,
    },
    ledger::Entry,
    time::Timestamp,
};

/// The item exists.
const EXISTS: &str = "attribute_exists(pk)";

/// The lane has the units.
const HAS_UNITS: &str = "stock >= :units";

/// The order is not canceled.
const CONFIRMED: &str = "#status = :confirmed";

/// The tables, and their client.
#[derive(Debug)]
pub struct Store {
    pub client: Client,
    pub orders: String,
    pub ledger: String,
}

/// The last product id that was assigned.
#[derive(Deserialize)]
struct Counter {
    last_id: u32,
}

/// A lane with its sort key, which contains its number.
#[derive(Deserialize)]
struct LaneRow {
    sk: String,
    #[serde(flatten)]
    lane: Lane,
}

/// One lane: its units, and the number of their committed changes, by which tests check that each
/// change was committed once.
#[derive(Serialize, Deserialize)]
struct Lane {
    stock: u64,
    version: u64,
}

impl Store {
    // ---- reads, all strongly consistent ----

    /// Reads a product without its stock: one read unit.
    pub async fn definition(&self, id: u32) -> Result<Option<Definition>, ServiceError> {
        self.get(keys::product(id)).await
    }

    /// Reads an order, with what its cancellation needs: one read unit.
    pub async fn order_record(&self, id: Uuid) -> Result<Option<OrderRecord>, ServiceError> {
        self.get(keys::order(id)).await
    }

    /// Reads an item by its key.
    pub async fn get<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, ServiceError> {
        get(&self.client, &self.orders, key).await
    }

    /// Reads the lanes of a product: one query, one read unit.
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

    /// Reads a product with its stock: one query, one read unit.
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
        Ok(Some(Product::new(from_item(definition)?, stock)))
    }

    /// Starts a query of one partition of the table `Orders` or of its index.
    pub fn query(&self, partition: String) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.orders)
            .expression_attribute_values(":pk", text(partition))
    }

    /// Assigns the next product id. A process that dies after it leaves a gap, never a duplicate.
    pub async fn next_product_id(&self) -> Result<u32, ServiceError> {
        let output = self
            .client
            .update_item()
            .table_name(&self.orders)
            .set_key(Some(keys::product_counter().attributes()))
            .update_expression("ADD last_id :one")
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await?;
        from_item::<Counter>(output.attributes.unwrap_or_default()).map(|counter| counter.last_id)
    }

    // ---- the parts of transactions ----

    /// Puts an order if it does not exist.
    pub fn put_order(&self, record: &OrderRecord) -> Result<TransactWriteItem, ServiceError> {
        let Order { id, created_at, .. } = record.order;
        self.put_new(keys::order(id), Some(keys::recent_order(created_at, id)), record)
    }

    /// Marks an order as canceled if it is confirmed.
    pub fn cancel_order(
        &self,
        id: Uuid,
        now: Timestamp,
    ) -> Result<TransactWriteItem, ServiceError> {
        Update::new(&self.orders, keys::order(id))
            .set("status", to_attribute(&Status::Cancelled)?)
            .set("updated_at", text(now))
            .condition(CONFIRMED)
            .value("confirmed", to_attribute(&Status::Confirmed)?)
            .transact()
    }

    /// Withdraws units from a lane if it has them.
    pub fn withdraw(&self, product: u32, share: Share) -> Result<TransactWriteItem, ServiceError> {
        self.change(product, share, "stock - :units", HAS_UNITS)
    }

    /// Deposits units into a lane.
    pub fn deposit(&self, product: u32, share: Share) -> Result<TransactWriteItem, ServiceError> {
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

    /// Puts a new lane.
    pub fn put_lane(
        &self,
        product: u32,
        lane: u16,
        units: u64,
    ) -> Result<TransactWriteItem, ServiceError> {
        self.put_new(keys::lane(product, lane), None, &Lane { stock: units, version: 0 })
    }

    /// Puts an item if its key has none. `recent` is its key in the index `recent`.
    pub fn put_new<T: Serialize>(
        &self,
        key: Key,
        recent: Option<Key>,
        value: &T,
    ) -> Result<TransactWriteItem, ServiceError> {
        let mut item = to_item(key, value)?;
        if let Some(Key { pk, sk }) = recent {
            item.extend([("recent_pk".to_owned(), text(pk)), ("recent_sk".to_owned(), text(sk))]);
        }
        write::put_new(&self.orders, item)
    }

    /// Puts a payment into the ledger. It is put once because of the order in the same transaction.
    pub fn put_entry(&self, entry: &Entry) -> Result<TransactWriteItem, ServiceError> {
        write::put(&self.ledger, entry.item()?)
    }
}

fn levels(items: &[Item]) -> Result<Vec<Level>, ServiceError> {
    let level = |item: &Item| {
        let LaneRow { sk, lane } = from_item(item.clone())?;
        let number = sk.trim_start_matches(keys::LANE_PREFIX).parse();
        Ok(Level { lane: number.map_err(ServiceError::permanent)?, units: lane.stock })
    };
    items.iter().map(level).collect()
}
