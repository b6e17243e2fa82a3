//! What is refused, and that it changes nothing.

use std::time::Duration;

use once::{
    orders::{CancelError, CreateError, PlaceError, RestockError},
    testing::{Cloud, Fault, new_order, new_product},
};
use uuid::Uuid;

use crate::shop::{Books, at, place, stocked, units};

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
async fn more_than_there_is_is_refused_and_what_there_is_stays_for_sale() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 5, 3).await;
    let instance = cloud.instance();
    let refused = place(&instance, new_order(product, 6, "greedy"), None, at(1)).await;
    assert!(matches!(refused, Err(PlaceError::OutOfStock)), "{refused:?}");
    // The instance remembers that five were left, so that a smaller order still gets through.
    place(&instance, new_order(product, 5, "modest"), None, at(2)).await.expect("placed");
    Books::of(&cloud).await.balance(5);
}

#[tokio::test]
async fn contention_that_outlasts_the_budget_is_said_and_sells_nothing() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 5, 1).await;
    let instance =
        cloud.instance_with(|config| config.orders.retry_budget = Duration::from_millis(100));
    instance.transport.fail_randomly(1, 1.0, Fault::Conflict);
    let refused = place(&instance, new_order(product, 1, "buyer"), None, at(1)).await;
    assert!(matches!(refused, Err(PlaceError::Contended)), "{refused:?}");
    let books = Books::of(&cloud).await;
    assert_eq!((books.orders(), books.stock()), (0, 5));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_said_and_sells_nothing() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 5, 1).await;
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
async fn sold_out_is_forgotten_after_its_moment() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 1, 1).await;
    let instance =
        cloud.instance_with(|config| config.orders.sold_out_cache = Duration::from_millis(50));
    place(&instance, new_order(product, 1, "first"), None, at(1)).await.expect("placed");
    assert!(place(&instance, new_order(product, 1, "late"), None, at(2)).await.is_err());
    cloud.instance().app.orders().restock(product, units(1), None, at(3)).await.expect("restocked");
    tokio::time::sleep(Duration::from_millis(60)).await;
    place(&instance, new_order(product, 1, "patient"), None, at(4)).await.expect("placed");
    Books::of(&cloud).await.balance(1);
}

#[tokio::test]
async fn a_slow_store_is_waited_for() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 1, 1).await;
    let instance = cloud.instance();
    instance.transport.fail_at(2, Fault::Delay(Duration::from_millis(200)));
    place(&instance, new_order(product, 1, "buyer"), None, at(1)).await.expect("placed");
    Books::of(&cloud).await.balance(1);
}

#[tokio::test]
async fn a_restock_that_meets_buyers_reaches_fewer_lanes_and_gets_through() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 10, 8).await;
    for (conflicts, spread) in [(0, 8), (1, 4), (2, 2), (3, 1), (6, 1)] {
        let instance = cloud.instance();
        for call in 0..conflicts {
            // The product is the first call.
            instance.transport.fail_at(call + 2, Fault::Conflict);
        }
        instance.app.orders().restock(product, units(80), None, at(1)).await.expect("restocked");
        assert!(Books::of(&cloud).await.spreads().contains(&spread), "{conflicts} conflicts");
    }
    let books = Books::of(&cloud).await;
    books.balance(10);
    let mut spreads = books.spreads();
    spreads.sort_unstable();
    assert_eq!((spreads, books.stock()), (vec![1, 1, 2, 4, 8], 410));
}

#[tokio::test]
async fn a_product_that_is_answered_is_stored_also_after_contention() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    // The counter is the first call.
    instance.transport.fail_at(2, Fault::Conflict);
    instance.transport.fail_at(3, Fault::Throttle);
    let id = instance.product(7).await;
    let stored = cloud.instance().app.orders().product(id).await.expect("a read").expect("stored");
    assert_eq!(stored.stock, 7);

    let hurried =
        cloud.instance_with(|config| config.orders.retry_budget = Duration::from_millis(100));
    hurried.transport.fail_randomly(1, 1.0, Fault::Conflict);
    let refused = hurried.app.orders().create_product(new_product(7, 2), None, at(1)).await;
    assert!(matches!(refused, Err(CreateError::Contended)), "{refused:?}");
}
