//! The floor: the same three items in a bare `TransactWriteItems`.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeValue, Put, ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem, Update,
    },
};
use once::{
    dynamo::{Item, keys, number},
    orders::{Order, stock::DEFAULT_LANES},
    testing::{Cloud, LEDGER_TABLE, ORDERS_TABLE},
};

/// A call that writes the items of an order.
#[derive(Debug)]
pub struct BareCall {
    client: Client,
    product: u32,
    id: String,
    order: Item,
    entry: Item,
    sent: AtomicU64,
}

impl BareCall {
    /// Returns a call that writes copies of the stored items of this order.
    ///
    /// # Panics
    /// If an item is not stored.
    pub async fn copying(cloud: &Cloud, order: &Order) -> Self {
        let id = order.id.to_string();
        let key = keys::order(order.id);
        let has = |item: &Item, name: &str, value: &str| {
            item.get(name).is_some_and(|own| own.as_s().is_ok_and(|own| own == value))
        };
        let orders = cloud.items(ORDERS_TABLE).await;
        let entries = cloud.items(LEDGER_TABLE).await;
        Self {
            client: cloud.client().clone(),
            product: order.product_id,
            order: orders
                .into_iter()
                .find(|item| has(item, "pk", &key.pk))
                .expect("the order is stored"),
            entry: entries
                .into_iter()
                .find(|item| has(item, "order_id", &id))
                .expect("the ledger entry is stored"),
            id,
            sent: AtomicU64::new(0),
        }
    }

    /// Sends the next copy. The call is built when the future is created, as the handler's request
    /// is.
    pub fn send(&self) -> impl Future<Output = ()> {
        let copy = self.sent.fetch_add(1, Ordering::Relaxed);
        let call = self.client.transact_write_items().set_transact_items(Some(self.items(copy)));
        async { drop(call.send().await.expect("the store writes")) }
    }

    fn items(&self, copy: u64) -> Vec<TransactWriteItem> {
        let id = format!("00000000-0000-4000-8000-{copy:012}");
        let with_id = |item: &Item| -> HashMap<_, _> {
            let values = item.iter().map(|(name, value)| (name.clone(), self.with_id(value, &id)));
            values.collect()
        };
        let order = Put::builder()
            .table_name(ORDERS_TABLE)
            .set_item(Some(with_id(&self.order)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld)
            .build();
        let entry =
            Put::builder().table_name(LEDGER_TABLE).set_item(Some(with_id(&self.entry))).build();
        let lane = u16::try_from(copy % u64::from(DEFAULT_LANES)).expect("few lanes");
        let lane = Update::builder()
            .table_name(ORDERS_TABLE)
            .set_key(Some(keys::lane(self.product, lane).attributes()))
            .update_expression("SET stock = stock - :units ADD version :one")
            .condition_expression("stock >= :units")
            .expression_attribute_values(":units", number(1))
            .expression_attribute_values(":one", number(1))
            .build();
        vec![
            TransactWriteItem::builder().put(order.expect("complete")).build(),
            TransactWriteItem::builder().put(entry.expect("complete")).build(),
            TransactWriteItem::builder().update(lane.expect("complete")).build(),
        ]
    }

    /// Returns the value with the id of the order replaced by the id of the copy.
    fn with_id(&self, value: &AttributeValue, id: &str) -> AttributeValue {
        match value {
            AttributeValue::S(text) => AttributeValue::S(text.replace(&self.id, id)),
            other => other.clone(),
        }
    }
}
