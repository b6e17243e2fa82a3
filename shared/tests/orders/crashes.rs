//! Crashes of the process between any two calls.

use once::{
    orders::Status,
    testing::{Cloud, crash::at_every_call, new_order, new_product},
};

use crate::orders::fixtures::{Books, at, create_product, key, place, units};

#[tokio::test]
async fn an_order_whose_process_crashed_is_found_or_placed_by_a_retry() {
    let crashes = at_every_call(
        async |cloud: &Cloud| create_product(cloud, 10, 2).await,
        async |instance, product| {
            drop(place(instance, new_order(*product, 3, "buyer"), Some("cart-1"), at(1)).await);
        },
        async |cloud, retry, product| {
            let books = Books::of(cloud).await;
            books.assert_balanced(10);
            let existed = books.orders() == 1;
            let placed = place(retry, new_order(*product, 3, "buyer"), Some("cart-1"), at(2))
                .await
                .expect("placed");
            assert_eq!(placed.replayed, existed);
            let books = Books::of(cloud).await;
            books.assert_balanced(10);
            assert_eq!((books.orders(), books.stock()), (1, 7));
            let stored =
                retry.app.orders().get(placed.order.id).await.expect("a read").expect("stored");
            assert_eq!(stored.order, placed.order);
        },
    )
    .await;
    assert_eq!(crashes, 2 * 2);
}

#[tokio::test]
async fn an_order_over_several_lanes_survives_a_crash_at_every_call() {
    let crashes = at_every_call(
        async |cloud: &Cloud| create_product(cloud, 10, 5).await,
        async |instance, product| {
            drop(place(instance, new_order(*product, 9, "buyer"), Some("cart-1"), at(1)).await);
        },
        async |cloud, retry, product| {
            Books::of(cloud).await.assert_balanced(10);
            place(retry, new_order(*product, 9, "buyer"), Some("cart-1"), at(2))
                .await
                .expect("placed");
            let books = Books::of(cloud).await;
            books.assert_balanced(10);
            assert_eq!((books.orders(), books.stock()), (1, 1));
        },
    )
    .await;
    // The calls: the product, the transaction of the short lane, all lanes, the transaction of
    // several lanes.
    assert_eq!(crashes, 2 * 4);
}

#[tokio::test]
async fn a_cancellation_whose_process_crashed_is_finished_by_a_retry() {
    let crashes = at_every_call(
        async |cloud: &Cloud| {
            let product = create_product(cloud, 10, 2).await;
            place(&cloud.instance(), new_order(product, 4, "buyer"), None, at(1))
                .await
                .expect("placed")
                .order
                .id
        },
        async |instance, order| drop(instance.app.orders().cancel(*order, at(2)).await),
        async |cloud, retry, order| {
            Books::of(cloud).await.assert_balanced(10);
            let cancelled = retry.app.orders().cancel(*order, at(3)).await.expect("cancelled");
            assert_eq!(cancelled.status, Status::Cancelled);
            let books = Books::of(cloud).await;
            books.assert_balanced(10);
            assert_eq!((books.stock(), books.ledger_entries()), (10, 2));
        },
    )
    .await;
    assert_eq!(crashes, 2 * 2);
}

#[tokio::test]
async fn a_restock_whose_process_crashed_adds_its_units_once() {
    let crashes = at_every_call(
        async |cloud: &Cloud| create_product(cloud, 10, 4).await,
        async |instance, product| {
            drop(
                instance
                    .app
                    .orders()
                    .restock(*product, units(50), Some(&key("truck-1")), at(1))
                    .await,
            );
        },
        async |cloud, retry, product| {
            Books::of(cloud).await.assert_balanced(10);
            let restocked = retry
                .app
                .orders()
                .restock(*product, units(50), Some(&key("truck-1")), at(2))
                .await
                .expect("restocked");
            assert_eq!(restocked.product.stock, 60);
            Books::of(cloud).await.assert_balanced(10);
        },
    )
    .await;
    // The calls: the product, the transaction, the product with its stock.
    assert_eq!(crashes, 2 * 3);
}

#[tokio::test]
async fn a_product_whose_process_crashed_is_created_once() {
    let product = || new_product(10, 4);
    let crashes = at_every_call(
        async |_: &Cloud| (),
        async |instance, ()| {
            drop(
                instance
                    .app
                    .orders()
                    .create_product(product(), Some(&key("import-1")), at(1))
                    .await,
            );
        },
        async |cloud, retry, ()| {
            let created = retry
                .app
                .orders()
                .create_product(product(), Some(&key("import-1")), at(2))
                .await
                .expect("created");
            assert_eq!(created.product.stock, 10);
            let listed = cloud
                .instance()
                .app
                .orders()
                .list_products(crate::orders::fixtures::page(100), None)
                .await
                .expect("a page");
            assert_eq!(listed.rows, [created.product]);
            Books::of(cloud).await.assert_balanced(10);
        },
    )
    .await;
    assert_eq!(crashes, 2 * 2);
}
