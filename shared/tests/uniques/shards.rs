//! The number of shards changes while instances with the old and the new setting accept side by side.

use once::{
    testing::{Cloud, Instance},
    uniques::AcceptOutcome,
};

use crate::counted::{accept, at, minute, numbers, recorded};

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
        // The close has the new setting from the first minute on.
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
    let numbers = numbers(&new).await;
    assert!((0..20).all(|n| numbers[&n] == 10), "{numbers:?}");

    // The old number holds for ten minutes, then the new one.
    let shards_of = async |n| {
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
    assert!(shards_of(9).await < 3);
    assert!(shards_of(10).await >= 3);
    assert_eq!(recorded(&cloud).await.len(), 20);
}
