//! The process dies before or after any of its calls.

use std::collections::{BTreeMap, BTreeSet};

use once::{
    sqs::Delivery,
    testing::{
        Cloud, Instance,
        crash::{at_every_call, at_every_call_with},
    },
    uniques::{AcceptOutcome, Message},
};

use crate::uniques::fixtures::{
    SHARDS, accept, accept_with_callback, at, minute, new_instance, published_counts, recorded,
    request,
};

const URL: &str = "https://shop.example/counted";

/// Starts an instance that has stored the shard configuration.
async fn first_instance(cloud: &Cloud) -> Instance {
    let instance = new_instance(cloud);
    instance.app.uniques().warm(at(0, 0)).await.expect("a store");
    instance
}

#[tokio::test]
async fn an_id_whose_process_died_is_counted_once() {
    let deaths = at_every_call(
        async |_: &Cloud| request(7, at(0, 30)),
        async |instance, request| drop(instance.app.uniques().accept(request).await),
        async |cloud, retry, _| {
            let outcome = accept(retry, 7, at(0, 31)).await.expect("an answer");
            let ids = recorded(cloud).await;
            assert_eq!(ids[&minute(0).to_string()].len(), 1, "after {outcome:?}");
        },
    )
    .await;
    assert_eq!(deaths, 2 * 3, "the shard configuration is read and created, and the id is put");
}

#[tokio::test]
async fn a_close_that_died_is_repeated_by_the_next_tick() {
    let deaths = at_every_call_with(
        |config| config.uniques.shards = SHARDS,
        async |cloud: &Cloud| {
            let instance = first_instance(cloud).await;
            for id in 0..9 {
                accept(&instance, id, at(0, 30)).await.expect("recorded");
            }
            accept_with_callback(&instance, 9, at(0, 30), URL).await;
        },
        async |instance, ()| drop(instance.app.minute_closer().tick(at(1, 15)).await),
        async |cloud, next, ()| {
            next.app.minute_closer().tick(at(2, 15)).await.expect("a tick");
            assert_eq!(published_counts(next).await, BTreeMap::from([(-1, 0), (0, 10), (1, 0)]));
            let streamed = cloud.services().stream_records();
            for (key, count) in &streamed {
                assert_eq!(count.unique_ids, if *key == minute(0).to_string() { 10 } else { 0 });
            }
            let keys: BTreeSet<_> = streamed.iter().map(|(key, _)| key.clone()).collect();
            assert_eq!(keys.len(), 3, "every minute is on the stream");
            let messages = cloud.services().take_message_bodies();
            assert!(!messages.is_empty(), "the callback's shard is sent at least once");
            assert!(
                messages.iter().all(|message| *message == messages[0]),
                "always the same message"
            );
        },
    )
    .await;
    // The shard configuration; the watermark; for two minutes each shard, the stream and the
    // record; the queue once.
    assert_eq!(deaths, 2 * (1 + 1 + 2 * (usize::try_from(SHARDS).expect("few") + 2) + 1));
}

#[tokio::test]
async fn an_audit_that_died_is_repeated_by_the_next_tick() {
    at_every_call_with(
        |config| config.uniques.shards = SHARDS,
        async |cloud: &Cloud| {
            let instance = first_instance(cloud).await;
            accept(&instance, 1, at(0, 30)).await.expect("recorded");
            instance.app.minute_closer().tick(at(10, 59)).await.expect("a tick");
            accept(&instance, 2, at(0, 59)).await.expect("recorded");
        },
        async |instance, ()| drop(instance.app.minute_closer().tick(at(11, 14)).await),
        async |cloud, next, ()| {
            next.app.minute_closer().tick(at(12, 0)).await.expect("a tick");
            let corrections = crate::uniques::fixtures::items(cloud, "CORRECTION").await;
            assert_eq!(corrections.len(), 1);
            assert_eq!(
                corrections[&minute(0).to_string()]["counted"].as_n().expect("a number"),
                "2"
            );
            let config = crate::uniques::fixtures::items(cloud, "SHARD_CONFIG").await;
            assert_eq!(
                config["SHARD_CONFIG"]["audited"].as_s().expect("a minute"),
                &minute(1).to_string()
            );
        },
    )
    .await;
}

#[tokio::test]
async fn all_callbacks_of_a_shard_are_sent_although_their_worker_dies() {
    let deaths = at_every_call(
        async |cloud: &Cloud| {
            let instance = cloud.instance_with(|config| config.uniques.shards = 1);
            instance.app.uniques().warm(at(0, 0)).await.expect("a store");
            for id in 0..25 {
                accept_with_callback(&instance, id, at(0, 30), URL).await;
            }
            accept(&instance, 100, at(0, 30)).await.expect("recorded");
            let message = Message::FanOut { minute: minute(0), shard: 0, unique_ids: 26 };
            let body = serde_json::to_string(&message).expect("a message");
            Delivery { body, receipt: "receipt".to_owned(), attempt: 1 }
        },
        async |instance, delivery| drop(instance.app.callbacks().handle(delivery, at(2, 0)).await),
        async |cloud, next, delivery| {
            next.app.callbacks().handle(delivery, at(3, 0)).await.expect("sent");
            let messages = cloud.services().take_message_bodies();
            let ids: BTreeSet<String> = messages
                .iter()
                .map(|message| match serde_json::from_str(message).expect("a message") {
                    Message::Callback { minute: of, id, url, unique_ids } => {
                        assert_eq!((of, url.as_str(), unique_ids), (minute(0), URL, 26));
                        id.to_string()
                    }
                    Message::FanOut { .. } => panic!("a shard is fanned out once"),
                })
                .collect();
            assert_eq!(ids.len(), 25);
        },
    )
    .await;
    assert_eq!(deaths, 2 * (1 + 3), "one page of the shard, three batches of messages");
}

#[tokio::test]
async fn instances_that_start_first_agree_on_the_shard_configuration() {
    let cloud = Cloud::start().await;
    let instances: Vec<Instance> = (1..=8)
        .map(|shards| cloud.instance_with(|config| config.uniques.shards = shards))
        .collect();
    let answers = instances.iter().map(|instance| accept(instance, 7, at(0, 30)));
    let answers = futures_util::future::join_all(answers).await;
    let new = answers.into_iter().filter(|answer| matches!(answer, Ok(AcceptOutcome::New))).count();
    assert_eq!(new, 1);
    assert_eq!(recorded(&cloud).await[&minute(0).to_string()].len(), 1);
}
