//! Ticks run late, twice, or not at all: every minute is published once, with its exact count.

use std::collections::BTreeMap;

use once::{
    testing::{Cloud, Instance},
    uniques::{AcceptOutcome, TickSummary},
};

use crate::uniques::fixtures::{
    SHARDS, accept, at, items, minute, new_instance, published, published_counts,
};

async fn tick(instance: &Instance, n: i64, seconds: i64) -> TickSummary {
    instance.app.minute_closer().tick(at(n, seconds)).await.expect("a tick")
}

#[tokio::test]
async fn a_minute_is_published_after_its_grace_and_not_before() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for id in 0..5 {
        assert_eq!(accept(&instance, id, at(0, 59)).await.expect("recorded"), AcceptOutcome::New);
    }
    tick(&instance, 1, 14).await;
    assert_eq!(published_counts(&instance).await, BTreeMap::from([(-1, 0)]));
    assert_eq!(tick(&instance, 1, 15).await.published, 1);
    assert_eq!(published_counts(&instance).await, BTreeMap::from([(-1, 0), (0, 5)]));
    assert_eq!(tick(&instance, 1, 15).await, TickSummary::default());
}

#[tokio::test]
async fn an_id_is_counted_in_the_minute_of_its_request_and_again_in_the_next() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for (id, n, outcome) in
        [(1, 0, AcceptOutcome::New), (1, 0, AcceptOutcome::Duplicate), (1, 1, AcceptOutcome::New)]
    {
        assert_eq!(accept(&instance, id, at(n, 30)).await.expect("an answer"), outcome);
    }
    // The minute of the request alone decides, even after the instance has served a newer minute.
    assert_eq!(accept(&instance, 1, at(0, 59)).await.expect("an answer"), AcceptOutcome::Duplicate);
    assert_eq!(accept(&instance, 2, at(0, 59)).await.expect("an answer"), AcceptOutcome::New);
    tick(&instance, 3, 0).await;
    assert_eq!(published_counts(&instance).await, BTreeMap::from([(-1, 0), (0, 2), (1, 1)]));
}

#[tokio::test]
async fn a_tick_after_an_hour_without_ticks_closes_every_minute() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for n in 0..60 {
        for id in 0..n % 7 {
            accept(&instance, id, at(n, 1)).await.expect("recorded");
        }
    }
    let summary = tick(&instance, 61, 15).await;
    assert_eq!(summary.published, 61, "the sixty and the one after");
    assert_eq!(summary.audited, 51, "those that ended ten minutes ago");
    let counts = published_counts(&instance).await;
    assert!((0..60).all(|n| counts[&n] == u64::try_from(n % 7).expect("small")), "{counts:?}");
    let streamed = cloud.services().stream_records();
    assert_eq!(streamed.len(), 61);
    assert!(streamed.iter().all(|(key, count)| *key == count.minute.to_string()));
    assert!(streamed.is_sorted_by_key(|(key, _)| key.clone()), "oldest first");
}

#[tokio::test]
async fn concurrent_ticks_publish_a_minute_once() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for id in 0..50 {
        accept(&instance, id, at(0, 30)).await.expect("recorded");
    }
    let closers: Vec<Instance> = (0..5).map(|_| new_instance(&cloud)).collect();
    let ticks = closers.iter().map(|instance| instance.app.minute_closer().tick(at(2, 0)));
    let ticks = futures_util::future::join_all(ticks)
        .await
        .into_iter()
        .map(|tick| tick.expect("a tick").published);
    assert_eq!(ticks.sum::<u32>(), 2, "the minute and the one before");
    assert_eq!(items(&cloud, "MINUTE").await.len(), 2);
    assert_eq!(published_counts(&instance).await[&0], 50);
    // The stream may have it more than once, with the same count.
    let streamed = cloud.services().stream_records();
    assert!(
        streamed
            .iter()
            .filter(|(key, _)| *key == minute(0).to_string())
            .all(|(_, count)| count.unique_ids == 50)
    );
}

#[tokio::test]
async fn nothing_is_published_before_the_first_instance_has_started() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    assert_eq!(tick(&instance, 5, 0).await, TickSummary::default());
    instance.app.uniques().warm(at(10, 0)).await.expect("a store");
    tick(&instance, 12, 0).await;
    assert_eq!(published_counts(&instance).await, BTreeMap::from([(9, 0), (10, 0)]));
}

#[tokio::test]
async fn an_id_that_is_accepted_after_its_minute_was_published_leads_to_a_correction() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    tick(&instance, 2, 0).await;
    // A clock that is three minutes behind violates the assumption.
    let behind = new_instance(&cloud);
    assert_eq!(accept(&behind, 2, at(0, 59)).await.expect("recorded"), AcceptOutcome::New);

    tick(&instance, 10, 59).await;
    assert!(items(&cloud, "CORRECTION").await.is_empty(), "the audit is not due yet");
    let ticks = futures_util::future::join(tick(&instance, 11, 0), tick(&behind, 11, 0)).await;
    assert!(ticks.0.audited + ticks.1.audited >= 2);
    let corrections = items(&cloud, "CORRECTION").await;
    let correction = &corrections[&minute(0).to_string()];
    let number = |name: &str| correction[name].as_n().expect(name).clone();
    assert_eq!((number("published"), number("counted")), ("1".to_owned(), "2".to_owned()));
    let counts = published(&instance).await;
    let count = counts.iter().find(|count| count.minute == minute(0)).expect("published");
    assert_eq!(
        (count.unique_ids, count.corrected),
        (1, Some(2)),
        "the published count is unchanged"
    );
    assert!(
        counts
            .iter()
            .filter(|count| count.minute != minute(0))
            .all(|count| count.corrected.is_none())
    );
}

#[tokio::test]
async fn a_minute_whose_records_may_have_expired_is_marked_incomplete() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance_with(|config| {
        config.uniques.shards = SHARDS;
        config.uniques.retention = std::time::Duration::from_mins(10);
    });
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    tick(&instance, 12, 0).await;
    let counts = published(&instance).await;
    let incomplete: Vec<_> =
        counts.iter().filter(|count| count.incomplete).map(|count| count.minute).collect();
    assert_eq!(incomplete, [minute(-1), minute(0)], "those that ended more than ten minutes ago");
}

#[tokio::test]
async fn pages_of_counts_have_neither_gaps_nor_overlaps() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    accept(&instance, 1, at(0, 30)).await.expect("recorded");
    tick(&instance, 10, 30).await;
    let uniques = instance.app.uniques();
    let mut from = minute(0);
    let mut minutes = Vec::new();
    loop {
        let page =
            uniques.counts(from, minute(8), 4.try_into().expect("a limit")).await.expect("a page");
        assert!(page.rows.len() <= 4);
        minutes.extend(page.rows.iter().map(|count| count.minute));
        match page.next {
            Some(next) => from = next,
            None => break,
        }
    }
    assert_eq!(minutes, (0..=8).map(minute).collect::<Vec<_>>());
}
