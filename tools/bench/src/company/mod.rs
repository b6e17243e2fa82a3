//! Company figures through the whole handler of `company-figures`: read from the table, against a
//! bare read of the same item; and from the instance's cache, against an empty handler.

use std::time::{Duration, Instant};

use functions::company::figures;
use futures_util::{StreamExt, stream};
use lambda_http::{Body, Request};
use once::{
    App,
    claim::{Claim, Claims, Outcome},
    company::{FiguresKey, Kind},
    http::{ApiError, Reply, handle},
    invocation::Invocation,
    routes::{self, Endpoint},
    testing::{COMPANIES_TABLE, Cloud},
    time::Timestamp,
};
use uuid::Uuid;

use crate::stats::median;

/// Number of pairs of rounds: one through the handler, one of the floor.
const ROUNDS: usize = 15;

/// Companies, each requested once per round, and concurrent requests.
const COMPANIES: usize = 2_000;
const IN_FLIGHT: usize = 16;

/// Requests per round of figures from the instance's cache.
const CACHED: usize = 50_000;

/// Bytes of the figures, which is the size of thirty days.
const BODY_BYTES: usize = 3_000;

fn endpoint() -> &'static Endpoint {
    routes::serving("GET", "/api/sales")
}

/// Prints the throughput from the table and from the cache.
pub async fn run() {
    let cloud = Cloud::start().await;
    write_figures(&cloud).await;
    from_table(&cloud).await;
    from_cache(&cloud).await;
}

fn company(number: usize) -> String {
    format!("merchant_{number:04}")
}

fn figures(number: usize) -> FiguresKey {
    FiguresKey { company: company(number).try_into().expect("a name"), kind: Kind::Sales }
}

/// Writes finished figures of every company, valid for a day.
async fn write_figures(cloud: &Cloud) {
    let claims = Claims::new(cloud.client().clone(), COMPANIES_TABLE.to_owned());
    let (now, hour) = (Timestamp::now(), Duration::from_hours(1));
    let done = Outcome::Done(format!("{{\"text\":\"{}\"}}", "x".repeat(BODY_BYTES)));
    let finish = |number| {
        let (claims, done, key) = (&claims, &done, figures(number).claim_key());
        async move {
            let claimed =
                claims.claim(key.clone(), Uuid::now_v7(), hour, now).await.expect("a store");
            let Claim::Acquired(fence) = claimed else { panic!("{claimed:?}") };
            assert!(claims.finish(key, fence, done, hour * 24, now).await.expect("a store"));
        }
    };
    stream::iter(0..COMPANIES).map(finish).buffer_unordered(IN_FLIGHT).collect::<()>().await;
}

fn request(number: usize) -> Request {
    let uri = format!("https://localhost/api/sales?companyId={}", company(number));
    lambda_http::http::Request::builder().uri(uri).body(Body::Empty).expect("a request")
}

fn invocation() -> Invocation {
    Invocation::starting(Duration::from_secs(30))
}

async fn answer(app: &App, number: usize) {
    let response = handle(endpoint(), app, invocation(), request(number), figures::handle).await;
    assert_eq!(response.status(), 200, "{:?}", response.body());
}

/// Measures figures from the table, requested from instances with empty caches.
async fn from_table(cloud: &Cloud) {
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=ROUNDS {
        let app = cloud.app();
        app.companies().warm().await.expect("a store");
        let ours = round(0..COMPANIES, async |number| answer(&app, number).await);
        let bare = round(0..COMPANIES, async |number| read(cloud, number).await);
        // Each side is first in every other pair.
        let (a, b) = if pair % 2 == 0 {
            let a = ours.await;
            (a, bare.await)
        } else {
            let b = bare.await;
            (ours.await, b)
        };
        // The first pair opens the connections.
        if pair > 0 {
            handler.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    println!(
        "\ncompany: medians of {ROUNDS} pairs of rounds over the embedded store, \
         {COMPANIES} figures from the table each, {IN_FLIGHT} at a time"
    );
    println!("company-figures {:>8.0} answers/s", median(handler));
    println!("bare read       {:>8.0} reads/s", median(floor));
    println!("ratio           {:>8.2}  (goal: at least 0.9)", median(ratios));
}

/// The floor: a bare read of the same item.
async fn read(cloud: &Cloud, number: usize) {
    let get = cloud.client().get_item().table_name(COMPANIES_TABLE).consistent_read(true);
    let found =
        get.set_key(Some(figures(number).claim_key().attributes())).send().await.expect("a store");
    assert!(found.item.is_some());
}

/// Measures figures from the instance's cache.
async fn from_cache(cloud: &Cloud) {
    let app = cloud.app();
    answer(&app, 0).await;
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let a = round(0..CACHED, async |_| answer(&app, 0).await).await;
        let b = round(0..CACHED, async |_| {
            drop(handle(endpoint(), &app, invocation(), request(0), empty_handler).await);
        })
        .await;
        handler.push(a);
        floor.push(b);
        ratios.push(a / b);
    }
    println!(
        "\ncompany: medians of {ROUNDS} pairs of rounds, {CACHED} figures from the instance's \
         cache each"
    );
    println!("company-figures {:>8.0} answers/s", median(handler));
    println!("empty handler   {:>8.0} answers/s", median(floor));
    println!("ratio           {:>8.2}", median(ratios));
}

/// The floor: a handler that replies immediately.
async fn empty_handler(_: App, _: Request) -> Result<Reply, ApiError> {
    Ok(Reply::text("ok"))
}

/// Returns the answers per second of one round.
async fn round(numbers: std::ops::Range<usize>, send: impl AsyncFn(usize)) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a round is far smaller than 2^52 answers")]
    let count = numbers.len() as f64;
    let start = Instant::now();
    stream::iter(numbers)
        .map(|number| send(number))
        .buffer_unordered(IN_FLIGHT)
        .for_each(async |()| ())
        .await;
    count / start.elapsed().as_secs_f64()
}
