//! Every key of every table, one constructor each. This page is the schema; changing a line is a migration.
//!
//! | table | pk | sk | item |
//! |---|---|---|---|
//! | Orders | `PRODUCT#<id>` | `PRODUCT` | a product's definition |
//! | | `PRODUCT#<id>` | `LANE#<nn>` | one lane of its stock |
//! | | `PRODUCT#<id>` | `RESTOCK#<uuid>` | a restock that happened |
//! | | `ORDER#<uuid>` | `ORDER` | an order |
//! | | `KEY#<uuid>` | `PRODUCT` | an idempotency key and the product that it made |
//! | | `COUNTER` | `PRODUCT` | the last product id given |
//! | Orders, index `recent` | `ORDERS#<shard>` | `<created_at>#<order id>` | orders, by time |
//! | | `PRODUCTS` | `<id, ten digits>` | products, by id |
//! | Ledger | `<date>#<shard>` | `<merchant>#<txn id>` | one paid transaction |
//! | Uniques | `<minute>#<shard>` | `<id>` | an id that was accepted in this minute |
//! | | `MINUTE` | `<minute>` | the published count of a minute |
//! | | `CORRECTION` | `<minute>` | ids that came after their minute was published |
//! | | `COUNTING` | `COUNTING` | since when, and over how many shards, ids are counted |
//! | Settlements | `JOB#<id>` | `JOB` | a settlement |
//! | | `JOB#<id>` | `TODO#<plan>#<batch>` | a batch of it that is not summed yet |
//! | | `JOB#<id>` | `DONE#<plan>#<batch>` | a batch that is, and its sums |
//! | | `RANGE#<from>#<to>` | `JOB` | the job that settles these days, or did last |
//! | | `MERCHANT#<id>` | `<date>` | what a merchant's day was settled to |
//! | Companies | `COMPANY#<id>` | `PROFILE` | a company |
//! | | `COMPANY#<id>` | `BASE` | the claim of its base, with the result |
//! | | `COMPANY#<id>` | `API#<kind>` | the claim of its figures, with the result |
//! | Schedules | `SCHEDULED_JOB#<id>` | `SCHEDULED_JOB` | a scheduled job |
//! | | `SCHEDULED_JOB#<id>` | `RUN#<due>#<run id>` | one occurrence of it: its claim, and what came of it |
//! | | `SCHEDULED_JOB#<id>` | `LIVE` | which of its runs is live, and which waits |
//! | | `SCHEDULED_JOB#<id>` | `KEY#<uuid>` | an idempotency key and the run that it began |
//! | Schedules, index `recent` | `SCHEDULED_JOBS` | `<created_at>#<id>` | scheduled jobs, by time |
//! | Schedules, index `due` | `DUE#<shard>` | `<next_run_at>` | those that have an occurrence to come, by its time |
//! | Settlements, index `recent` | `JOBS` | `<created_at>#<id>` | settlements, by time |
//! | Settlements, index `live` | `LIVE` | `<id>` | those that are not over |
//!
//! A batch is `<date>#<shard>#<number, six digits>`. Ids are checked where they enter ([`crate::orders`], [`crate::settlement`]), so none
//! holds the separator `#`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::time::{Day, Minute, Timestamp};

/// The index that lists orders and settlements by time, and products by id.
pub const RECENT: &str = "recent";

/// The index of settlements that are not over.
pub const LIVE_INDEX: &str = "live";

/// The index of scheduled jobs by the time of their next occurrence.
pub const DUE_INDEX: &str = "due";

/// Shards of that index: a partition takes 1 000 writes a second, and each job that is due takes two.
pub const DUE_SHARDS: u64 = 8;

/// Shards of the order list: a partition of the index takes 1 000 writes a second, so eight take 8 000 orders.
pub const ORDER_SHARDS: u64 = 8;

/// Shards of one day of the ledger.
pub const LEDGER_SHARDS: u64 = 8;

/// A table's primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// The key as the SDK takes it.
    #[must_use]
    pub fn attributes(self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".into(), AttributeValue::S(self.pk)),
            ("sk".into(), AttributeValue::S(self.sk)),
        ])
    }
}

/// `PRODUCT#<id>` / `PRODUCT`
#[must_use]
pub fn product(id: u32) -> Key {
    Key::new(product_partition(id), "PRODUCT")
}

/// `PRODUCT#<id>`: the product, its lanes and its restocks.
#[must_use]
pub fn product_partition(id: u32) -> String {
    format!("PRODUCT#{id}")
}

