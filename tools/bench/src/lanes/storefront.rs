//! Sells one product through eight instances.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use once::{
    orders::{NewStock, PlaceError, RestockError},
    testing::{Cloud, ConflictWindow, Instance, new_order, new_product},
};

use crate::stats::Durations;

const INSTANCES: u64 = 8;

/// A product and the instances that sell it.
#[derive(Debug)]
pub struct Storefront {
    _cloud: Cloud,
    instances: Vec<Instance>,
    product: u32,
}

/// Throughput, costs and latencies of the orders.
#[derive(Debug)]
pub struct Outcome {
    /// Orders per second.
    pub orders_per_s: f64,
    /// Attempted transactions per placed order.
    pub attempts: f64,
    /// Reads of all lanes per placed order.
    pub reads: f64,
    /// Percentage of requests refused because contention exhausted the retry budget.
    pub refused: f64,
    /// Latencies of the placed orders.
    pub latencies: Durations,
}

impl Storefront {
    /// Creates a product with these units left in these lanes, and instances with this retry
    /// budget.
    pub async fn open(
        units: u32,
        lanes: u32,
        window: &ConflictWindow,
        retry_budget: Duration,
    ) -> Self {
        let cloud = Cloud::start().await;
        let instances = (0..INSTANCES).map(|_| {
            cloud
                .instance_with_conflicts(window, |config| config.orders.retry_budget = retry_budget)
        });
        let instances: Vec<_> = instances.collect();
        // A first order of each instance fills its cache.
        let first_orders = u32::try_from(instances.len()).expect("few");
        let app = &instances[0].app;
        let created = app
            .orders()
            .create_product(new_product(units + first_orders, lanes), None, app.now())
            .await;
        let product = created.expect("a product").product.id;
        for instance in &instances {
            instance.place_order(product, 1, "first").await;
            drop(instance.transport.take_calls());
        }
        Self { _cloud: cloud, instances, product }
    }

    /// Lets this number of buyers place one order after another while `proceed` returns `true`.
    ///
    /// # Panics
    /// If the store fails, the product is sold out, or no order is placed.
    #[expect(clippy::cast_precision_loss, reason = "counts are far smaller than 2^52")]
    pub async fn buy(&self, buyers: usize, proceed: impl Fn() -> bool) -> Outcome {
        let start = Instant::now();
        let results = join_all((0..buyers).map(|buyer| self.place_orders(buyer, &proceed))).await;
        let elapsed = start.elapsed().as_secs_f64();

        let refused: usize = results.iter().map(|(_, refused)| refused).sum();
        let latencies: Vec<Duration> =
            results.into_iter().flat_map(|(latencies, _)| latencies).collect();
        let placed = latencies.len() as f64;
        let sent: Vec<_> =
            self.instances.iter().flat_map(|instance| instance.transport.take_calls()).collect();
        let per_order = |operation: &str| {
            sent.iter().filter(|call| call.operation == operation).count() as f64 / placed
        };
        Outcome {
            orders_per_s: placed / elapsed,
            attempts: per_order("TransactWriteItems"),
            reads: per_order("Query"),
            refused: 100.0 * refused as f64 / (placed + refused as f64),
            latencies: latencies.into_iter().collect(),
        }
    }

    /// Restocks the product repeatedly while `proceed` returns `true`. Returns the numbers of
    /// successful and of refused restocks.
    ///
    /// # Panics
    /// If the store fails.
    pub async fn restock(&self, proceed: impl Fn() -> bool) -> (u32, u32) {
        let app = &self.instances[0].app;
        let (mut done, mut refused) = (0, 0);
        while proceed() {
            let units = NewStock { quantity: 1_000.try_into().expect("a positive quantity") };
            match app.orders().restock(self.product, units, None, app.now()).await {
                Ok(_) => done += 1,
                Err(RestockError::Contended) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (done, refused)
    }

    /// Places orders of one buyer. Returns the latencies of the placed orders and the number of
    /// refused ones.
    async fn place_orders(
        &self,
        buyer: usize,
        proceed: impl Fn() -> bool,
    ) -> (Vec<Duration>, usize) {
        let app = &self.instances[buyer % self.instances.len()].app;
        let (mut latencies, mut refused) = (Vec::new(), 0);
        while proceed() {
            let start = Instant::now();
            match app.orders().place(new_order(self.product, 1, "buyer-123"), None, app.now()).await
            {
                Ok(_) => latencies.push(start.elapsed()),
                Err(PlaceError::Contended) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        (latencies, refused)
    }
}
