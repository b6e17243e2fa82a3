//! The cost of each operation, as `docs/COSTS.md` states it.

use once::{
    testing::{Cloud, Instance},
    uniques::AcceptOutcome,
};

use crate::uniques::fixtures::{SHARDS, accept, at, minute, new_instance};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn warm_instance(cloud: &Cloud) -> Instance {
    let instance = new_instance(cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    drop(instance.transport.take_cost());
    instance
}

#[tokio::test]
async fn an_id_costs_one_put_of_one_unit() {
    let cloud = Cloud::start().await;
    let instance = warm_instance(&cloud).await;
    assert_eq!(accept(&instance, i64::MIN, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
    assert_eq!(instance.transport.take_cost(), (calls(&["PutItem"]), 1.0, 0.0));
}

#[tokio::test]
async fn the_record_of_an_id_is_below_100_bytes_and_expires_a_day_after_its_minute() {
    let cloud = Cloud::start().await;
    accept(&warm_instance(&cloud).await, i64::MIN, at(0, 1)).await.expect("recorded");
    let items = cloud.items(once::testing::UNIQUES_TABLE).await;
    let record = items.iter().find(|item| item.contains_key("ttl")).expect("a record");
    let expires: i64 = record["ttl"].as_n().expect("seconds").parse().expect("a number");
    assert_eq!(expires, at(1, 0).as_seconds() + 24 * 3_600);
    // DynamoDB counts names and texts by their bytes, and a number of n digits as n / 2 + 1 bytes.
    let size: usize = record
        .iter()
        .map(|(name, value)| match (value.as_s(), value.as_n(), value.as_b()) {
            (Ok(text), ..) => name.len() + text.len(),
            (_, Ok(number), _) => name.len() + number.len() / 2 + 1,
            (_, _, Ok(bytes)) => name.len() + bytes.as_ref().len(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert!(size < 100, "{size} bytes");
    let permanent = items.iter().filter(|item| !item.contains_key("ttl")).count();
    assert_eq!(permanent, 1, "the shard configuration does not expire");
}

#[tokio::test]
async fn a_duplicate_costs_one_put_in_an_instance_that_has_not_cached_it_and_nothing_after() {
    let cloud = Cloud::start().await;
    let (one, other) = (warm_instance(&cloud).await, warm_instance(&cloud).await);
    accept(&one, 7, at(0, 1)).await.expect("recorded");
    drop(one.transport.take_cost());
    assert_eq!(accept(&one, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(one.transport.take_cost(), (vec![], 0.0, 0.0));
    assert_eq!(accept(&other, 7, at(0, 2)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(other.transport.take_cost().0, calls(&["PutItem"]));
    assert_eq!(accept(&other, 7, at(0, 3)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(other.transport.take_cost(), (vec![], 0.0, 0.0));
}

#[tokio::test]
async fn a_duplicate_that_the_cache_has_no_room_for_costs_a_put_and_gets_the_same_answer() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance_with(|config| {
        config.uniques.shards = SHARDS;
        config.uniques.recent_ids_max = 10;
    });
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    for id in 0..20 {
        assert_eq!(accept(&instance, id, at(0, 1)).await.expect("recorded"), AcceptOutcome::New);
    }
    drop(instance.transport.take_cost());
    for id in 0..20 {
        assert_eq!(
            accept(&instance, id, at(0, 2)).await.expect("an answer"),
            AcceptOutcome::Duplicate
        );
    }
    assert_eq!(instance.transport.take_cost().0, calls(&["PutItem"; 10]));
    // The next minute starts with an empty cache.
    assert_eq!(accept(&instance, 19, at(1, 0)).await.expect("recorded"), AcceptOutcome::New);
    drop(instance.transport.take_cost());
    assert_eq!(accept(&instance, 19, at(1, 1)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(instance.transport.take_cost().0, calls(&[]));
}

#[tokio::test]
async fn a_start_costs_one_read_and_the_first_of_all_one_write() {
    let cloud = Cloud::start().await;
    let first = new_instance(&cloud);
    first.app.uniques().warm(at(0, 0)).await.expect("a store");
    assert_eq!(first.transport.take_cost().0, calls(&["GetItem", "PutItem"]));
    let second = new_instance(&cloud);
    second.app.uniques().warm(at(0, 0)).await.expect("a store");
    assert_eq!(second.transport.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
    // The shard configuration is read again every five minutes.
    accept(&second, 1, at(4, 59)).await.expect("recorded");
    assert_eq!(second.transport.take_cost().0, calls(&["PutItem"]));
    accept(&second, 1, at(5, 0)).await.expect("recorded");
    assert_eq!(second.transport.take_cost().0, calls(&["GetItem", "PutItem"]));
}

#[tokio::test]
async fn a_minute_costs_two_queries_per_shard_and_two_writes() {
    let cloud = Cloud::start().await;
    let instance = warm_instance(&cloud).await;
    for id in 0..50 {
        accept(&instance, id, at(0, 30)).await.expect("recorded");
    }
    instance.app.minute_closer().tick(at(1, 0).plus(once::uniques::GRACE)).await.expect("a tick");
    drop(instance.transport.take_cost());
    // A tick without work reads the shard configuration and the watermark.
    instance.app.minute_closer().tick(at(1, 30)).await.expect("a tick");
    assert_eq!(instance.transport.take_cost(), (calls(&["GetItem", "Query"]), 0.0, 2.0));

    for id in 0..50 {
        accept(&instance, id, at(1, 30)).await.expect("recorded");
    }
    drop(instance.transport.take_cost());
    instance.app.minute_closer().tick(at(2, 15)).await.expect("a tick");
    let (names, writes, reads) = instance.transport.take_cost();
    let shards = usize::try_from(SHARDS).expect("few");
    let expected =
        [vec!["GetItem"], vec!["Query"; 1 + shards], vec!["PutRecord", "PutItem"]].concat();
    assert_eq!(names, calls(&expected));
    // Each shard holds some 25 ids of less than 100 bytes: one unit reads 4 KB.
    assert_eq!((writes, reads), (1.0, 2.0 + f64::from(SHARDS)));

    // The audit reads a minute again ten minutes later.
    instance.app.minute_closer().tick(at(11, 14)).await.expect("a tick");
    drop(instance.transport.take_cost());
    instance.app.minute_closer().tick(at(12, 0)).await.expect("a tick");
    let (names, ..) = instance.transport.take_cost();
    let closed =
        [vec!["GetItem"], vec!["Query"; 1 + shards], vec!["PutRecord", "PutItem"]].concat();
    let audited = [vec!["GetItem"], vec!["Query"; shards], vec!["UpdateItem"]].concat();
    assert_eq!(names, calls(&[closed, audited].concat()));
    assert_eq!(
        instance
            .app
            .uniques()
            .counts(minute(0), minute(5), once::uniques::DEFAULT_LIMIT)
            .await
            .expect("a page")
            .rows
            .len(),
        6
    );
    assert_eq!(instance.transport.take_cost(), (calls(&["Query", "Query"]), 0.0, 2.0));
}
