//! A ledger to be settled, and what its settlement must come to, worked out by the test itself.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use once::{
    ledger::Entry,
    settlement::{Accepted, Content, Days, JobStatus},
    testing::{Cloud, Instance, LEDGER_TABLE, Queued},
    time::Timestamp,
};
use uuid::Uuid;

/// The days that most tests settle.
pub const FROM: &str = "2026-11-17";
pub const TO: &str = "2026-11-19";

/// When they are settled.
pub fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub fn days(from: &str, to: &str) -> Days {
    Days { from: from.parse().expect("a day"), to: to.parse().expect("a day") }
}

/// So many payments on three days, of five merchants, one in ten of them a reversal.
pub fn payments(count: u64) -> Vec<Entry> {
    let begin: Timestamp = format!("{FROM}T00:00:00Z").parse().expect("a time");
    let payment = |n: u64| {
        // Over three days, and with the last millisecond of the last one.
        let at = if n == 0 {
            begin.plus(Duration::from_hours(72)).minus(Duration::from_millis(1))
        } else {
            begin.plus(Duration::from_secs(n * 7_919 % (72 * 3_600)))
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

/// So many payments, all on the first day.
pub fn payments_of_a_day(count: u64) -> Vec<Entry> {
    let on_the_day = |entry: &Entry| entry.recorded_at.date() == FROM;
    let mut entries: Vec<_> = payments(count * 4).into_iter().filter(on_the_day).collect();
    entries.truncate(usize::try_from(count).expect("few"));
    entries
}

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

/// The file that a settlement of these entries must come to.
pub fn file(entries: &[Entry]) -> String {
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

/// The first line of a file.
pub const HEADER: &str = "merchant_id,date,gross,fee,net,txn_count\r\n";

/// Another line of it.
pub fn line(merchant: &str, day: &str, cents: [i64; 3], count: u64) -> String {
    let [gross, fee, net] = cents.map(|cents| {
        let sign = if cents < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
    });
    format!("{merchant},{day},{gross},{fee},{net},{count}\r\n")
}

/// A process whose batches have at most seven transactions.
pub fn worker(cloud: &Cloud) -> Instance {
    cloud.instance_with(|config| config.settlement.batch_size = 7)
}

pub async fn begin(instance: &Instance, now: Timestamp) -> Accepted {
    instance.app.settlement().create(days(FROM, TO), false, now).await.expect("a job")
}

/// Begins to settle the first day only.
pub async fn begin_a_day(instance: &Instance, now: Timestamp) -> Accepted {
    instance.app.settlement().create(days(FROM, FROM), false, now).await.expect("a job")
}

pub async fn stands(instance: &Instance, job: Accepted, now: Timestamp) -> JobStatus {
    instance.app.settlement().job_status(job.job_id, now).await.expect("a read").expect("a job")
}

/// Gives a message to the worker of its queue; answers whether it is done.
pub async fn deliver(
    instance: &Instance,
    message: &Queued,
    attempt: u32,
    now: Timestamp,
) -> Result<(), String> {
    instance.at(now).try_to_deliver(message, attempt).await.map_err(|error| error.to_string())
}

/// Gives all messages to their workers, until none are left.
pub async fn deliver_all(cloud: &Cloud, instance: &Instance, now: Timestamp) {
    cloud.deliver_all(&instance.at(now)).await;
}

/// The file of a completed job.
pub async fn downloaded(instance: &Instance, job: Accepted) -> String {
    let download = instance.app.settlement().download(job.job_id, |_| false).await.expect("a file");
    match download.content {
        Content::Text(text) => text,
        other => panic!("{other:?}"),
    }
}

/// Finished files in the bucket.
pub fn reports(cloud: &Cloud) -> Vec<String> {
    cloud.services().files().into_keys().filter(|key| key.starts_with("reports/")).collect()
}
