//! Idempotency keys.

use std::time::Duration;

use once::{
    orders::{PlaceError, RestockError, Status},
    testing::{Cloud, Fault, new_order},
};

use crate::orders::fixtures::{Books, at, create_product, key, place, units};

#[tokio::test]
async fn the_same_key_returns_the_same_order_even_a_year_later() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 2).await;
    let first = place(&cloud.instance(), new_order(product, 2, "buyer"), Some("k"), at(1))
        .await
        .expect("placed");
    let again =
        place(&cloud.instance(), new_order(product, 2, "buyer"), Some("k"), at(31_536_000_000))
            .await
            .expect("found");
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(first.order, again.order);
    assert_eq!(Books::of(&cloud).await.stock(), 8);
}

#[tokio::test]
async fn a_key_belongs_to_its_buyer() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 2).await;
    let instance = cloud.instance();
    let one =
        place(&instance, new_order(product, 2, "one"), Some("k"), at(1)).await.expect("placed");
    let two =
        place(&instance, new_order(product, 2, "two"), Some("k"), at(2)).await.expect("placed");
    assert_ne!(one.order.id, two.order.id);
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_changes_nothing() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 2).await;
    let instance = cloud.instance();
    place(&instance, new_order(product, 2, "buyer"), Some("k"), at(1)).await.expect("placed");
    let refused = place(&instance, new_order(product, 3, "buyer"), Some("k"), at(2)).await;
    assert!(matches!(refused, Err(PlaceError::KeyReused)), "{refused:?}");
    let books = Books::of(&cloud).await;
    books.assert_balanced(10);
    assert_eq!(books.stock(), 8);
}

#[tokio::test]
async fn an_existing_order_wins_over_sold_out_cached_or_not() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 2, 1).await;
    let instance = cloud.instance();
    let first =
        place(&instance, new_order(product, 2, "buyer"), Some("k"), at(1)).await.expect("placed");
    // The store is sold out, and the transaction finds the order.
    let again =
        place(&instance, new_order(product, 2, "buyer"), Some("k"), at(2)).await.expect("found");
    assert_eq!(again.order, first.order);
    // The instance has cached that it is sold out, and still finds the order.
    let other = place(&instance, new_order(product, 1, "other"), None, at(3)).await;
    assert!(matches!(other, Err(PlaceError::OutOfStock)));
    let again =
        place(&instance, new_order(product, 2, "buyer"), Some("k"), at(4)).await.expect("found");
    assert!(again.replayed && again.order == first.order);
}

#[tokio::test]
async fn a_canceled_order_is_replayed_as_it_is_stored() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 2, 1).await;
    let instance = cloud.instance();
    let placed = place(&instance, new_order(product, 2, "buyer"), Some("k"), at(1))
        .await
        .expect("placed")
        .order;
    let cancelled = instance.app.orders().cancel(placed.id, at(2)).await.expect("cancelled");
    let again =
        place(&instance, new_order(product, 2, "buyer"), Some("k"), at(3)).await.expect("found");
    assert_eq!(again.order, cancelled);
    assert_eq!(again.order.status, Status::Cancelled);
}

#[tokio::test]
async fn a_reply_lost_after_the_commit_causes_no_second_order() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 2).await;
    let instance = cloud.instance();
    // The product is call 1. The transaction and two retries of the SDK lose their replies; then a
    // new attempt finds the order.
    for call in 2..=4 {
        instance.transport.fail_at(call, Fault::LoseReply);
    }
    let placed =
        place(&instance, new_order(product, 1, "buyer"), None, at(1)).await.expect("placed");
    assert!(!placed.replayed);
    let books = Books::of(&cloud).await;
    books.assert_balanced(10);
    assert_eq!((books.orders(), books.stock()), (1, 9));
}

#[tokio::test]
async fn a_restock_with_one_key_adds_once_and_only_its_own_quantity() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 4).await;
    let instance = || cloud.instance();
    let first = instance()
        .app
        .orders()
        .restock(product, units(50), Some(&key("truck")), at(1))
        .await
        .expect("restocked");
    let again = instance()
        .app
        .orders()
        .restock(product, units(50), Some(&key("truck")), at(2))
        .await
        .expect("found");
    assert_eq!((first.replayed, first.product.stock), (false, 60));
    assert_eq!((again.replayed, again.product.stock), (true, 60));
    let other =
        instance().app.orders().restock(product, units(51), Some(&key("truck")), at(3)).await;
    assert!(matches!(other, Err(RestockError::KeyReused)), "{other:?}");
    instance().app.orders().restock(product, units(1), None, at(4)).await.expect("restocked");
    Books::of(&cloud).await.assert_balanced(10);
}

#[tokio::test]
async fn an_order_that_a_concurrent_repeat_placed_is_not_out_of_stock() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 3, 2).await;
    let (slow, fast) = (cloud.instance(), cloud.instance());
    // The calls: the product, a transaction for which one lane is short, and all lanes, which are
    // read after the repeat has emptied them.
    slow.transport.fail_at(3, Fault::Delay(Duration::from_millis(500)));
    let repeat = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        place(&fast, new_order(product, 3, "buyer"), Some("k"), at(2)).await
    };
    let (slow, fast) =
        tokio::join!(place(&slow, new_order(product, 3, "buyer"), Some("k"), at(1)), repeat);
    let (slow, fast) = (slow.expect("found"), fast.expect("placed"));
    assert_eq!((slow.order, slow.replayed), (fast.order, true));
    let books = Books::of(&cloud).await;
    books.assert_balanced(3);
    assert_eq!((books.orders(), books.stock()), (1, 0));
}
