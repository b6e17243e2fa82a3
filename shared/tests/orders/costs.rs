//! The exact cost of each operation: calls, and request units as the store counts them.
//! `docs/COSTS.md` lists these numbers.

use once::{
    orders::PageStart,
    testing::{Cloud, new_order, new_product},
};

use crate::orders::fixtures::{at, create_product, key, page, place, units};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[tokio::test]
async fn an_order_is_one_transaction_of_three_items() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 100, 8).await;
    let instance = cloud.instance();
    place(&instance, new_order(product, 1, "first"), None, at(1)).await.expect("placed");
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["GetItem", "TransactWriteItems"]), ORDER_UNITS, 1.0)
    );
    place(&instance, new_order(product, 1, "second"), Some("k"), at(2)).await.expect("placed");
    assert_eq!(instance.transport.take_cost(), (calls(&["TransactWriteItems"]), ORDER_UNITS, 0.0));
}

/// Three items at two write units each, and one for the index.
const ORDER_UNITS: f64 = 7.0;

#[tokio::test]
async fn a_refusal_from_the_cache_costs_nothing() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 1, 1).await;
    let instance = cloud.instance();
    place(&instance, new_order(product, 1, "first"), None, at(1)).await.expect("placed");
    drop(instance.transport.take_cost());
    assert!(place(&instance, new_order(product, 1, "second"), None, at(2)).await.is_err());
    assert_eq!(instance.transport.take_cost(), (calls(&["TransactWriteItems", "Query"]), 0.0, 1.0));
    assert!(place(&instance, new_order(product, 1, "third"), None, at(3)).await.is_err());
    assert_eq!(instance.transport.take_cost(), (vec![], 0.0, 0.0));
    assert!(place(&instance, new_order(product, 1, "fourth"), Some("k"), at(4)).await.is_err());
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
}

#[tokio::test]
async fn of_a_storm_of_buyers_most_of_the_refused_cost_no_call() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 100, 8).await;
    let instance = cloud.instance();
    let buyers = (0..500).map(|buyer| {
        let order = new_order(product, 1, &format!("buyer-{buyer}"));
        place(&instance, order, None, at(buyer))
    });
    let placed = futures_util::future::join_all(buyers).await;
    assert_eq!(placed.iter().filter(|placed| placed.is_ok()).count(), 100);
    let (names, ..) = instance.transport.take_cost();
    let transactions = names.iter().filter(|name| *name == "TransactWriteItems").count();
    assert!((100..400).contains(&transactions), "{transactions}: one for each would be 500");
}

#[tokio::test]
async fn a_short_lane_costs_one_more_read_and_one_more_transaction() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 4, 2).await;
    let instance = cloud.instance();
    place(&instance, new_order(product, 3, "buyer"), None, at(1)).await.expect("placed");
    let (names, writes, reads) = instance.transport.take_cost();
    assert_eq!(names, calls(&["GetItem", "TransactWriteItems", "Query", "TransactWriteItems"]));
    assert_eq!((writes, reads), (ORDER_UNITS + 2.0, 2.0));
}

#[tokio::test]
async fn a_cancellation_is_one_read_and_one_transaction_of_three_items() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 4, 2).await;
    let instance = cloud.instance();
    let order =
        place(&instance, new_order(product, 1, "buyer"), None, at(1)).await.expect("placed").order;
    drop(instance.transport.take_cost());
    instance.app.orders().cancel(order.id, at(2)).await.expect("cancelled");
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["GetItem", "TransactWriteItems"]), ORDER_UNITS, 1.0)
    );
    instance.app.orders().cancel(order.id, at(3)).await.expect("cancelled already");
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
}

#[tokio::test]
async fn a_restock_writes_its_record_and_every_lane() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 4, 8).await;
    let instance = cloud.instance();
    instance
        .app
        .orders()
        .restock(product, units(50), Some(&key("truck")), at(1))
        .await
        .expect("restocked");
    let (names, writes, reads) = instance.transport.take_cost();
    assert_eq!(names, calls(&["GetItem", "TransactWriteItems", "Query"]));
    assert_eq!((writes, reads), (2.0 * (1.0 + 8.0), 2.0));
}

#[tokio::test]
async fn a_product_costs_one_update_of_the_counter_and_one_transaction() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    instance.app.orders().create_product(new_product(100, 8), None, at(1)).await.expect("created");
    // One unit for the counter, two each for the record, the product and its lanes, one for the
    // index.
    assert_eq!(
        instance.transport.take_cost(),
        (calls(&["UpdateItem", "TransactWriteItems"]), 1.0 + 2.0 * (1.0 + 1.0 + 8.0) + 1.0, 0.0)
    );
}

#[tokio::test]
async fn reads_cost_what_they_return() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 100, 8).await;
    let instance = cloud.instance();
    let order =
        place(&instance, new_order(product, 1, "buyer"), None, at(1)).await.expect("placed").order;
    drop(instance.transport.take_cost());
    instance.app.orders().get(order.id).await.expect("a read").expect("stored");
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem", "Query"]), 0.0, 2.0));
    instance.app.orders().product(product).await.expect("a read").expect("stored");
    assert_eq!(instance.transport.take_cost(), (calls(&["Query"]), 0.0, 1.0));
    instance.app.orders().list(page(20), &PageStart::NEWEST).await.expect("a page");
    assert_eq!(instance.transport.take_cost(), (calls(&["Query"; 8]), 0.0, 4.0));
    instance.app.orders().list_products(page(20), None).await.expect("a page");
    assert_eq!(instance.transport.take_cost(), (calls(&["Query"; 2]), 0.0, 1.5));
}