/// `PRODUCT#<id>` / `LANE#<nn>`
#[must_use]
pub fn lane(product: u32, lane: u16) -> Key {
    Key::new(product_partition(product), format!("{LANE_PREFIX}{lane:02}"))
}

/// What every lane's sort key begins with. Lanes sort before the product, and the product before its restocks.
pub const LANE_PREFIX: &str = "LANE#";

/// `PRODUCT#<id>` / `RESTOCK#<uuid>`
#[must_use]
pub fn restock(product: u32, restock: Uuid) -> Key {
    Key::new(product_partition(product), format!("RESTOCK#{restock}"))
}

/// `ORDER#<uuid>` / `ORDER`
#[must_use]
pub fn order(id: Uuid) -> Key {
    Key::new(format!("ORDER#{id}"), "ORDER")
}

/// `KEY#<uuid>` / `PRODUCT`
#[must_use]
pub fn product_key(key: Uuid) -> Key {
    Key::new(format!("KEY#{key}"), "PRODUCT")
}

/// `COUNTER` / `PRODUCT`
#[must_use]
pub fn product_counter() -> Key {
    Key::new("COUNTER", "PRODUCT")
}

/// Index `recent`: `ORDERS#<shard>` / `<created_at>#<order id>`
#[must_use]
pub fn recent_order(created_at: Timestamp, id: Uuid) -> Key {
    Key::new(recent_orders(shard(id.as_bytes(), ORDER_SHARDS)), format!("{created_at}#{id}"))
}

/// Index `recent`: one shard of the list of orders.
#[must_use]
pub fn recent_orders(shard: u64) -> String {
    format!("ORDERS#{shard}")
}

/// Index `recent`: the list of products.
pub const PRODUCTS: &str = "PRODUCTS";

/// Index `recent`: `PRODUCTS` / `<id, ten digits>`
#[must_use]
pub fn listed_product(id: u32) -> Key {
    Key::new(PRODUCTS, format!("{id:010}"))
}

/// `<date>#<shard>` / `<merchant>#<txn id>`, with the date that `at` falls on in UTC.
#[must_use]
pub fn ledger(at: Timestamp, merchant: &str, txn: &str) -> Key {
    Key::new(
        ledger_shard(Day::of(at), shard(txn.as_bytes(), LEDGER_SHARDS)),
        format!("{merchant}#{txn}"),
    )
}

/// `<date>#<shard>`: the entries of a day whose hash falls on this shard, by merchant.
#[must_use]
pub fn ledger_shard(day: Day, shard: u64) -> String {
    format!("{day}#{shard}")
}

/// `<minute>#<shard>`: the ids of a minute whose hash falls on this shard.
#[must_use]
pub fn ids(minute: Minute, shard: u64) -> String {
    format!("{minute}#{shard}")
}

/// `<minute>#<shard>` / `<id>`, in a minute whose ids are spread over so many shards.
#[must_use]
pub fn id(minute: Minute, shards: u32, id: i64) -> Key {
    let id = id.to_string();
    Key::new(ids(minute, shard(id.as_bytes(), shards.into())), id)
}

/// `MINUTE` / `<minute>`
#[must_use]
pub fn minute(minute: Minute) -> Key {
    Key::new(MINUTES, minute.to_string())
}

/// The published minutes.
pub const MINUTES: &str = "MINUTE";

/// `CORRECTION` / `<minute>`
#[must_use]
pub fn correction(minute: Minute) -> Key {
    Key::new(CORRECTIONS, minute.to_string())
}

/// The corrections of published minutes.
pub const CORRECTIONS: &str = "CORRECTION";

/// `COUNTING` / `COUNTING`
#[must_use]
pub fn counting() -> Key {
    Key::new("COUNTING", "COUNTING")
}

/// `JOB#<id>` / `JOB`
#[must_use]
pub fn job(id: &str) -> Key {
    Key::new(job_partition(id), "JOB")
}

/// `JOB#<id>`: the settlement and its batches.
#[must_use]
pub fn job_partition(id: &str) -> String {
    format!("JOB#{id}")
}

/// `JOB#<id>` / `TODO#<plan>#<batch>`
#[must_use]
pub fn todo(job: &str, plan: Uuid, batch: &str) -> Key {
    Key::new(job_partition(job), todos(plan) + batch)
}

/// What the sort keys of all batches of a plan that are not summed yet begin with.
#[must_use]
pub fn todos(plan: Uuid) -> String {
    format!("TODO#{plan}#")
}

/// `JOB#<id>` / `DONE#<plan>#<batch>`
#[must_use]
pub fn done(job: &str, plan: Uuid, batch: &str) -> Key {
    Key::new(job_partition(job), dones(plan) + batch)
}

