//! Ids through the whole handler of `accept`, against the bare put that each of them comes down to.

mod bare;
mod canned;
mod close;
mod instructions;
mod shards;
mod throughput;

use std::time::{Duration, Instant};

use functions::uniques::accept;
use futures_util::{StreamExt, stream};
use lambda_http::{Body, Request};
use once::{
    App,
    http::handle,
    routes,
    telemetry::{self, Format},
    testing::Cloud,
};
use tracing::level_filters::LevelFilter;

use self::bare::BarePut;
use crate::stats::median;

/// Pairs of rounds: one through the handler, one of bare puts.
const ROUNDS: usize = 15;

/// Ids in a round, and how many of them are under way at a time.
const IDS: usize = 2_000;
const IN_FLIGHT: usize = 16;

/// All parts but the long look at the memory.
pub async fn run() {
    observe();
    ratio().await;
    instructions::run();
    throughput::run(Duration::from_secs(10)).await;
    close::run().await;
    shards::run();
}

/// One part of it.
pub async fn part(name: &str) -> bool {
    observe();
    match name {
        "ratio" => ratio().await,
        "instructions" => instructions::run(),
        "throughput" => throughput::run(Duration::from_secs(10)).await,
        "memory" => throughput::memory(Duration::from_mins(10)).await,
        "close" => close::run().await,
        "shards" => shards::run(),
        _ => return false,
    }
    true
}

/// What callgrind counts: so many ids through the handler, or so many bare puts.
pub async fn probe(side: &str, ids: &str) {
    observe();
    instructions::probe(side, ids.parse().expect("a number of ids")).await;
}

/// Spans, logs and metrics are as in a function, but for the metrics being written once.
fn observe() {
    let interval = Duration::from_hours(1);
    let settings = telemetry::Settings {
        level: LevelFilter::INFO,
        format: Format::Json,
        metrics_interval: interval,
    };
    telemetry::init("bench", &settings);
}

/// The request of an id, as the gateway's event becomes one.
fn request(id: i64) -> Request {
    let uri = format!("https://localhost/api/verve/accept?id={id}");
    lambda_http::http::Request::builder().uri(uri).body(Body::Empty).expect("a request")
}

/// The status that an id is answered with.
async fn answer(app: &App, id: i64) -> u16 {
    handle(routes::serving("GET", "/api/verve/accept"), app, request(id), accept::handle)
        .await
        .status()
        .as_u16()
}

/// Prints the throughput of both over the embedded store.
async fn ratio() {
    let cloud = Cloud::start().await;
    let app = cloud.app();
    let put = BarePut::to(cloud.client());
    let mut next = 0..;
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=ROUNDS {
        let ids = || next.by_ref().take(IDS).collect::<Vec<i64>>();
        let ours = async |ids: Vec<i64>| {
            round(ids, async |id| assert_eq!(answer(&app, id).await, 200)).await
        };
        let bare = async |ids: Vec<i64>| round(ids, async |id| put.send(id).await).await;
        let mut ids = ids;
        // Each goes first in every other pair: a store that fills slows whoever comes second.
        let (a, b) = if pair % 2 == 0 {
            let a = ours(ids()).await;
            (a, bare(ids()).await)
        } else {
            let b = bare(ids()).await;
            (ours(ids()).await, b)
        };
        // Connections and memories stand after the first pair.
        if pair > 0 {
            handler.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    println!(
        "\nuniques: medians of {ROUNDS} pairs of rounds over the embedded store, {IDS} ids each, {IN_FLIGHT} at a time"
    );
    println!("accept       {:>8.0} ids/s", median(handler));
    println!("bare put     {:>8.0} ids/s", median(floor));
    println!("ratio        {:>8.2}  (goal: at least 0.9)", median(ratios));
}

/// Ids a second.
async fn round(ids: Vec<i64>, send: impl AsyncFn(i64)) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a round is far smaller than 2^52 ids")]
    let count = ids.len() as f64;
    let begun = Instant::now();
    stream::iter(ids).map(|id| send(id)).buffer_unordered(IN_FLIGHT).for_each(async |()| ()).await;
    count / begun.elapsed().as_secs_f64()
}
