//! A settlement of a seeded ledger returns the sums of the seeder, which are computed
//! independently.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use once::{
    ledger::Entry,
    settlement::{AcceptedJob, Content, Days},
    testing::{Cloud, Instance, LEDGER_TABLE, ORDERS_TABLE},
    time::{Day, Timestamp},
};
use seed::{Plan, Stack, create_products, write_entries};
use uuid::Uuid;

/// The number that `make run` seeds. `make bench` settles and compares ten times as many.
const TRANSACTIONS: u64 = 100_000;

/// Number of concurrent batches.
const AT_ONCE: usize = 16;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// Fills the tables and returns the expected CSV file.
async fn fill_tables(cloud: &Cloud, plan: &Plan) -> String {
    let stack = Stack {
        client: cloud.client().clone(),
        orders: ORDERS_TABLE.to_owned(),
        ledger: LEDGER_TABLE.to_owned(),
        companies: cloud.app().companies().clone(),
    };
    let catalog = plan.catalog().expect("products");
    create_products(&stack, plan, &catalog).await.expect("created");
    let summary = write_entries(&stack, plan, &catalog, AT_ONCE, |_| {}).await.expect("written");
    let mut sums = Vec::new();
    summary.sums.write_csv(&mut sums).expect("a Vec accepts all writes");
    String::from_utf8(sums).expect("a text")
}

/// Settles the last thirty days and today in a new job and returns its file.
async fn settle(cloud: &Cloud, instance: &Instance, now: Timestamp) -> String {
    let today = Day::of(now);
    let days = Days { from: today.plus(-30), to: today };
    let AcceptedJob { job_id, .. } =
        instance.app.settlement().create(days, true, now).await.expect("a job");
    let later = instance.at(now.plus(once::settlement::LEDGER_LAG));
    loop {
        let messages = cloud.services().take_queued();
        if messages.is_empty() {
            break;
        }
        let work = messages.into_iter().map(|message| {
            let instance = later.clone();
            async move {
                tokio::spawn(async move { instance.deliver(&message).await })
                    .await
                    .expect("no panic");
            }
        });
        stream::iter(work).buffer_unordered(AT_ONCE).collect::<()>().await;
    }
    let file = instance.app.settlement().download(job_id, |_| false).await.expect("a file");
    match file.content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

/// Records current payments one after another until the future is dropped.
async fn record_sales(cloud: &Cloud, after: Timestamp) {
    for n in 1.. {
        let at = after.plus(Duration::from_millis(n));
        let sale =
            Entry::sale(Uuid::now_v7(), &format!("merchant_{:03}", n % 50 + 1), 1_000, 29, at);
        let item = sale.item().expect("an item");
        cloud
            .client()
            .put_item()
            .table_name(LEDGER_TABLE)
            .set_item(Some(item))
            .send()
            .await
            .expect("recorded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_returns_the_seeders_sums_also_the_second_time_and_during_new_sales() {
    let cloud = Cloud::start().await;
    let plan = Plan { transactions: TRANSACTIONS, ..Plan::until(day("2026-11-19")) };
    let sums = fill_tables(&cloud, &plan).await;
    let instance = cloud.uncounted_instance();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    assert!(
        settle(&cloud, &instance, now).await == sums,
        "the file differs from the seeder's sums"
    );
    let again = tokio::select! {
        file = settle(&cloud, &instance, now) => file,
        () = record_sales(&cloud, now) => unreachable!("it never returns"),
    };
    assert!(again == sums, "sales after the cutoff are in the file");
}