/// What the sort keys of all summed batches of a plan begin with.
#[must_use]
pub fn dones(plan: Uuid) -> String {
    format!("DONE#{plan}#")
}

/// `RANGE#<from>#<to>` / `JOB`
#[must_use]
pub fn range(from: Day, to: Day) -> Key {
    Key::new(format!("RANGE#{from}#{to}"), "JOB")
}

/// `MERCHANT#<id>` / `<date>`
#[must_use]
pub fn settled_day(merchant: &str, day: Day) -> Key {
    Key::new(format!("MERCHANT#{merchant}"), day.to_string())
}

/// Index `recent`: the list of settlements.
pub const JOBS: &str = "JOBS";

/// Index `recent`: `JOBS` / `<created_at>#<id>`
#[must_use]
pub fn recent_job(created_at: Timestamp, id: &str) -> Key {
    Key::new(JOBS, format!("{created_at}#{id}"))
}

/// Index `live`: settlements that are not over.
pub const LIVE: &str = "LIVE";

/// What the sort keys of all entries of a merchant begin with.
#[must_use]
pub fn ledger_merchant(merchant: &str) -> String {
    format!("{merchant}#")
}

/// `COMPANY#<id>` / `PROFILE`
#[must_use]
pub fn company(id: &str) -> Key {
    Key::new(format!("COMPANY#{id}"), "PROFILE")
}

/// `COMPANY#<id>` / `BASE`
#[must_use]
pub fn base(company: &str) -> Key {
    Key::new(format!("COMPANY#{company}"), "BASE")
}

/// `COMPANY#<id>` / `API#<kind>`
#[must_use]
pub fn figures(company: &str, kind: &str) -> Key {
    Key::new(format!("COMPANY#{company}"), format!("API#{kind}"))
}

/// `SCHEDULED_JOB#<id>` / `SCHEDULED_JOB`
#[must_use]
pub fn scheduled_job(id: &str) -> Key {
    Key::new(scheduled_job_partition(id), "SCHEDULED_JOB")
}

/// `SCHEDULED_JOB#<id>`: the scheduled job and its runs.
#[must_use]
pub fn scheduled_job_partition(id: &str) -> String {
    format!("SCHEDULED_JOB#{id}")
}

/// `SCHEDULED_JOB#<id>` / `RUN#<due>#<run id>`
#[must_use]
pub fn run(job: &str, due_at: Timestamp, run: Uuid) -> Key {
    Key::new(scheduled_job_partition(job), format!("{RUNS}{due_at}#{run}"))
}

/// What the sort keys of all runs begin with.
pub const RUNS: &str = "RUN#";

/// What sorts after all of them: `:` comes after the digits.
pub const AFTER_RUNS: &str = "RUN#:";

/// `SCHEDULED_JOB#<id>` / `LIVE`
#[must_use]
pub fn live_run(job: &str) -> Key {
    Key::new(scheduled_job_partition(job), "LIVE")
}

/// `SCHEDULED_JOB#<id>` / `KEY#<uuid>`
#[must_use]
pub fn run_key(job: &str, key: Uuid) -> Key {
    Key::new(scheduled_job_partition(job), format!("KEY#{key}"))
}

/// Index `recent`: the list of scheduled jobs.
pub const SCHEDULED_JOBS: &str = "SCHEDULED_JOBS";

/// Index `recent`: `SCHEDULED_JOBS` / `<created_at>#<id>`
#[must_use]
pub fn recent_scheduled_job(created_at: Timestamp, id: &str) -> Key {
    Key::new(SCHEDULED_JOBS, format!("{created_at}#{id}"))
}

/// Index `due`: `DUE#<shard>` / `<next_run_at>`
#[must_use]
pub fn due_scheduled_job(id: &str, next_run_at: Timestamp) -> Key {
    Key::new(due_scheduled_jobs(shard(id.as_bytes(), DUE_SHARDS)), next_run_at.to_string())
}

/// Index `due`: one shard of the jobs that have an occurrence to come.
#[must_use]
pub fn due_scheduled_jobs(shard: u64) -> String {
    format!("DUE#{shard}")
}

/// `HEALTH` / `HEALTH`: nothing has it, in any table. Who reads it learns whether the table answers.
#[must_use]
pub fn nothing() -> Key {
    Key::new("HEALTH", "HEALTH")
}

