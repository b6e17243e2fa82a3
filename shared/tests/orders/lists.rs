//! Lists of orders and products.

use once::{
    orders::{Order, PageStart},
    testing::{Cloud, Instance, new_order},
};

use crate::orders::fixtures::{all_orders, at, create_product, page, place};

async fn forty_orders(cloud: &Cloud) -> (Instance, Vec<Order>) {
    let product = create_product(cloud, 100, 4).await;
    let instance = cloud.instance();
    let mut placed = Vec::new();
    for n in 0..40 {
        placed.push(
            place(&instance, new_order(product, 1, "buyer"), None, at(n))
                .await
                .expect("placed")
                .order,
        );
    }
    placed.reverse();
    (instance, placed)
}

#[tokio::test]
async fn pages_by_cursor_list_every_order_once_newest_first() {
    let cloud = Cloud::start().await;
    let (instance, newest_first) = forty_orders(&cloud).await;
    let mut start = PageStart::NEWEST;
    let mut listed = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let page = instance.app.orders().list(page(7), &start).await.expect("a page");
        sizes.push(page.rows.len());
        listed.extend(page.rows);
        let Some(next) = page.next else { break };
        start = PageStart::After(next);
    }
    assert_eq!(listed, newest_first);
    assert_eq!(sizes, [7, 7, 7, 7, 7, 5]);
}

#[tokio::test]
async fn the_last_page_has_no_cursor_even_if_it_is_full() {
    let cloud = Cloud::start().await;
    let (instance, _) = forty_orders(&cloud).await;
    let full = instance.app.orders().list(page(40), &PageStart::NEWEST).await.expect("a page");
    assert_eq!((full.rows.len(), full.next), (40, None));
    assert_eq!(all_orders(&instance).await.len(), 40);
}

#[tokio::test]
async fn an_offset_skips_the_newest() {
    let cloud = Cloud::start().await;
    let (instance, newest_first) = forty_orders(&cloud).await;
    let offset = |rows: i64| PageStart::Offset(rows.try_into().expect("a valid offset"));
    let first = instance.app.orders().list(page(10), &offset(5)).await.expect("a page");
    assert_eq!(first.rows, newest_first[5..15]);
    let next = instance
        .app
        .orders()
        .list(page(10), &PageStart::After(first.next.expect("more")))
        .await
        .expect("a page");
    assert_eq!(next.rows, newest_first[15..25]);
    let beyond = instance.app.orders().list(page(10), &offset(1_000)).await.expect("a page");
    assert_eq!((beyond.rows.len(), beyond.next), (0, None));
}

#[tokio::test]
async fn new_orders_neither_repeat_nor_hide_others_on_later_pages() {
    let cloud = Cloud::start().await;
    let (instance, newest_first) = forty_orders(&cloud).await;
    let first = instance.app.orders().list(page(10), &PageStart::NEWEST).await.expect("a page");
    let product = first.rows[0].product_id;
    place(&instance, new_order(product, 1, "late"), None, at(1_000)).await.expect("placed");
    let second = instance
        .app
        .orders()
        .list(page(10), &PageStart::After(first.next.expect("more")))
        .await
        .expect("a page");
    assert_eq!(second.rows, newest_first[10..20]);
}

#[tokio::test]
async fn products_are_listed_newest_first_with_their_stock() {
    let cloud = Cloud::start().await;
    for stock in 0..12 {
        create_product(&cloud, stock, 3).await;
    }
    let instance = cloud.instance();
    let first = instance.app.orders().list_products(page(5), None).await.expect("a page");
    let ids_and_stock = |rows: &[once::orders::Product]| {
        rows.iter().map(|row| (row.id, row.stock)).collect::<Vec<_>>()
    };
    assert_eq!(ids_and_stock(&first.rows), [(12, 11), (11, 10), (10, 9), (9, 8), (8, 7)]);
    let second = instance.app.orders().list_products(page(100), first.next).await.expect("a page");
    assert_eq!((second.rows.len(), second.next), (7, None));
    assert_eq!(second.rows[0].id, 7);
}
