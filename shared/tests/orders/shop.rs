//! What the tests share: a shop with a product, its buyers, and its books.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    idempotency::IdempotencyKey,
    orders::{Cursor, From, NewOrder, NewStock, Order, PlaceError, Placed},
    testing::{Cloud, Instance, LEDGER_TABLE, ORDERS_TABLE, new_product},
    time::Timestamp,
    validated::Bounded,
};
use serde_json::json;

/// A moment, a millisecond later at each call of the same number.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_216_800_000 + millis)
}

pub fn key(text: &str) -> IdempotencyKey {
    text.as_bytes().try_into().expect("a fit key")
}

pub fn units(quantity: u32) -> NewStock {
    serde_json::from_value(json!({"quantity": quantity})).expect("a fit restock")
}

/// A product with so many units in so many lanes; answers its id.
pub async fn stocked(cloud: &Cloud, stock: u32, lanes: u32) -> u32 {
    let created =
        cloud.instance().app.orders().create_product(new_product(stock, lanes), None, at(0)).await;
    created.expect("a product").product.id
}

pub async fn place(
    instance: &Instance,
    order: NewOrder,
    own: Option<&str>,
    now: Timestamp,
) -> Result<Placed, PlaceError> {
    let own = own.map(key);
    instance.app.orders().place(order, own.as_ref(), now).await
}

pub fn page(limit: i64) -> Bounded<1, 100> {
    limit.try_into().expect("a fit limit")
}

/// Every order, by the list that callers see.
pub async fn all_orders(instance: &Instance) -> Vec<Order> {
    let mut from = From::NEWEST;
    let mut orders = Vec::new();
    loop {
        let page = instance.app.orders().list(page(100), &from).await.expect("a page");
        orders.extend(page.rows);
        match page.next {
            Some(cursor) => {
                from = From::Cursor(Cursor::try_from(String::from(cursor)).expect("its own cursor"));
            }
            None => return orders,
        }
    }
}

/// A shop's books: what the tables hold.
#[derive(Debug)]
pub struct Books {
    lanes: Vec<HashMap<String, AttributeValue>>,
    orders: Vec<HashMap<String, AttributeValue>>,
    restocks: Vec<HashMap<String, AttributeValue>>,
    ledger: Vec<HashMap<String, AttributeValue>>,
}

fn number(item: &HashMap<String, AttributeValue>, name: &str) -> i64 {
    item[name].as_n().expect(name).parse().expect(name)
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    item[name].as_s().expect(name)
}

impl Books {
    pub async fn of(cloud: &Cloud) -> Self {
        let items = cloud.items(ORDERS_TABLE).await;
        let with = |prefix: &str| {
            items.iter().filter(|item| text(item, "sk").starts_with(prefix)).cloned().collect()
        };
        Self {
            lanes: with("LANE#"),
            orders: with("ORDER"),
            restocks: with("RESTOCK#"),
            ledger: cloud.items(LEDGER_TABLE).await,
        }
    }

    pub fn stock(&self) -> i64 {
        self.lanes.iter().map(|lane| number(lane, "stock")).sum()
    }

    pub fn confirmed(&self) -> usize {
        self.orders.iter().filter(|order| text(order, "status") == "CONFIRMED").count()
    }

    pub fn orders(&self) -> usize {
        self.orders.len()
    }

    /// How many lanes each restock reached.
    pub fn spreads(&self) -> Vec<usize> {
        self.restocks
            .iter()
            .map(|restock| restock["shares"].as_l().expect("shares").len())
            .collect()
    }

    pub fn ledger_rows(&self) -> usize {
        self.ledger.len()
    }

    fn units(&self, status: &str) -> i64 {
        self.orders
            .iter()
            .filter(|order| text(order, "status") == status)
            .map(|order| number(order, "quantity"))
            .sum()
    }

    /// The invariants, whatever happened: no unit sold twice, none lost, every payment in the ledger once.
    pub fn balance(&self, initial: u32) {
        let restocked: i64 = self.restocks.iter().map(|restock| number(restock, "quantity")).sum();
        assert!(
            self.lanes.iter().all(|lane| number(lane, "stock") >= 0),
            "a lane is below zero: {:?}",
            self.lanes
        );
        assert_eq!(
            self.units("CONFIRMED") + self.stock(),
            i64::from(initial) + restocked,
            "units sold and left"
        );

        let mut sums: HashMap<&str, (i64, usize)> = HashMap::new();
        for entry in &self.ledger {
            assert_eq!(
                number(entry, "net_cents"),
                number(entry, "gross_cents") - number(entry, "fee_cents")
            );
            let sum = sums.entry(text(entry, "order_id")).or_default();
            *sum = (sum.0 + number(entry, "gross_cents"), sum.1 + 1);
        }
        assert_eq!(sums.len(), self.orders.len(), "orders and orders in the ledger");
        for order in &self.orders {
            let expected = match text(order, "status") {
                "CONFIRMED" => (number(order, "total_cents"), 1),
                _ => (0, 2),
            };
            assert_eq!(
                sums.get(text(order, "id")),
                Some(&expected),
                "ledger of {}",
                text(order, "id")
            );
        }
        self.changes_are_counted();
    }

    /// Each committed change of a lane counts once in its version.
    fn changes_are_counted(&self) {
        let shares = |order: &HashMap<String, AttributeValue>| {
            let taken = order["shares"].as_l().expect("shares").len();
            if text(order, "status") == "CONFIRMED" { taken } else { 2 * taken }
        };
        let by_orders: usize = self.orders.iter().map(shares).sum();
        let by_restocks: usize = self.spreads().iter().sum();
        let counted: i64 = self.lanes.iter().map(|lane| number(lane, "version")).sum();
        assert_eq!(usize::try_from(counted), Ok(by_orders + by_restocks), "changes of the lanes");
    }
}
