//! A settlement of what was seeded comes to the seeder's own sums, which it did not compute.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use once::{
    ledger::Entry,
    settlement::{Accepted, Content, Days},
    testing::{Cloud, Instance, LEDGER_TABLE, ORDERS_TABLE},
    time::{Day, Timestamp},
};
use seed::{Plan, Stack, create_products, write_entries};
use uuid::Uuid;

/// As many as `make run` seeds. `make bench` settles ten times as many, and compares them, too.
const TRANSACTIONS: u64 = 100_000;

/// Batches that are summed at the same time.
const AT_ONCE: usize = 16;

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

/// The file that the sums make.
async fn seeded(cloud: &Cloud, plan: &Plan) -> String {
    let stack = Stack {
        client: cloud.client().clone(),
        orders: ORDERS_TABLE.to_owned(),
        ledger: LEDGER_TABLE.to_owned(),
        companies: cloud.app().companies().clone(),
    };
    let catalog = plan.catalog().expect("products");
    create_products(&stack, plan, &catalog).await.expect("created");
    let written = write_entries(&stack, plan, &catalog, AT_ONCE, |_| {}).await.expect("written");
    let mut sums = Vec::new();
    written.sums.write_csv(&mut sums).expect("memory");
    String::from_utf8(sums).expect("a text")
}

/// The file of a new job for the last thirty days, today included.
async fn settled(cloud: &Cloud, instance: &Instance, now: Timestamp) -> String {
    let today = Day::of(now);
    let days = Days { from: today.plus(-30), to: today };
    let Accepted { job_id, .. } =
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

/// Payments of the moment, one after the other, as long as anybody listens.
async fn sell(cloud: &Cloud, after: Timestamp) {
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
async fn a_settlement_comes_to_the_seeders_own_sums_twice_and_while_others_pay() {
    let cloud = Cloud::start().await;
    let plan = Plan { transactions: TRANSACTIONS, ..Plan::until(day("2026-11-19")) };
    let sums = seeded(&cloud, &plan).await;
    let instance = cloud.uncounted();
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().expect("a time");
    assert!(settled(&cloud, &instance, now).await == sums, "the file is not the seeder's");
    let again = tokio::select! {
        file = settled(&cloud, &instance, now) => file,
        () = sell(&cloud, now) => unreachable!("it goes on"),
    };
    assert!(again == sums, "the cutoff did not hold");
}
