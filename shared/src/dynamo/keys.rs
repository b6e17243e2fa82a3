//! The keys of all tables, one constructor each. This table is the schema: a change of a key is a
//! migration of stored data.
//!
//! | table | pk | sk | item |
//! |---|---|---|---|
//! | Orders | `PRODUCT#<id>` | `PRODUCT` | a product without its stock |
//! | | `PRODUCT#<id>` | `LANE#<nn>` | one lane of its stock |
//! | | `PRODUCT#<id>` | `RESTOCK#<uuid>` | a restock |
//! | | `ORDER#<uuid>` | `ORDER` | an order |
//! | | `KEY#<uuid>` | `PRODUCT` | a creation request, by its idempotency key, and the product that it created |
//! | | `COUNTER` | `PRODUCT` | the last product id that was assigned |
//! | Orders, index `recent` | `ORDERS#<shard>` | `<created_at>#<order id>` | orders, by time |
//! | | `PRODUCTS` | `<id, ten digits>` | products, by id |
//! | Ledger | `<date>#<shard>` | `<merchant>#<txn id>` | an entry: a payment or its reversal |
//! | Uniques | `<minute>#<shard>` | `<id>` | an id that was accepted in this minute |
//! | | `MINUTE` | `<minute>` | the published count of a minute |
//! | | `CORRECTION` | `<minute>` | the result of the second count of a minute, where it differs from the published one |
//! | | `SHARD_CONFIG` | `SHARD_CONFIG` | the shard configuration: the first counted minute, the number of shards, the last audited minute |
//! | Settlements | `JOB#<id>` | `JOB` | a settlement |
//! | | `JOB#<id>` | `TODO#<plan>#<batch>` | a pending batch of a plan |
//! | | `JOB#<id>` | `DONE#<plan>#<batch>` | a finished batch and its sums |
//! | | `RANGE#<from>#<to>` | `JOB` | the id of the latest settlement of these days |
//! | | `MERCHANT#<id>` | `<date>` | a settled day of a merchant: its totals |
//! | Settlements, index `recent` | `JOBS` | `<created_at>#<id>` | settlements, by time |
//! | Settlements, index `live` | `LIVE` | `<id>` | settlements that have not ended |
//! | Companies | `COMPANY#<id>` | `PROFILE` | a company's profile |
//! | | `COMPANY#<id>` | `BASE` | the claim of its base (the sums of its days), with the result |
//! | | `COMPANY#<id>` | `API#<kind>` | the claim of its figures of a kind, with the result |
//! | Schedules | `SCHEDULED_JOB#<id>` | `SCHEDULED_JOB` | a scheduled job |
//! | | `SCHEDULED_JOB#<id>` | `RUN#<due>#<run id>` | the run of one occurrence: its claim and its outcome |
//! | | `SCHEDULED_JOB#<id>` | `LIVE` | the overlap slot: the run that holds it, and the run that waits for it |
//! | | `SCHEDULED_JOB#<id>` | `KEY#<uuid>` | the idempotency key of a requested run, and the time of the request |
//! | Schedules, index `recent` | `SCHEDULED_JOBS` | `<created_at>#<id>` | scheduled jobs, by time |
//! | Schedules, index `due` | `DUE#<shard>` | `<next_run_at>` | scheduled jobs with a next occurrence, by its time |
//!
//! The keys of an index are attributes of the item: `recent_pk` and `recent_sk`, `due_pk` and
//! `due_sk`, `live_pk` and `id`. Accepted ids, batches, runs, overlap slots and the idempotency
//! keys of requested runs expire by their attribute `ttl`; no other item has one.
//!
//! A batch is `<date>#<shard>#<number, six digits>`. Ids are validated when they are received
//! ([`crate::orders`], [`crate::settlement`]), so none contains the separator `#`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::time::{Day, Minute, Timestamp};

/// The index that lists orders, settlements and scheduled jobs by time, and products by id.
pub const RECENT: &str = "recent";

/// The index of settlements that have not ended.
pub const LIVE_INDEX: &str = "live";

/// The index of scheduled jobs by the time of their next occurrence.
pub const DUE_INDEX: &str = "due";

/// The number of shards of that index: a partition takes 1 000 writes a second, and each due job
/// needs two.
pub const DUE_SHARDS: u64 = 8;

