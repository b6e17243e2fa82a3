//! Refused requests, which change nothing, and requests that succeed under contention.

use std::time::Duration;

use once::{
    orders::{CancelError, CreateError, PlaceError, RestockError},
    testing::{Cloud, Fault, new_order, new_product},
};
use uuid::Uuid;

use crate::orders::fixtures::{Books, at, create_product, place, units};

#[tokio::test]
async fn an_unknown_product_is_not_out_of_stock() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let refused = place(&instance, new_order(9, 1, "buyer"), None, at(1)).await;
    assert!(matches!(refused, Err(PlaceError::ProductNotFound(9))), "{refused:?}");
    let refused = instance.app.orders().restock(9, units(1), None, at(1)).await;
    assert!(matches!(refused, Err(RestockError::ProductNotFound(9))), "{refused:?}");
    let refused = instance.app.orders().cancel(Uuid::nil(), at(1)).await;
    assert!(matches!(refused, Err(CancelError::OrderNotFound(_))), "{refused:?}");
}

#[tokio::test]
async fn an_order_for_more_than_the_stock_is_refused_and_the_stock_stays_for_sale() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 5, 3).await;
    let instance = cloud.instance();
    let refused = place(&instance, new_order(product, 6, "greedy"), None, at(1)).await;
    assert!(matches!(refused, Err(PlaceError::OutOfStock)), "{refused:?}");
    // The instance has cached that five are left, so a smaller order still succeeds.
    place(&instance, new_order(product, 5, "modest"), None, at(2)).await.expect("placed");
    Books::of(&cloud).await.assert_balanced(5);
}

#[tokio::test]
async fn contention_that_outlasts_the_budget_is_reported_and_sells_nothing() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 5, 1).await;
    let instance =
        cloud.instance_with(|config| config.orders.retry_budget = Duration::from_millis(100));
    instance.transport.fail_randomly(1, 1.0, Fault::Conflict);
    let refused = place(&instance, new_order(product, 1, "buyer"), None, at(1)).await;
    assert!(matches!(refused, Err(PlaceError::Contended)), "{refused:?}");
    let books = Books::of(&cloud).await;
    assert_eq!((books.orders(), books.stock()), (0, 5));
}

#[tokio::test]
async fn an_unavailable_store_is_reported_and_sells_nothing() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 5, 1).await;
    for fault in [Fault::Refuse, Fault::Throttle] {
        let instance =
            cloud.instance_with(|config| config.orders.retry_budget = Duration::from_millis(100));
        instance.transport.fail_randomly(1, 1.0, fault);
        let refused = place(&instance, new_order(product, 1, "buyer"), None, at(1)).await;
        assert!(
            matches!(&refused, Err(PlaceError::Store(error)) if error.is_transient()),
            "{refused:?}"
        );
    }
    assert_eq!(Books::of(&cloud).await.orders(), 0);
}

#[tokio::test]
async fn a_product_is_cached_as_sold_out_only_for_a_moment() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 1, 1).await;
    let instance =
        cloud.instance_with(|config| config.orders.sold_out_cache = Duration::from_millis(50));
    place(&instance, new_order(product, 1, "first"), None, at(1)).await.expect("placed");
    assert!(place(&instance, new_order(product, 1, "late"), None, at(2)).await.is_err());
    cloud.instance().app.orders().restock(product, units(1), None, at(3)).await.expect("restocked");
    let later = |millis| at(2).plus(Duration::from_millis(millis));
    assert!(place(&instance, new_order(product, 1, "hasty"), None, later(49)).await.is_err());
    place(&instance, new_order(product, 1, "patient"), None, later(50)).await.expect("placed");
    Books::of(&cloud).await.assert_balanced(1);
}

#[tokio::test]
async fn a_slow_store_is_waited_for() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 1, 1).await;
    let instance = cloud.instance();
    instance.transport.fail_at(2, Fault::Delay(Duration::from_millis(200)));
    place(&instance, new_order(product, 1, "buyer"), None, at(1)).await.expect("placed");
    Books::of(&cloud).await.assert_balanced(1);
}

#[tokio::test]
async fn a_restock_under_contention_uses_fewer_lanes_and_succeeds() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 8).await;
    for (conflicts, lanes) in [(0, 8), (1, 4), (2, 2), (3, 1), (6, 1)] {
        let instance = cloud.instance();
        for call in 0..conflicts {
            // The product is the first call.
            instance.transport.fail_at(call + 2, Fault::Conflict);
        }
        instance.app.orders().restock(product, units(80), None, at(1)).await.expect("restocked");
        assert!(Books::of(&cloud).await.restock_lanes().contains(&lanes), "{conflicts} conflicts");
    }
    let books = Books::of(&cloud).await;
    books.assert_balanced(10);
    let mut lanes = books.restock_lanes();
    lanes.sort_unstable();
    assert_eq!((lanes, books.stock()), (vec![1, 1, 2, 4, 8], 410));
}

#[tokio::test]
async fn a_product_that_was_returned_is_stored_even_after_contention() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    // The counter is the first call.
    instance.transport.fail_at(2, Fault::Conflict);
    instance.transport.fail_at(3, Fault::Throttle);
    let id = instance.create_product(7).await;
    let stored = cloud.instance().app.orders().product(id).await.expect("a read").expect("stored");
    assert_eq!(stored.stock, 7);

    let impatient =
        cloud.instance_with(|config| config.orders.retry_budget = Duration::from_millis(100));
    impatient.transport.fail_randomly(1, 1.0, Fault::Conflict);
    let refused = impatient.app.orders().create_product(new_product(7, 2), None, at(1)).await;
    assert!(matches!(refused, Err(CreateError::Contended)), "{refused:?}");
}
