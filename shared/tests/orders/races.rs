//! Hundreds of concurrent buyers.

use std::sync::Arc;

use futures_util::future::join_all;
use once::{
    orders::{PlaceError, Status},
    testing::{Cloud, Fault, Instance, new_order},
};

use crate::orders::fixtures::{Books, all_orders, at, create_product, place};

const BUYERS: u32 = 500;
const INSTANCES: u32 = 8;

/// The outcome of [`BUYERS`] buyers, each with its own order, over [`INSTANCES`] instances.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    confirmed: u32,
    out_of_stock: u32,
    units: u32,
}

async fn buy_concurrently(
    instances: Vec<Instance>,
    product: u32,
    quantity: impl Fn(u32) -> u32,
    attempts: u32,
) -> Outcome {
    let instances = Arc::new(instances);
    let buyers = (0..BUYERS).map(|buyer| {
        let instances = Arc::clone(&instances);
        let quantity = quantity(buyer);
        tokio::spawn(async move {
            let name = format!("buyer-{buyer}");
            let (mut outcome, mut last) = (None, None);
            // A client without a decision retries with the same key, at another instance.
            for attempt in 0..attempts {
                let instance = &instances[instance_of(buyer + attempt)];
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
            outcome.unwrap_or_else(|| {
                panic!("buyer {buyer}: no decision in {attempts} attempts: {last:?}")
            })
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

/// Returns the index of the instance that serves a request.
fn instance_of(n: u32) -> usize {
    usize::try_from(n % INSTANCES).expect("small")
}

fn create_instances(cloud: &Cloud, prepare: impl Fn(u64, &Instance)) -> Vec<Instance> {
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
    attempts: u32,
) {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 100, lanes).await;
    let outcome =
        buy_concurrently(create_instances(&cloud, prepare), product, |_| 1, attempts).await;
    assert_eq!(outcome, Outcome { confirmed: 100, out_of_stock: 400, units: 100 });

    let books = Books::of(&cloud).await;
    books.assert_balanced(100);
    assert_eq!((books.stock(), books.confirmed(), books.ledger_entries()), (0, 100, 100));
    let listed = all_orders(&cloud.instance()).await;
    assert_eq!(listed.len(), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_buyers_get_exactly_a_hundred_units() {
    a_hundred_units_are_sold_to_a_hundred_buyers(|_, _| {}, 8, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_lane_sells_exactly_as_many_units_as_several() {
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
    let product = create_product(&cloud, 1_000, 8).await;
    let outcome =
        buy_concurrently(create_instances(&cloud, |_, _| {}), product, |buyer| 1 + buyer % 5, 10)
            .await;
    let books = Books::of(&cloud).await;
    books.assert_balanced(1_000);
    assert_eq!(i64::from(outcome.units) + books.stock(), 1_000);
    assert_eq!(outcome.confirmed + outcome.out_of_stock, BUYERS);
    // 1 500 units were wanted, and an order of one is refused only when nothing is left.
    assert_eq!(books.stock(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_fifty_times_concurrently_places_one_order() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 100, 8).await;
    let instances = create_instances(&cloud, |_, _| {});
    let sent = (0..50_u32).map(|n| {
        place(
            &instances[instance_of(n)],
            new_order(product, 2, "buyer"),
            Some("cart-1"),
            at(n.into()),
        )
    });
    let answers: Vec<_> =
        join_all(sent).await.into_iter().map(|answer| answer.expect("placed")).collect();
    assert!(answers.iter().all(|answer| answer.order == answers[0].order));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let books = Books::of(&cloud).await;
    books.assert_balanced(100);
    assert_eq!((books.stock(), books.orders()), (98, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_canceled_by_many_requests_returns_its_units_once() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 10, 4).await;
    let instances = create_instances(&cloud, |_, _| {});
    let placed = place(&instances[0], new_order(product, 7, "buyer"), None, at(1))
        .await
        .expect("placed")
        .order;
    let cancels = (0..20_u32)
        .map(|n| instances[instance_of(n)].app.orders().cancel(placed.id, at(100 + i64::from(n))));
    let answers: Vec<_> =
        join_all(cancels).await.into_iter().map(|answer| answer.expect("cancelled")).collect();
    assert!(answers.iter().all(|order| *order == answers[0] && order.status == Status::Cancelled));
    let books = Books::of(&cloud).await;
    books.assert_balanced(10);
    assert_eq!((books.stock(), books.ledger_entries()), (10, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_orders_cancellations_and_restocks_keep_the_invariants() {
    let cloud = Cloud::start().await;
    let product = create_product(&cloud, 40, 4).await;
    let instances = Arc::new(create_instances(&cloud, |seed, instance| {
        instance.transport.fail_randomly(seed, 0.1, Fault::Conflict);
    }));
    let tasks = (0..120_u32).map(|n| {
        let instances = Arc::clone(&instances);
        tokio::spawn(async move {
            let instance = &instances[instance_of(n)];
            let now = at(n.into());
            if n % 20 == 0 {
                let stock = crate::orders::fixtures::units(3);
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
    Books::of(&cloud).await.assert_balanced(40);
}
