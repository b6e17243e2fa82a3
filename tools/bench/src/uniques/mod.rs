//! Ids through the whole handler of `accept`, against the bare put of the same item.

mod bare;
mod close;
mod instant_store;
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
    invocation::Invocation,
    routes,
    telemetry::{self, Format},
    testing::Cloud,
};
use tracing::level_filters::LevelFilter;

pub use self::bare::BarePut;
use crate::stats::median;

/// Number of pairs of rounds: one through the handler, one of bare puts.
const ROUNDS: usize = 15;

/// Ids per round, and concurrent requests.
const IDS: usize = 2_000;
const IN_FLIGHT: usize = 16;

/// Runs all parts but `memory`, which takes ten minutes.
pub async fn run() {
    init_telemetry();
    ratio().await;
    instructions::run();
    throughput::run(Duration::from_secs(10)).await;
    close::run().await;
    shards::run();
}

/// Runs one part. Returns whether there is such a part.
pub async fn part(name: &str) -> bool {
    init_telemetry();
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

/// The child process of the part `instructions`: sends this number of ids through the handler or as
/// bare puts.
pub async fn child(side: &str, ids: &str) {
    init_telemetry();
    instructions::child(side, ids.parse().expect("a number of ids")).await;
}

/// Initializes spans, logs and metrics as in a function, except that the metrics are written once.
fn init_telemetry() {
    let interval = Duration::from_hours(1);
    let settings = telemetry::Settings {
        level: LevelFilter::INFO,
        format: Format::Json,
        metrics_interval: interval,
    };
    telemetry::init("bench", &settings);
}

/// Returns the request of an id, as the gateway's event is converted.
fn request(id: i64) -> Request {
    let uri = format!("https://localhost/api/verve/accept?id={id}");
    lambda_http::http::Request::builder().uri(uri).body(Body::Empty).expect("a request")
}

/// Sends an id through the handler and returns the status code.
async fn status(app: &App, id: i64) -> u16 {
    let invocation = Invocation::starting(Duration::from_secs(6));
    let endpoint = routes::serving("GET", "/api/verve/accept");
    handle(endpoint, app, invocation, request(id), accept::handle).await.status().as_u16()
}

/// Prints the throughput of the handler and of the bare put over the embedded store.
async fn ratio() {
    let cloud = Cloud::start().await;
    let app = cloud.app();
    let put = BarePut::to(cloud.client());
    let mut next = 0..;
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=ROUNDS {
        let ids = || next.by_ref().take(IDS).collect::<Vec<i64>>();
        let ours = async |ids: Vec<i64>| {
            round(ids, async |id| assert_eq!(status(&app, id).await, 200)).await
        };
        let bare = async |ids: Vec<i64>| round(ids, async |id| put.send(id).await).await;
        let mut ids = ids;
        // Each side is first in every other pair, because a fuller store is slower.
        let (a, b) = if pair % 2 == 0 {
            let a = ours(ids()).await;
            (a, bare(ids()).await)
        } else {
            let b = bare(ids()).await;
            (ours(ids()).await, b)
        };
        // The first pair opens the connections and fills the caches.
        if pair > 0 {
            handler.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    println!(
        "\nuniques: medians of {ROUNDS} pairs of rounds over the embedded store, {IDS} ids each, \
         {IN_FLIGHT} at a time"
    );
    println!("accept       {:>8.0} ids/s", median(handler));
    println!("bare put     {:>8.0} ids/s", median(floor));
    println!("ratio        {:>8.2}  (goal: at least 0.9)", median(ratios));
}

/// Returns the ids per second of one round.
async fn round(ids: Vec<i64>, send: impl AsyncFn(i64)) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a round is far smaller than 2^52 ids")]
    let count = ids.len() as f64;
    let start = Instant::now();
    stream::iter(ids).map(|id| send(id)).buffer_unordered(IN_FLIGHT).for_each(async |()| ()).await;
    count / start.elapsed().as_secs_f64()
}
