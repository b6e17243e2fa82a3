//! The ledger that tests settle, the expected file, computed independently, and shorthands.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use once::{
    ledger::Entry,
    settlement::{AcceptedJob, Content, Days, JobStatus},
    testing::{Cloud, Instance, LEDGER_TABLE, QueuedMessage},
    time::Timestamp,
};
use uuid::Uuid;

/// First day of the range that most tests settle.
pub const FROM: &str = "2026-11-17";

/// Last day of the range.
pub const TO: &str = "2026-11-19";

/// When most tests settle the range: noon of the day after it.
pub fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub fn days(from: &str, to: &str) -> Days {
    Days { from: from.parse().expect("a day"), to: to.parse().expect("a day") }
}

/// Returns `count` payments on three days, of five merchants; every tenth is a reversal.
pub fn payments(count: u64) -> Vec<Entry> {
    let start: Timestamp = format!("{FROM}T00:00:00Z").parse().expect("a time");
    let payment = |n: u64| {
        // Spread over three days, including the last millisecond of the last one.
        let at = if n == 0 {
            start.plus(Duration::from_hours(72)).minus(Duration::from_millis(1))
        } else {
            start.plus(Duration::from_secs(n * 7_919 % (72 * 3_600)))
        };
        let cents = i64::try_from(n * n % 10_007).expect("small");
        let sale = Entry::sale(
            Uuid::from_u128(n.into()),
            &format!("merchant_{:03}", n % 5),
            cents,
            cents / 30,
            at,
        );
        if n % 10 == 9 { sale.reversed(at) } else { sale }
    };
    (0..count).map(payment).collect()
}

/// Returns `count` payments on the first day.
pub fn payments_of_one_day(count: u64) -> Vec<Entry> {
    let is_first_day = |entry: &Entry| entry.recorded_at.date() == FROM;
    let mut entries: Vec<_> = payments(count * 4).into_iter().filter(is_first_day).collect();
    entries.truncate(usize::try_from(count).expect("few"));
    entries
}

/// Puts entries into the ledger.
pub async fn record(cloud: &Cloud, entries: &[Entry]) {
    for entries in entries.chunks(25) {
        let put = |entry: &Entry| {
            let put = PutRequest::builder()
                .set_item(Some(entry.item().expect("an item")))
                .build()
                .expect("complete");
            WriteRequest::builder().put_request(put).build()
        };
        let puts: Vec<_> = entries.iter().map(put).collect();
        cloud
            .client()
            .batch_write_item()
            .request_items(LEDGER_TABLE, puts)
            .send()
            .await
            .expect("recorded");
    }
}

/// Computes the file of a settlement of these entries.
pub fn expected_file(entries: &[Entry]) -> String {
    let mut sums = BTreeMap::<(String, String), (i64, i64, i64, u64)>::new();
    for entry in entries {
        let sum = sums.entry((entry.recorded_at.date(), entry.merchant_id.clone())).or_default();
        *sum = (
            sum.0 + entry.gross_cents,
            sum.1 + entry.fee_cents,
            sum.2 + entry.net_cents,
            sum.3 + 1,
        );
    }
    let lines = sums.into_iter().map(|((day, merchant), (gross, fee, net, count))| {
        line(&merchant, &day, [gross, fee, net], count)
    });
    HEADER.to_owned() + &lines.collect::<String>()
}

/// First line of a file.
pub const HEADER: &str = "merchant_id,date,gross,fee,net,txn_count\r\n";

/// Formats any other line of a file.
pub fn line(merchant: &str, day: &str, cents: [i64; 3], count: u64) -> String {
    let [gross, fee, net] = cents.map(|cents| {
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    });
    format!("{merchant},{day},{gross},{fee},{net},{count}\r\n")
}

/// An instance whose batches have at most seven transactions.
pub fn worker(cloud: &Cloud) -> Instance {
    cloud.instance_with(|config| config.settlement.batch_size = 7)
}

/// Creates a settlement of the range.
pub async fn create(instance: &Instance, now: Timestamp) -> AcceptedJob {
    instance.app.settlement().create(days(FROM, TO), false, now).await.expect("a job")
}

/// Creates a settlement of the first day only.
pub async fn create_one_day(instance: &Instance, now: Timestamp) -> AcceptedJob {
    instance.app.settlement().create(days(FROM, FROM), false, now).await.expect("a job")
}

/// Returns a settlement with its progress.
pub async fn status_of(instance: &Instance, job: AcceptedJob, now: Timestamp) -> JobStatus {
    instance.app.settlement().job_status(job.job_id, now).await.expect("a read").expect("a job")
}

/// Delivers a message to the worker of its queue. An error: it would be delivered again.
pub async fn deliver(
    instance: &Instance,
    message: &QueuedMessage,
    attempt: u32,
    now: Timestamp,
) -> Result<(), String> {
    instance.at(now).deliver_attempt(message, attempt).await.map_err(|error| error.to_string())
}

/// Delivers all messages and those that result from them, until the queues are empty.
pub async fn deliver_all(cloud: &Cloud, instance: &Instance, now: Timestamp) {
    cloud.deliver_all(&instance.at(now)).await;
}

/// Downloads the file of a completed settlement.
pub async fn download(instance: &Instance, job: AcceptedJob) -> String {
    let download = instance.app.settlement().download(job.job_id, |_| false).await.expect("a file");
    match download.content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

/// Returns the keys of the finished files in the bucket.
pub fn reports(cloud: &Cloud) -> Vec<String> {
    cloud.services().files().into_keys().filter(|key| key.starts_with("reports/")).collect()
}
