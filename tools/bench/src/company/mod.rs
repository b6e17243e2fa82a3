//! Company figures through the whole handler of `company-figures`: found in the table, against the bare read that this comes down to; and found in
//! the instance's memory, against a handler that does nothing.

use std::time::{Duration, Instant};

use functions::company::figures;
use futures_util::{StreamExt, stream};
use lambda_http::{Body, Request};
use once::{
    App,
    claim::{Claim, Claims, Outcome},
    company::{FiguresKey, Kind},
    http::{ApiError, Reply, handle},
    routes::{self, Endpoint},
    testing::{COMPANIES_TABLE, Cloud},
    time::Timestamp,
};
use uuid::Uuid;

use crate::stats::median;

/// Pairs of rounds: one through the handler, one of what it is held against.
const ROUNDS: usize = 15;

/// Companies, each asked for once in a round, and how many requests are under way at a time.
const COMPANIES: usize = 2_000;
const IN_FLIGHT: usize = 16;

/// Requests of a round that meet the instance's memory.
const REMEMBERED: usize = 50_000;

/// As large as thirty days are.
const BODY: usize = 3_000;

fn endpoint() -> &'static Endpoint {
    routes::serving("GET", "/api/sales")
}

/// Prints both.
pub async fn run() {
    let cloud = Cloud::start().await;
    fill(&cloud).await;
    table(&cloud).await;
    memory(&cloud).await;
}

fn company(number: usize) -> String {
    format!("merchant_{number:04}")
}

fn figures(number: usize) -> FiguresKey {
    FiguresKey { company: company(number).try_into().expect("a name"), kind: Kind::Sales }
}

/// Finished figures of every company, which hold for a day.
async fn fill(cloud: &Cloud) {
    let claims = Claims::new(cloud.client().clone(), COMPANIES_TABLE.to_owned());
    let (now, hour) = (Timestamp::now(), Duration::from_hours(1));
    let done = Outcome::Done(format!("{{\"text\":\"{}\"}}", "x".repeat(BODY)));
    let finish = |number| {
        let (claims, done, key) = (&claims, &done, figures(number).key());
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

async fn answer(app: &App, number: usize) {
    let response = handle(endpoint(), app, request(number), figures::handle).await;
    assert_eq!(response.status(), 200, "{:?}", response.body());
}

/// What the table has, by instances that remember nothing.
async fn table(cloud: &Cloud) {
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..=ROUNDS {
        let app = cloud.app();
        app.companies().warm().await.expect("a store");
        let ours = round(0..COMPANIES, async |number| answer(&app, number).await);
        let bare = round(0..COMPANIES, async |number| read(cloud, number).await);
        // Each goes first in every other pair.
        let (a, b) = if pair % 2 == 0 {
            let a = ours.await;
            (a, bare.await)
        } else {
            let b = bare.await;
            (ours.await, b)
        };
        // Connections stand after the first pair.
        if pair > 0 {
            handler.push(a);
            floor.push(b);
            ratios.push(a / b);
        }
    }
    println!(
        "\ncompany: medians of {ROUNDS} pairs of rounds over the embedded store, {COMPANIES} cached answers each, {IN_FLIGHT} at a time"
    );
    println!("company-figures {:>8.0} answers/s", median(handler));
    println!("bare read       {:>8.0} reads/s", median(floor));
    println!("ratio           {:>8.2}  (goal: at least 0.9)", median(ratios));
}

/// The floor: the same item, and nothing else.
async fn read(cloud: &Cloud, number: usize) {
    let get = cloud.client().get_item().table_name(COMPANIES_TABLE).consistent_read(true);
    let found =
        get.set_key(Some(figures(number).key().attributes())).send().await.expect("a store");
    assert!(found.item.is_some());
}

/// What the instance remembers.
async fn memory(cloud: &Cloud) {
    let app = cloud.app();
    answer(&app, 0).await;
    let (mut handler, mut floor, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let a = round(0..REMEMBERED, async |_| answer(&app, 0).await).await;
        let b = round(0..REMEMBERED, async |_| {
            drop(handle(endpoint(), &app, request(0), nothing).await)
        })
        .await;
        handler.push(a);
        floor.push(b);
        ratios.push(a / b);
    }
    println!(
        "\ncompany: medians of {ROUNDS} pairs of rounds, {REMEMBERED} answers each that the instance remembers"
    );
    println!("company-figures {:>8.0} answers/s", median(handler));
    println!("empty handler   {:>8.0} answers/s", median(floor));
    println!("ratio           {:>8.2}", median(ratios));
}

/// The floor: it answers at once.
async fn nothing(_: App, _: Request) -> Result<Reply, ApiError> {
    Ok(Reply::text("ok"))
}

/// Answers a second.
async fn round(numbers: std::ops::Range<usize>, send: impl AsyncFn(usize)) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a round is far smaller than 2^52 answers")]
    let count = numbers.len() as f64;
    let begun = Instant::now();
    stream::iter(numbers)
        .map(|number| send(number))
        .buffer_unordered(IN_FLIGHT)
        .for_each(async |()| ())
        .await;
    count / begun.elapsed().as_secs_f64()
}
