//! The floor: the same three items in one `TransactWriteItems`, and nothing else.

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

/// A call that writes what an order writes.
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
    /// Writes copies of the items that this order left in the store.
    ///
    /// # Panics
    /// If they are not there.
    pub async fn like(cloud: &Cloud, order: &Order) -> Self {
        let id = order.id.to_string();
        let key = keys::order(order.id);
        let is = |item: &Item, name: &str, value: &str| {
            item.get(name).is_some_and(|own| own.as_s().is_ok_and(|own| own == value))
        };
        let orders = cloud.items(ORDERS_TABLE).await;
        let entries = cloud.items(LEDGER_TABLE).await;
        Self {
            client: cloud.client().clone(),
            product: order.product_id,
            order: orders
                .into_iter()
                .find(|item| is(item, "pk", &key.pk))
                .expect("the order is stored"),
            entry: entries
                .into_iter()
                .find(|item| is(item, "order_id", &id))
                .expect("its payment is in the ledger"),
            id,
            sent: AtomicU64::new(0),
        }
    }

    /// Sends one more, made beforehand as the handler's request is.
    pub fn send(&self) -> impl Future<Output = ()> {
        let copy = self.sent.fetch_add(1, Ordering::Relaxed);
        let call = self.client.transact_write_items().set_transact_items(Some(self.items(copy)));
        async { drop(call.send().await.expect("the store writes")) }
    }

    fn items(&self, copy: u64) -> Vec<TransactWriteItem> {
        let id = format!("00000000-0000-4000-8000-{copy:012}");
        let renamed = |item: &Item| -> HashMap<_, _> {
            let values = item.iter().map(|(name, value)| (name.clone(), self.renamed(value, &id)));
            values.collect()
        };
        let order = Put::builder()
            .table_name(ORDERS_TABLE)
            .set_item(Some(renamed(&self.order)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld)
            .build();
        let entry =
            Put::builder().table_name(LEDGER_TABLE).set_item(Some(renamed(&self.entry))).build();
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

    /// The value with the copy's id in place of the order's.
    fn renamed(&self, value: &AttributeValue, id: &str) -> AttributeValue {
        match value {
            AttributeValue::S(text) => AttributeValue::S(text.replace(&self.id, id)),
            other => other.clone(),
        }
    }
}