/// The number of shards of the list of orders: a partition of the index takes 1 000 writes a
/// second, so eight take 8 000 orders.
pub const ORDER_SHARDS: u64 = 8;

/// The number of shards of one day of the ledger.
pub const LEDGER_SHARDS: u64 = 8;

/// The primary key of an item.
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

    /// Returns the key as attributes, the SDK's format.
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

/// The prefix of the sort keys of lanes. Lanes sort before the product, and the product before its
/// restocks.
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

/// Index `recent`: `ORDERS#<shard>`, one shard of the list of orders.
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

/// `<date>#<shard>` / `<merchant>#<txn id>`, where the date is the UTC day of `at`.
#[must_use]
pub fn ledger(at: Timestamp, merchant: &str, txn: &str) -> Key {
    Key::new(
        ledger_shard(Day::of(at), shard(txn.as_bytes(), LEDGER_SHARDS)),
        format!("{merchant}#{txn}"),
    )
}

/// `<date>#<shard>`: the entries of a day in this shard, by merchant.
#[must_use]
pub fn ledger_shard(day: Day, shard: u64) -> String {
    format!("{day}#{shard}")
}

/// The prefix of the sort keys of a merchant's entries.
#[must_use]
pub fn ledger_merchant(merchant: &str) -> String {
    format!("{merchant}#")
}

/// `<minute>#<shard>`: the ids of a minute in this shard.
#[must_use]
pub fn ids(minute: Minute, shard: u64) -> String {
    format!("{minute}#{shard}")
}

/// `<minute>#<shard>` / `<id>`, in a minute with this number of shards.
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

/// The partition of published minutes.
pub const MINUTES: &str = "MINUTE";

/// `CORRECTION` / `<minute>`
#[must_use]
pub fn correction(minute: Minute) -> Key {
    Key::new(CORRECTIONS, minute.to_string())
}

/// The partition of corrections.
pub const CORRECTIONS: &str = "CORRECTION";

