//! Fixtures: minutes of one hour, requests in them, and the items of the table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    testing::{Cloud, Instance, UNIQUES_TABLE},
    time::{Minute, Timestamp},
    uniques::{AcceptError, AcceptOutcome, AcceptRequest, Count, Limit},
};
use uuid::Uuid;

/// Number of shards of a test: the fewest whose counts must be added up, since every close queries
/// each of them.
pub const SHARDS: u32 = 2;

/// Starts an instance with [`SHARDS`] shards.
pub fn new_instance(cloud: &Cloud) -> Instance {
    cloud.instance_with(|config| config.uniques.shards = SHARDS)
}

/// Returns minute `n` of the hour.
pub fn minute(n: i64) -> Minute {
    Minute::of(Timestamp::from_millis(1_795_216_800_000)).plus(n)
}

/// Returns the time `seconds` after the beginning of minute `n` of the hour.
pub fn at(n: i64, seconds: i64) -> Timestamp {
    Timestamp::from_millis(minute(n).start().as_millis() + seconds * 1_000)
}

/// Returns a request to count this id.
pub fn request(id: i64, received_at: Timestamp) -> AcceptRequest {
    let (now, token) = (received_at, Uuid::now_v7());
    AcceptRequest { id: id.into(), received_at, now, token, callback: None }
}

/// Sends a request to count this id, and returns its outcome.
pub async fn accept(
    instance: &Instance,
    id: i64,
    at: Timestamp,
) -> Result<AcceptOutcome, AcceptError> {
    instance.app.uniques().accept(&request(id, at)).await.map(|accepted| accepted.outcome)
}

/// Sends a request to count this new id, with a callback.
pub async fn accept_with_callback(instance: &Instance, id: i64, at: Timestamp, url: &str) {
    let callback = Some(url.parse().expect("a valid URL"));
    let request = AcceptRequest { callback, ..request(id, at) };
    let accepted = instance.app.uniques().accept(&request).await.expect("recorded");
    assert_eq!(accepted.outcome, AcceptOutcome::New);
}

/// Reads the published minutes as a caller does.
pub async fn published(instance: &Instance) -> Vec<Count> {
    let limit = Limit::try_from(1_440).expect("a valid limit");
    instance.app.uniques().counts(minute(-10), minute(1_000), limit).await.expect("a page").rows
}

/// Reads the published counts by minute of the hour.
pub async fn published_counts(instance: &Instance) -> BTreeMap<i64, u64> {
    let offset =
        |count: &Count| (count.minute.start().as_millis() - minute(0).start().as_millis()) / 60_000;
    published(instance).await.iter().map(|count| (offset(count), count.unique_ids)).collect()
}

/// Reads the recorded ids by the text of their minute.
pub async fn recorded(cloud: &Cloud) -> BTreeMap<String, BTreeSet<i64>> {
    let mut ids: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for item in cloud.items(UNIQUES_TABLE).await {
        let text = |name: &str| item[name].as_s().expect(name).clone();
        if let Some((minute, _)) = text("pk").split_once('#') {
            let new = ids
                .entry(minute.to_owned())
                .or_default()
                .insert(text("sk").parse().expect("an id"));
            assert!(new, "an id is in two shards");
        }
    }
    ids
}

/// Reads the items of one partition, by their sort key.
pub async fn items(
    cloud: &Cloud,
    partition: &str,
) -> BTreeMap<String, HashMap<String, AttributeValue>> {
    let items = cloud.items(UNIQUES_TABLE).await.into_iter();
    let own = items.filter(|item| item["pk"].as_s().expect("pk") == partition);
    own.map(|item| (item["sk"].as_s().expect("sk").clone(), item)).collect()
}
