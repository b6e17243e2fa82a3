//! The number of shards changes while instances with the old and the new setting accept ids
//! concurrently.

use once::{
    testing::{Cloud, Instance},
    uniques::AcceptOutcome,
};

use crate::uniques::fixtures::{accept, at, minute, published_counts, recorded};

fn with_shards(cloud: &Cloud, shards: u32) -> Instance {
    cloud.instance_with(|config| config.uniques.shards = shards)
}

#[tokio::test]
async fn an_id_is_accepted_once_while_the_number_of_shards_changes() {
    let cloud = Cloud::start().await;
    let old = with_shards(&cloud, 3);
    accept(&old, 0, at(0, 0)).await.expect("recorded");
    let new = with_shards(&cloud, 7);
    for n in 0..20 {
        // The closer has the new setting from the first minute on.
        new.app.minute_closer().tick(at(n, 5)).await.expect("a tick");
        for id in 0..10 {
            let (first, second) = if id % 2 == 0 { (&old, &new) } else { (&new, &old) };
            let expected =
                if (n, id) == (0, 0) { AcceptOutcome::Duplicate } else { AcceptOutcome::New };
            assert_eq!(
                accept(first, id, at(n, 30)).await.expect("an answer"),
                expected,
                "{n} {id}"
            );
            assert_eq!(
                accept(second, id, at(n, 31)).await.expect("an answer"),
                AcceptOutcome::Duplicate,
                "{n} {id}"
            );
        }
    }
    new.app.minute_closer().tick(at(21, 15)).await.expect("a tick");
    let counts = published_counts(&new).await;
    assert!((0..20).all(|n| counts[&n] == 10), "{counts:?}");

    // The old number applies for ten minutes, then the new one.
    let last_shard = async |n| {
        let pks: Vec<String> = cloud
            .items(once::testing::UNIQUES_TABLE)
            .await
            .iter()
            .map(|item| item["pk"].as_s().expect("pk").clone())
            .collect();
        let own = pks
            .iter()
            .filter_map(|pk| pk.strip_prefix(&format!("{}#", minute(n)))?.parse::<u32>().ok());
        own.max().expect("ids")
    };
    assert!(last_shard(9).await < 3);
    assert!(last_shard(10).await >= 3);
    assert_eq!(recorded(&cloud).await.len(), 20);
}