/// `SHARD_CONFIG` / `SHARD_CONFIG`
#[must_use]
pub fn shard_config() -> Key {
    Key::new("SHARD_CONFIG", "SHARD_CONFIG")
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

/// The prefix of the sort keys of a plan's pending batches.
#[must_use]
pub fn todos(plan: Uuid) -> String {
    format!("TODO#{plan}#")
}

/// `JOB#<id>` / `DONE#<plan>#<batch>`
#[must_use]
pub fn done(job: &str, plan: Uuid, batch: &str) -> Key {
    Key::new(job_partition(job), dones(plan) + batch)
}

/// The prefix of the sort keys of a plan's finished batches.
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

/// Index `live`: the partition of settlements that have not ended.
pub const LIVE: &str = "LIVE";

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

/// The prefix of the sort keys of runs.
pub const RUNS: &str = "RUN#";

/// A sort key after those of all runs: `:` sorts after the digits.
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

/// Index `due`: `DUE#<shard>`, one shard of the jobs with a next occurrence.
#[must_use]
pub fn due_scheduled_jobs(shard: u64) -> String {
    format!("DUE#{shard}")
}

/// `HEALTH` / `HEALTH`: a key that no item of any table has. A read of it tests whether the table
/// responds.
#[must_use]
pub fn nothing() -> Key {
    Key::new("HEALTH", "HEALTH")
}

/// Returns the shard of an id: the same in every instance and every release.
fn shard(bytes: &[u8], shards: u64) -> u64 {
    let digest = Sha256::digest(bytes);
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(head) % shards
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(7);

    fn at() -> Timestamp {
        "2026-11-20T23:20:00.005Z".parse().expect("a time")
    }

    fn assert_key(key: &Key, expected: &str) {
        assert_eq!(format!("{} / {}", key.pk, key.sk), expected);
    }

    #[test]
    fn keys_of_orders_match_the_stored_data() {
        assert_key(&product(1), "PRODUCT#1 / PRODUCT");
        assert_key(&lane(1, 3), "PRODUCT#1 / LANE#03");
        assert_key(&restock(1, ID), "PRODUCT#1 / RESTOCK#00000000-0000-0000-0000-000000000007");
        assert_key(&order(ID), "ORDER#00000000-0000-0000-0000-000000000007 / ORDER");
        assert_key(&product_key(ID), "KEY#00000000-0000-0000-0000-000000000007 / PRODUCT");
        assert_key(&product_counter(), "COUNTER / PRODUCT");
        assert_key(
            &recent_order(at(), ID),
            "ORDERS#2 / 2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007",
        );
        assert_key(&listed_product(42), "PRODUCTS / 0000000042");
    }

    #[test]
    fn keys_of_the_ledger_match_the_stored_data() {
        assert_key(&ledger(at(), "merchant_001", "t1"), "2026-11-20#2 / merchant_001#t1");
        assert_eq!(ledger_shard(Day::of(at()), 3), "2026-11-20#3");
        assert!(ledger(at(), "m", "t1").sk.starts_with(&ledger_merchant("m")));
    }

    #[test]
    fn keys_of_uniques_match_the_stored_data() {
        let of = Minute::of(at());
        assert_key(&id(of, 256, -42), "2026-11-20T23:20:00Z#84 / -42");
        assert_key(&minute(of), "MINUTE / 2026-11-20T23:20:00Z");
        assert_key(&correction(of), "CORRECTION / 2026-11-20T23:20:00Z");
        assert_key(&shard_config(), "SHARD_CONFIG / SHARD_CONFIG");
    }

    #[test]
    fn keys_of_settlements_match_the_stored_data() {
        let (id, day) = ("job_1", Day::of(at()));
        assert_key(&job(id), "JOB#job_1 / JOB");
        let batch = "2026-11-20#3#000001";
        let name = "00000000-0000-0000-0000-000000000007#2026-11-20#3#000001";
        assert_key(&todo(id, ID, batch), &format!("JOB#job_1 / TODO#{name}"));
        assert_key(&done(id, ID, batch), &format!("JOB#job_1 / DONE#{name}"));
        assert_key(&range(day, day.plus(1)), "RANGE#2026-11-20#2026-11-21 / JOB");
        assert_key(&settled_day("merchant_001", day), "MERCHANT#merchant_001 / 2026-11-20");
        assert_key(&recent_job(at(), id), "JOBS / 2026-11-20T23:20:00.005Z#job_1");
    }

    #[test]
    fn keys_of_companies_match_the_stored_data() {
        assert_key(&company("m"), "COMPANY#m / PROFILE");
        assert_key(&base("m"), "COMPANY#m / BASE");
        assert_key(&figures("m", "sales"), "COMPANY#m / API#sales");
    }

    #[test]
    fn keys_of_schedules_match_the_stored_data() {
        assert_key(&scheduled_job("j"), "SCHEDULED_JOB#j / SCHEDULED_JOB");
        assert_key(
            &run("j", at(), ID),
            "SCHEDULED_JOB#j / RUN#2026-11-20T23:20:00.005Z#00000000-0000-0000-0000-000000000007",
        );
        assert_key(&live_run("j"), "SCHEDULED_JOB#j / LIVE");
        assert_key(&run_key("j", ID), "SCHEDULED_JOB#j / KEY#00000000-0000-0000-0000-000000000007");
        let listed = recent_scheduled_job(at(), "j");
        assert_key(&listed, "SCHEDULED_JOBS / 2026-11-20T23:20:00.005Z#j");
        assert_key(&due_scheduled_job("j", at()), "DUE#1 / 2026-11-20T23:20:00.005Z");
    }

    #[test]
    fn the_key_of_health_checks_is_that_of_no_item() {
        assert_key(&nothing(), "HEALTH / HEALTH");
    }

    #[test]
    fn the_lanes_of_a_product_sort_before_it_and_its_restocks_after_it() {
        let sorted = [lane(1, 0).sk, lane(1, 31).sk, product(1).sk, restock(1, Uuid::nil()).sk];
        assert!(sorted.is_sorted());
    }

    #[test]
    fn ids_are_spread_evenly_over_the_shards() {
        let mut counts = [0_u32; 8];
        for n in 0..8_000_u32 {
            counts[usize::try_from(shard(&n.to_be_bytes(), 8)).expect("small")] += 1;
        }
        assert!(counts.iter().all(|&count| (850..1_150).contains(&count)), "{counts:?}");
    }
}
