//! Hundreds of buyers at once.

use std::sync::Arc;

use futures_util::future::join_all;
use once::{
    orders::{PlaceError, Status},
    testing::{Cloud, Fault, Instance, new_order},
};

use crate::shop::{Books, all_orders, at, place, stocked};

const BUYERS: u32 = 500;
const INSTANCES: u32 = 8;

/// What 500 buyers got, each with its own order, over eight instances.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    confirmed: u32,
    out_of_stock: u32,
    units: u32,
}

async fn rush(
    processes: Vec<Instance>,
    product: u32,
    quantity: impl Fn(u32) -> u32,
    tries: u32,
) -> Outcome {
    let processes = Arc::new(processes);
    let buyers = (0..BUYERS).map(|buyer| {
        let processes = Arc::clone(&processes);
        let quantity = quantity(buyer);
        tokio::spawn(async move {
            let name = format!("buyer-{buyer}");
            let (mut outcome, mut last) = (None, None);
            // A client that got no answer asks again, with the same key, wherever it lands.
            for attempt in 0..tries {
                let instance = &processes[instance(buyer + attempt)];
                let now = at(i64::from(buyer * 100 + attempt));
                match place(instance, new_order(product, quantity, &name), Some("cart-1"), now)
                    .await
                {
                    Ok(placed) => {
                        assert_eq!(
                            (placed.order.quantity, placed.order.status),
                            (quantity, Status::Confirmed)
                        );
                        outcome = Some(quantity);
                        break;
                    }
                    Err(PlaceError::OutOfStock) => {
                        outcome = Some(0);
                        break;
                    }
                    Err(error @ PlaceError::Contended) => last = Some(error),
                    Err(PlaceError::Store(error)) if error.is_transient() => {
                        last = Some(error.into());
                    }
                    Err(error) => panic!("buyer {buyer}: {error}"),
                }
            }
            outcome
                .unwrap_or_else(|| panic!("buyer {buyer} got no answer in {tries} tries: {last:?}"))
        })
    });
    let mut outcome = Outcome::default();
    for units in join_all(buyers).await {
        match units.expect("no panic") {
            0 => outcome.out_of_stock += 1,
            units => {
                outcome.confirmed += 1;
                outcome.units += units;
            }
        }
    }
    outcome
}

/// Where a request lands.
fn instance(n: u32) -> usize {
    usize::try_from(n % INSTANCES).expect("small")
}

fn instances(cloud: &Cloud, prepare: impl Fn(u64, &Instance)) -> Vec<Instance> {
    (0..u64::from(INSTANCES))
        .map(|seed| {
            let instance = cloud.instance();
            prepare(seed, &instance);
            instance
        })
        .collect()
}

async fn a_hundred_units_are_sold_to_a_hundred_buyers(
    prepare: impl Fn(u64, &Instance),
    lanes: u32,
    tries: u32,
) {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 100, lanes).await;
    let outcome = rush(instances(&cloud, prepare), product, |_| 1, tries).await;
    assert_eq!(outcome, Outcome { confirmed: 100, out_of_stock: 400, units: 100 });

    let books = Books::of(&cloud).await;
    books.balance(100);
    assert_eq!((books.stock(), books.confirmed(), books.ledger_rows()), (0, 100, 100));
    let listed = all_orders(&cloud.instance()).await;
    assert_eq!(listed.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_buyers_get_a_hundred_units() {
    a_hundred_units_are_sold_to_a_hundred_buyers(|_, _| {}, 8, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lane_sells_as_exactly_as_many() {
    a_hundred_units_are_sold_to_a_hundred_buyers(|_, _| {}, 1, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conflicts_delay_orders_and_change_nothing() {
    let conflicts =
        |seed, instance: &Instance| instance.transport.fail_randomly(seed, 0.3, Fault::Conflict);
    a_hundred_units_are_sold_to_a_hundred_buyers(conflicts, 8, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn throttles_delay_orders_and_change_nothing() {
    let throttles =
        |seed, instance: &Instance| instance.transport.fail_randomly(seed, 0.2, Fault::Throttle);
    a_hundred_units_are_sold_to_a_hundred_buyers(throttles, 8, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_replies_lose_no_order_and_place_none_twice() {
    let losses =
        |seed, instance: &Instance| instance.transport.fail_randomly(seed, 0.1, Fault::LoseReply);
    a_hundred_units_are_sold_to_a_hundred_buyers(losses, 8, 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mixed_quantities_never_oversell() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 1_000, 8).await;
    let outcome = rush(instances(&cloud, |_, _| {}), product, |buyer| 1 + buyer % 5, 10).await;
    let books = Books::of(&cloud).await;
    books.balance(1_000);
    assert_eq!(i64::from(outcome.units) + books.stock(), 1_000);
    assert_eq!(outcome.confirmed + outcome.out_of_stock, BUYERS);
    // 1 500 units were wanted, and an order of one is refused only when nothing is left.
    assert_eq!(books.stock(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_fifty_times_at_once_places_one_order() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 100, 8).await;
    let processes = instances(&cloud, |_, _| {});
    let sent = (0..50_u32).map(|n| {
        place(&processes[instance(n)], new_order(product, 2, "buyer"), Some("cart-1"), at(n.into()))
    });
    let answers: Vec<_> =
        join_all(sent).await.into_iter().map(|answer| answer.expect("placed")).collect();
    assert!(answers.iter().all(|answer| answer.order == answers[0].order));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let books = Books::of(&cloud).await;
    books.balance(100);
    assert_eq!((books.stock(), books.orders()), (98, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_cancelled_by_many_at_once_returns_its_units_once() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 10, 4).await;
    let processes = instances(&cloud, |_, _| {});
    let placed = place(&processes[0], new_order(product, 7, "buyer"), None, at(1))
        .await
        .expect("placed")
        .order;
    let cancels = (0..20_u32)
        .map(|n| processes[instance(n)].app.orders().cancel(placed.id, at(100 + i64::from(n))));
    let answers: Vec<_> =
        join_all(cancels).await.into_iter().map(|answer| answer.expect("cancelled")).collect();
    assert!(answers.iter().all(|order| *order == answers[0] && order.status == Status::Cancelled));
    let books = Books::of(&cloud).await;
    books.balance(10);
    assert_eq!((books.stock(), books.ledger_rows()), (10, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buyers_cancellations_and_restocks_at_once_keep_the_books() {
    let cloud = Cloud::start().await;
    let product = stocked(&cloud, 40, 4).await;
    let processes = Arc::new(instances(&cloud, |seed, instance| {
        instance.transport.fail_randomly(seed, 0.1, Fault::Conflict);
    }));
    let tasks = (0..120_u32).map(|n| {
        let processes = Arc::clone(&processes);
        tokio::spawn(async move {
            let instance = &processes[instance(n)];
            let now = at(n.into());
            if n % 20 == 0 {
                let stock = crate::shop::units(3);
                instance.app.orders().restock(product, stock, None, now).await.expect("restocked");
            }
            match place(instance, new_order(product, 1 + n % 3, &format!("buyer-{n}")), None, now)
                .await
            {
                Ok(placed) if n % 3 == 0 => {
                    drop(
                        instance
                            .app
                            .orders()
                            .cancel(placed.order.id, now)
                            .await
                            .expect("cancelled"),
                    );
                }
                Ok(_) | Err(PlaceError::OutOfStock) => {}
                Err(error) => panic!("{error}"),
            }
        })
    });
    for task in join_all(tasks).await {
        task.expect("no panic");
    }
    Books::of(&cloud).await.balance(40);
}
