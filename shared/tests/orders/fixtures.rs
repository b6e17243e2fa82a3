//! Fixtures: products, orders, and the invariants of the stored data.

use std::collections::HashMap;

use once::{
    dynamo::Item,
    idempotency::IdempotencyKey,
    orders::{NewOrder, NewStock, Order, PageStart, PlaceError, Placed},
    testing::{Cloud, Instance, LEDGER_TABLE, ORDERS_TABLE, new_product},
    time::Timestamp,
    validated::Bounded,
};
use serde_json::json;

/// Returns a fixed time plus some milliseconds.
pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_795_216_800_000 + millis)
}

pub fn key(text: &str) -> IdempotencyKey {
    text.as_bytes().try_into().expect("a valid key")
}

pub fn units(quantity: u32) -> NewStock {
    serde_json::from_value(json!({"quantity": quantity})).expect("a valid restock")
}

/// Creates a product with `stock` units in `lanes` lanes, and returns its id.
pub async fn create_product(cloud: &Cloud, stock: u32, lanes: u32) -> u32 {
    let created =
        cloud.instance().app.orders().create_product(new_product(stock, lanes), None, at(0)).await;
    created.expect("a product").product.id
}

pub async fn place(
    instance: &Instance,
    order: NewOrder,
    key_text: Option<&str>,
    now: Timestamp,
) -> Result<Placed, PlaceError> {
    let key = key_text.map(key);
    instance.app.orders().place(order, key.as_ref(), now).await
}

pub fn page(limit: i64) -> Bounded<1, 100> {
    limit.try_into().expect("a valid limit")
}

/// Reads all orders from the list.
pub async fn all_orders(instance: &Instance) -> Vec<Order> {
    let mut start = PageStart::NEWEST;
    let mut orders = Vec::new();
    loop {
        let page = instance.app.orders().list(page(100), &start).await.expect("a page");
        orders.extend(page.rows);
        match page.next {
            Some(place) => start = PageStart::After(place),
            None => return orders,
        }
    }
}

/// The stored data, to check its invariants.
#[derive(Debug)]
pub struct Books {
    lanes: Vec<Item>,
    orders: Vec<Item>,
    restocks: Vec<Item>,
    ledger: Vec<Item>,
}

fn number(item: &Item, name: &str) -> i64 {
    item[name].as_n().expect(name).parse().expect(name)
}

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
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

    /// Returns the number of lanes of each restock.
    pub fn restock_lanes(&self) -> Vec<usize> {
        self.restocks
            .iter()
            .map(|restock| restock["shares"].as_l().expect("shares").len())
            .collect()
    }

    pub fn ledger_entries(&self) -> usize {
        self.ledger.len()
    }

    fn units(&self, status: &str) -> i64 {
        self.orders
            .iter()
            .filter(|order| text(order, "status") == status)
            .map(|order| number(order, "quantity"))
            .sum()
    }

    /// Asserts the invariants: no unit is sold twice, none is lost, every payment is in the ledger
    /// once.
    pub fn assert_balanced(&self, initial: u32) {
        let restocked: i64 = self.restocks.iter().map(|restock| number(restock, "quantity")).sum();
        assert!(
            self.lanes.iter().all(|lane| number(lane, "stock") >= 0),
            "a lane is below zero: {:?}",
            self.lanes
        );
        assert_eq!(
            self.units("CONFIRMED") + self.stock(),
            i64::from(initial) + restocked,
            "units sold and units left"
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
        assert_eq!(sums.len(), self.orders.len(), "orders, and orders in the ledger");
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
        self.assert_versions();
    }

    /// Asserts that the version of each lane counts its committed changes once.
    fn assert_versions(&self) {
        let changes = |order: &Item| {
            let withdrawals = order["shares"].as_l().expect("shares").len();
            if text(order, "status") == "CONFIRMED" { withdrawals } else { 2 * withdrawals }
        };
        let by_orders: usize = self.orders.iter().map(changes).sum();
        let by_restocks: usize = self.restock_lanes().iter().sum();
        let versions: i64 = self.lanes.iter().map(|lane| number(lane, "version")).sum();
        assert_eq!(usize::try_from(versions), Ok(by_orders + by_restocks), "changes of the lanes");
    }
}
