//! What each operation costs: `docs/COSTS.md` states these numbers.

use once::{
    testing::{Cloud, Process},
    uniques::Verdict,
};

use crate::counted::{SHARDS, accept, at, instance, minute};

fn calls(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn warm(cloud: &Cloud) -> Process {
    let process = instance(cloud);
    process.app.uniques().warm(at(0, 0)).await.expect("a store");
    drop(process.wire.take_cost());
    process
}

#[tokio::test]
async fn an_id_costs_one_put_of_one_unit() {
    let cloud = Cloud::start().await;
    let process = warm(&cloud).await;
    assert_eq!(accept(&process, i64::MIN, at(0, 1)).await.expect("recorded"), Verdict::New);
    assert_eq!(process.wire.take_cost(), (calls(&["PutItem"]), 1.0, 0.0));
}

#[tokio::test]
async fn the_record_of_an_id_is_small_and_expires_a_day_after_its_minute() {
    let cloud = Cloud::start().await;
    accept(&warm(&cloud).await, i64::MIN, at(0, 1)).await.expect("recorded");
    let items = cloud.items(once::testing::UNIQUES_TABLE).await;
    let record = items.iter().find(|item| item.contains_key("ttl")).expect("a record");
    let expires: i64 = record["ttl"].as_n().expect("seconds").parse().expect("a number");
    assert_eq!(expires, at(1, 0).as_seconds() + 24 * 3_600);
    // As DynamoDB counts: names and texts by their bytes, a number of n digits as n / 2 + 1 bytes.
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
    let kept = items.iter().filter(|item| !item.contains_key("ttl")).count();
    assert_eq!(kept, 1, "how ids are counted does not expire");
}

#[tokio::test]
async fn a_duplicate_costs_one_put_where_it_is_new_to_the_instance_and_nothing_where_it_is_not() {
    let cloud = Cloud::start().await;
    let (one, other) = (warm(&cloud).await, warm(&cloud).await);
    accept(&one, 7, at(0, 1)).await.expect("recorded");
    drop(one.wire.take_cost());
    assert_eq!(accept(&one, 7, at(0, 2)).await.expect("an answer"), Verdict::Duplicate);
    assert_eq!(one.wire.take_cost(), (vec![], 0.0, 0.0));
    assert_eq!(accept(&other, 7, at(0, 2)).await.expect("an answer"), Verdict::Duplicate);
    assert_eq!(other.wire.take_cost().0, calls(&["PutItem"]));
    assert_eq!(accept(&other, 7, at(0, 3)).await.expect("an answer"), Verdict::Duplicate);
    assert_eq!(other.wire.take_cost(), (vec![], 0.0, 0.0));
}

#[tokio::test]
async fn past_the_limit_of_the_memory_a_duplicate_costs_a_put_and_is_answered_the_same() {
    let cloud = Cloud::start().await;
    let process = cloud.process_with(|config| {
        config.uniques.shards = SHARDS;
        config.uniques.seen_limit = 10;
    });
    process.app.uniques().warm(at(0, 0)).await.expect("a store");
    for id in 0..20 {
        assert_eq!(accept(&process, id, at(0, 1)).await.expect("recorded"), Verdict::New);
    }
    drop(process.wire.take_cost());
    for id in 0..20 {
        assert_eq!(accept(&process, id, at(0, 2)).await.expect("an answer"), Verdict::Duplicate);
    }
    assert_eq!(process.wire.take_cost().0, calls(&["PutItem"; 10]));
    // The next minute has room again.
    assert_eq!(accept(&process, 19, at(1, 0)).await.expect("recorded"), Verdict::New);
    drop(process.wire.take_cost());
    assert_eq!(accept(&process, 19, at(1, 1)).await.expect("an answer"), Verdict::Duplicate);
    assert_eq!(process.wire.take_cost().0, calls(&[]));
}

#[tokio::test]
async fn a_start_costs_one_read_and_the_very_first_one_write() {
    let cloud = Cloud::start().await;
    let first = instance(&cloud);
    first.app.uniques().warm(at(0, 0)).await.expect("a store");
    assert_eq!(first.wire.take_cost().0, calls(&["GetItem", "PutItem"]));
    let second = instance(&cloud);
    second.app.uniques().warm(at(0, 0)).await.expect("a store");
    assert_eq!(second.wire.take_cost(), (calls(&["GetItem"]), 0.0, 1.0));
    // Every five minutes it is read again.
    accept(&second, 1, at(4, 59)).await.expect("recorded");
    assert_eq!(second.wire.take_cost().0, calls(&["PutItem"]));
    accept(&second, 1, at(5, 0)).await.expect("recorded");
    assert_eq!(second.wire.take_cost().0, calls(&["GetItem", "PutItem"]));
}

#[tokio::test]
async fn a_minute_costs_a_query_a_shard_twice_and_two_writes() {
    let cloud = Cloud::start().await;
    let process = warm(&cloud).await;
    for id in 0..100 {
        accept(&process, id, at(0, 30)).await.expect("recorded");
    }
    process.app.closing().tick(at(1, 0).plus(once::uniques::GRACE)).await.expect("a tick");
    drop(process.wire.take_cost());
    // A tick without work reads how ids are counted and the watermark.
    process.app.closing().tick(at(1, 30)).await.expect("a tick");
    assert_eq!(process.wire.take_cost(), (calls(&["GetItem", "Query"]), 0.0, 2.0));

    for id in 0..100 {
        accept(&process, id, at(1, 30)).await.expect("recorded");
    }
    drop(process.wire.take_cost());
    process.app.closing().tick(at(2, 15)).await.expect("a tick");
    let (names, writes, reads) = process.wire.take_cost();
    let shards = usize::try_from(SHARDS).expect("few");
    let expected = [vec!["GetItem"], vec!["Query"; 1 + shards], vec!["PutRecord", "PutItem"]].concat();
    assert_eq!(names, calls(&expected));
    // Each shard holds some 25 ids of less than 100 bytes: one unit reads 4 KB.
    assert_eq!((writes, reads), (1.0, 2.0 + f64::from(SHARDS)));

    // The audit reads a minute again, at ten minutes' distance.
    process.app.closing().tick(at(11, 14)).await.expect("a tick");
    drop(process.wire.take_cost());
    process.app.closing().tick(at(12, 0)).await.expect("a tick");
    let (names, ..) = process.wire.take_cost();
    let closed = [vec!["GetItem"], vec!["Query"; 1 + shards], vec!["PutRecord", "PutItem"]].concat();
    let audited = [vec!["GetItem"], vec!["Query"; shards], vec!["UpdateItem"]].concat();
    assert_eq!(names, calls(&[closed, audited].concat()));
    assert_eq!(
        process
            .app
            .uniques()
            .counts(minute(0), minute(5), once::uniques::DEFAULT_LIMIT)
            .await
            .expect("a page")
            .counts
            .len(),
        6
    );
    assert_eq!(process.wire.take_cost(), (calls(&["Query", "Query"]), 0.0, 2.0));
}
