//! Buyers of one product, over eight processes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use once::{
    orders::{NewStock, PlaceError, RestockError},
    testing::{Cloud, ConflictWindow, Instance, new_order, new_product},
};

use crate::stats::Sorted;

const PROCESSES: u64 = 8;

/// A product, and the processes through which it is bought.
#[derive(Debug)]
pub struct Crowd {
    _cloud: Cloud,
    processes: Vec<Instance>,
    product: u32,
}

/// What the buyers got.
#[derive(Debug)]
pub struct Outcome {
    /// Orders a second.
    pub orders_per_s: f64,
    /// Transactions tried for one that was recorded.
    pub transactions: f64,
    /// Reads of all lanes for one order.
    pub reads: f64,
    /// Percent of the requests that others held up for longer than the budget.
    pub refused: f64,
    /// Until an order was placed.
    pub times: Sorted,
}

impl Crowd {
    /// A product with so many units left in so many lanes, and processes that retry for `budget`.
    pub async fn of(units: u32, lanes: u32, window: &ConflictWindow, budget: Duration) -> Self {
        let cloud = Cloud::start().await;
        let processes = (0..PROCESSES)
            .map(|_| cloud.instance_in(window, |config| config.orders.retry_budget = budget));
        let processes: Vec<_> = processes.collect();
        // Each process gets to know the product by an order of its own.
        let first_orders = u32::try_from(processes.len()).expect("few");
        let app = &processes[0].app;
        let created = app
            .orders()
            .create_product(new_product(units + first_orders, lanes), None, app.now())
            .await;
        let product = created.expect("a product").product.id;
        for instance in &processes {
            instance.order(product, 1, "first").await;
            drop(instance.transport.take_sent());
        }
        Self { _cloud: cloud, processes, product }
    }

    /// So many buyers place one order after another as long as `wanted` says so.
    ///
    /// # Panics
    /// If the store fails, or nothing is left, or nobody gets anything.
    #[expect(clippy::cast_precision_loss, reason = "counts are far smaller than 2^52")]
    pub async fn buy(&self, buyers: usize, wanted: impl Fn() -> bool) -> Outcome {
        let begun = Instant::now();
        let bought = join_all((0..buyers).map(|buyer| self.buy_alone(buyer, &wanted))).await;
        let elapsed = begun.elapsed().as_secs_f64();

        let refused: usize = bought.iter().map(|(_, refused)| refused).sum();
        let times: Vec<Duration> = bought.into_iter().flat_map(|(times, _)| times).collect();
        let placed = times.len() as f64;
        let sent: Vec<_> =
            self.processes.iter().flat_map(|instance| instance.transport.take_sent()).collect();
        let per_order = |operation: &str| {
            sent.iter().filter(|call| call.operation == operation).count() as f64 / placed
        };
        Outcome {
            orders_per_s: placed / elapsed,
            transactions: per_order("TransactWriteItems"),
            reads: per_order("Query"),
            refused: 100.0 * refused as f64 / (placed + refused as f64),
            times: times.into_iter().collect(),
        }
    }

    /// Adds units again and again as long as `wanted` says so. Answers how many times it was done and how many times it was
    /// refused.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn restock(&self, wanted: impl Fn() -> bool) -> (u32, u32) {
        let app = &self.processes[0].app;
        let (mut done, mut refused) = (0, 0);
        while wanted() {
            let units = NewStock { quantity: 1_000.try_into().expect("a fit restock") };
            match app.orders().restock(self.product, units, None, app.now()).await {
                Ok(_) => done += 1,
                Err(RestockError::Contended) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (done, refused)
    }

    /// How long each placed order took, and how many were refused.
    async fn buy_alone(&self, buyer: usize, wanted: impl Fn() -> bool) -> (Vec<Duration>, usize) {
        let app = &self.processes[buyer % self.processes.len()].app;
        let (mut times, mut refused) = (Vec::new(), 0);
        while wanted() {
            let begun = Instant::now();
            match app.orders().place(new_order(self.product, 1, "buyer-123"), None, app.now()).await
            {
                Ok(_) => times.push(begun.elapsed()),
                Err(PlaceError::Contended) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (times, refused)
    }
}