/// A shard that every instance and every release computes alike.
fn shard(bytes: &[u8], shards: u64) -> u64 {
    let digest = Sha256::digest(bytes);
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head) % shards
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(key: &Key) -> String {
        format!("{} / {}", key.pk, key.sk)
    }

    #[test]
    fn keys_are_spelled_as_the_stored_data_spells_them() {
        let id = Uuid::from_u128(7);
        let at: Timestamp = "2026-11-20T23:20:00.005Z".parse().expect("a time");
        assert_eq!(spelled(&product(1)), "PRODUCT#1 / PRODUCT");
        assert_eq!(spelled(&lane(1, 3)), "PRODUCT#1 / LANE#03");
        assert_eq!(
            spelled(&restock(1, id)),
            "PRODUCT#1 / RESTOCK#00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(spelled(&order(id)), "ORDER#00000000-0000-0000-0000-000000000007 / ORDER");
        assert_eq!(spelled(&product_key(id)), "KEY#00000000-0000-0000-0000-000000000007 / PRODUCT");
        assert_eq!(spelled(&product_counter()), "COUNTER / PRODUCT");
        assert_eq!(
            spelled(&recent_order(at, id)),
            "ORDERS#2 / 2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(spelled(&listed_product(42)), "PRODUCTS / 0000000042");
        assert_eq!(spelled(&ledger(at, "merchant_001", "t1")), "2026-11-20#2 / merchant_001#t1");
        let of = Minute::of(at);
        assert_eq!(spelled(&super::id(of, 256, -42)), "2026-11-20T23:20:00Z#84 / -42");
        assert_eq!(spelled(&minute(of)), "MINUTE / 2026-11-20T23:20:00Z");
        assert_eq!(spelled(&correction(of)), "CORRECTION / 2026-11-20T23:20:00Z");
        assert_eq!(spelled(&counting()), "COUNTING / COUNTING");
        let (job, plan, day) = ("job_1", Uuid::from_u128(7), Day::of(at));
        assert_eq!(ledger_shard(day, 3), "2026-11-20#3");
        assert!(ledger(at, "m", "t1").sk.starts_with(&ledger_merchant("m")));
        assert_eq!(spelled(&company("m")), "COMPANY#m / PROFILE");
        assert_eq!(spelled(&base("m")), "COMPANY#m / BASE");
        assert_eq!(spelled(&figures("m", "sales")), "COMPANY#m / API#sales");
        assert_eq!(spelled(&super::job(job)), "JOB#job_1 / JOB");
        let batch = "2026-11-20#3#000001";
        let named = "00000000-0000-0000-0000-000000000007#2026-11-20#3#000001";
        assert_eq!(spelled(&todo(job, plan, batch)), format!("JOB#job_1 / TODO#{named}"));
        assert_eq!(spelled(&done(job, plan, batch)), format!("JOB#job_1 / DONE#{named}"));
        assert_eq!(spelled(&range(day, day.plus(1))), "RANGE#2026-11-20#2026-11-21 / JOB");
        assert_eq!(
            spelled(&settled_day("merchant_001", day)),
            "MERCHANT#merchant_001 / 2026-11-20"
        );
        assert_eq!(spelled(&scheduled_job("j")), "SCHEDULED_JOB#j / SCHEDULED_JOB");
        assert_eq!(
            spelled(&run("j", at, id)),
            "SCHEDULED_JOB#j / RUN#2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007"
        );
        assert_eq!(spelled(&live_run("j")), "SCHEDULED_JOB#j / LIVE");
        assert_eq!(
            spelled(&run_key("j", id)),
            "SCHEDULED_JOB#j / KEY#00000000-0000-0000-0000-000000000007"
        );
        let listed = spelled(&recent_scheduled_job(at, "j"));
        assert_eq!(listed, "SCHEDULED_JOBS / 2026-11-20T23:20:00.005Z#j");
        assert_eq!(spelled(&due_scheduled_job("j", at)), "DUE#6 / 2026-11-20T23:20:00.005Z");
        assert_eq!(spelled(&nothing()), "HEALTH / HEALTH");
        assert_eq!(spelled(&recent_job(at, job)), "JOBS / 2026-11-20T23:20:00.005Z#job_1");
    }

    #[test]
    fn a_partition_lists_lanes_then_the_product_then_its_restocks() {
        let sorted = [lane(1, 0).sk, lane(1, 31).sk, product(1).sk, restock(1, Uuid::nil()).sk];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn shards_are_evenly_used() {
        let mut counts = [0_u32; 8];
        for n in 0..8_000_u32 {
            counts[usize::try_from(shard(&n.to_be_bytes(), 8)).expect("small")] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1_150).contains(&count)), "{counts:?}");
    }
}
