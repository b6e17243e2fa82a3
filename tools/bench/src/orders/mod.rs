//! Orders through the whole handler of `order-create`, against the bare call of the same
//! transaction.

mod bare;

use std::time::{Duration, Instant};

use functions::orders::create;
use futures_util::{StreamExt, stream};
use once::{
    App,
    http::handle,
    invocation::Invocation,
    routes,
    testing::{Call, Cloud},
};
use serde_json::json;

use self::bare::BareCall;
use crate::stats::{Durations, median};

/// Number of pairs of rounds: one through the handler, one of bare calls.
const ROUNDS: usize = 15;

/// Orders per round, and concurrent orders.
const ORDERS: usize = 1_000;
const IN_FLIGHT: usize = 16;

/// Orders placed one at a time, for the latency.
const SEQUENTIAL: usize = 1_000;

/// Prints throughput and latency of the handler and of the bare call.
pub async fn run() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let product = instance.create_product(1_000_000_000).await;
    // It has the secret of the tokens of orders, besides the store.
    let app = cloud.uncounted_instance().app;
    let call =
        BareCall::copying(&cloud, &instance.place_order(product, 1, "buyer-123").await).await;
    let ours = || order(&app, product);
    let bare = || call.send();

    // Untimed rounds, to open the connections and fill the caches.
    round(ours).await;
    round(bare).await;
    throughput(ours, bare).await;
    Box::pin(latency(ours, bare)).await;
}

/// Places one order through the handler. The request is built when the future is created.
fn order(app: &App, product: u32) -> impl Future<Output = ()> {
    let body = json!({"product_id": product, "quantity": 1, "buyer_id": "buyer-123"});
    let request = Call::new("POST", "/orders").body(body).request();
    async move {
        let invocation = Invocation::starting(Duration::from_secs(15));
        let endpoint = routes::serving("POST", "/orders");
        let response = handle(endpoint, app, invocation, request, create::handle).await;
        assert_eq!(response.status(), 201, "{:?}", response.body());
    }
}

/// Prints the throughput of concurrent orders.
async fn throughput<A: Future, B: Future>(ours: impl Fn() -> A, bare: impl Fn() -> B) {
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..ROUNDS {
        // Each side is first in every other pair, because a fuller store is slower.
        let (a, b) = if pair % 2 == 0 {
            let a = round(&ours).await;
            (a, round(&bare).await)
        } else {
            let b = round(&bare).await;
            (round(&ours).await, b)
        };
        handler.push(a);
        floor.push(b);
        ratios.push(a / b);
    }
    println!(
        "\norders: medians of {ROUNDS} pairs of rounds, {ORDERS} orders each, {IN_FLIGHT} at a time"
    );
    println!("order-create {:>8.0} orders/s", median(handler));
    println!("bare call    {:>8.0} orders/s", median(floor));
    println!("ratio        {:>8.2}", median(ratios));
}

/// Returns the orders per second of one round.
async fn round<F: Future>(order: impl Fn() -> F) -> f64 {
    let orders: Vec<F> = (0..ORDERS).map(|_| order()).collect();
    let start = Instant::now();
    stream::iter(orders).buffer_unordered(IN_FLIGHT).for_each(async |_| ()).await;
    #[expect(clippy::cast_precision_loss, reason = "a round is far smaller than 2^52 orders")]
    let orders = ORDERS as f64;
    orders / start.elapsed().as_secs_f64()
}

/// Prints the latencies of orders placed one at a time.
async fn latency<A: Future, B: Future>(ours: impl Fn() -> A, bare: impl Fn() -> B) {
    let (mut handler, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..SEQUENTIAL {
        handler.push(time(ours()).await);
        floor.push(time(bare()).await);
    }
    println!("\norders: latencies of {SEQUENTIAL} orders on each side, one at a time in turns, ms");
    println!("{:>20} {:>7} {:>7}", "p50", "p95", "p99");
    for (name, times) in [("order-create", handler), ("bare call", floor)] {
        let times = Durations::from_iter(times);
        println!(
            "{name:<12} {:>7.2} {:>7.2} {:>7.2}",
            times.millis(50),
            times.millis(95),
            times.millis(99)
        );
    }
}

async fn time<F: Future>(order: F) -> Duration {
    let order = Box::pin(order);
    let start = Instant::now();
    order.await;
    start.elapsed()
}
