//! Each transition of a claim, and each rejection.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    claim::{Claim, Fence},
    testing::{COMPANIES_TABLE, Cloud},
};
use uuid::Uuid;

use crate::claim::fixtures::{
    LEASE, LIFETIME, acquire, at, claim, done, failed, finish, finished, key, read, renew, running,
    setup, take_over,
};

async fn attributes(cloud: &Cloud) -> Vec<String> {
    let [item] = cloud.items(COMPANIES_TABLE).await.try_into().expect("one item");
    let mut names: Vec<_> = item.into_keys().collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn an_unclaimed_key_cannot_be_taken_over_renewed_or_finished() {
    let (cloud, claims) = setup().await;
    assert_eq!(read(&claims).await, None);
    assert_eq!(take_over(&claims, at(0)).await, None);
    let fence: Fence = serde_json::from_str("1").expect("a fence");
    assert!(!renew(&claims, fence, at(0)).await);
    assert!(!finish(&claims, fence, &done("made up"), at(0)).await);
    assert!(cloud.items(COMPANIES_TABLE).await.is_empty(), "a rejection writes nothing");
}

#[tokio::test]
async fn the_first_claim_acquires_the_key_and_the_next_gets_its_record() {
    let (_cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    let record = running(fence, at(0).plus(LEASE));
    assert_eq!(read(&claims).await, Some(record.clone()));
    assert!(record.is_held(at(9)) && !record.is_held(at(10)) && record.fresh(at(0)).is_none());
    for second in [0, 9] {
        assert_eq!(claim(&claims, at(second)).await, Claim::Occupied(record.clone()));
    }
    assert_eq!(read(&claims).await, Some(record), "a rejected claim changes nothing");
}

#[tokio::test]
async fn an_expired_lease_is_claimed_and_its_holder_can_neither_renew_nor_finish() {
    let (_cloud, claims) = setup().await;
    let expired = acquire(&claims, at(0)).await;
    let successor = acquire(&claims, at(10)).await;
    assert!(successor > expired);
    assert!(!renew(&claims, expired, at(11)).await);
    assert!(!finish(&claims, expired, &done("late"), at(11)).await);
    assert_eq!(read(&claims).await, Some(running(successor, at(20))));
    assert!(finish(&claims, successor, &done("right"), at(12)).await);
    assert!(!finish(&claims, expired, &done("later"), at(13)).await);
    assert_eq!(read(&claims).await, Some(finished(successor, done("right"), at(12))));
}

#[tokio::test]
async fn a_holder_with_an_expired_lease_continues_until_another_claims_the_key() {
    let (_cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    assert!(renew(&claims, fence, at(30)).await);
    assert_eq!(read(&claims).await, Some(running(fence, at(40))));
    assert!(finish(&claims, fence, &done("slow"), at(60)).await);
}

#[tokio::test]
async fn a_renewed_lease_cannot_be_claimed() {
    let (_cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    assert!(renew(&claims, fence, at(9)).await);
    assert_eq!(claim(&claims, at(18)).await, Claim::Occupied(running(fence, at(19))));
    assert!(acquire(&claims, at(19)).await > fence);
}

#[tokio::test]
async fn a_result_is_kept_for_its_lifetime_from_its_completion() {
    let (cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    assert!(finish(&claims, fence, &done("it"), at(8)).await);
    let result = finished(fence, done("it"), at(8));
    // The minute counts from its completion, not from its claim.
    assert_eq!(claim(&claims, at(67)).await, Claim::Occupied(result.clone()));
    assert!(
        result.fresh(at(67)).is_some() && result.fresh(at(68)).is_none() && !result.is_held(at(9))
    );
    assert_eq!(
        attributes(&cloud).await,
        ["completed_at", "expires_at", "fence", "owner", "pk", "result", "sk", "state"]
    );
    let next = acquire(&claims, at(68)).await;
    assert!(next > fence);
    assert_eq!(read(&claims).await, Some(running(next, at(78))));
    assert_eq!(
        attributes(&cloud).await,
        ["fence", "lease_until", "owner", "pk", "sk", "state"],
        "the old result is removed"
    );
}

#[tokio::test]
async fn a_failure_has_its_own_lifetime() {
    let (cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    let short = Duration::from_secs(5);
    assert!(
        claims.finish(key(), fence, &failed("broken"), short, at(1)).await.expect("a response")
    );
    let Some(record) = read(&claims).await else { panic!("no record") };
    let failure = record.fresh(at(5)).expect("fresh").clone();
    assert_eq!((failure.outcome, failure.expires_at), (failed("broken"), at(6)));
    assert!(matches!(claim(&claims, at(5)).await, Claim::Occupied(_)));
    let next = acquire(&claims, at(6)).await;
    assert!(finish(&claims, next, &done("fixed"), at(7)).await);
    assert_eq!(read(&claims).await, Some(finished(next, done("fixed"), at(7))));
    assert!(!attributes(&cloud).await.contains(&"error".to_owned()));
}

#[tokio::test]
async fn work_is_taken_over_once() {
    let (_cloud, claims) = setup().await;
    let claimer = acquire(&claims, at(0)).await;
    let worker = take_over(&claims, at(1)).await.expect("a running claim");
    assert!(worker > claimer);
    assert_eq!(read(&claims).await, Some(running(worker, at(11))));
    assert_eq!(take_over(&claims, at(2)).await, None, "a message delivered twice");
    assert!(
        !renew(&claims, claimer, at(2)).await
            && !finish(&claims, claimer, &done("claimer's"), at(2)).await
    );
    assert!(
        renew(&claims, worker, at(3)).await
            && finish(&claims, worker, &done("worker's"), at(4)).await
    );
    assert_eq!(take_over(&claims, at(5)).await, None, "the work is done");
    assert_eq!(read(&claims).await, Some(finished(worker, done("worker's"), at(4))));
}

#[tokio::test]
async fn a_late_takeover_takes_the_newest_claim_and_does_not_end_running_work() {
    let (_cloud, claims) = setup().await;
    acquire(&claims, at(0)).await;
    let slow = take_over(&claims, at(60)).await.expect("not claimed since");
    // The worker dies. Its redelivered message takes over nothing until the next claim.
    assert_eq!(take_over(&claims, at(80)).await, None);
    let next = acquire(&claims, at(81)).await;
    let again = take_over(&claims, at(82)).await.expect("a running claim");
    assert!(slow < next && next < again);
    assert_eq!(take_over(&claims, at(83)).await, None, "the next claim's own message");
    assert!(!finish(&claims, slow, &done("old"), at(84)).await);
    assert!(finish(&claims, again, &done("new"), at(85)).await);
}

#[tokio::test]
async fn finishing_twice_succeeds_and_the_first_result_stays() {
    let (_cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    assert!(finish(&claims, fence, &done("first"), at(1)).await);
    assert!(finish(&claims, fence, &done("second"), at(2)).await);
    assert_eq!(read(&claims).await, Some(finished(fence, done("first"), at(1))));
    assert!(!renew(&claims, fence, at(3)).await, "a finished claim is not running");
    let next = acquire(&claims, at(61)).await;
    assert!(!finish(&claims, fence, &done("third"), at(62)).await);
    assert_eq!(read(&claims).await, Some(running(next, at(71))));
}

#[tokio::test]
async fn an_owner_that_claims_again_gets_the_same_fence() {
    let (_cloud, claims) = setup().await;
    let owner = Uuid::now_v7();
    let claimed =
        async |owner, now| claims.claim(key(), owner, LEASE, now).await.expect("a response");
    let Claim::Acquired(first) = claimed(owner, at(0)).await else { panic!("not acquired") };
    assert_eq!(claimed(owner, at(1)).await, Claim::Acquired(first));
    let taken = claims.take_over(key(), owner, LEASE, at(2)).await.expect("a response");
    assert_eq!(claims.take_over(key(), owner, LEASE, at(3)).await.expect("a response"), taken);
    assert!(finish(&claims, taken.expect("taken"), &done("it"), at(4)).await);
    assert!(
        matches!(claimed(owner, at(5)).await, Claim::Occupied(_)),
        "finished, for the same owner too"
    );
}

#[tokio::test]
async fn a_result_of_350_kb_fits_an_item() {
    let (_cloud, claims) = setup().await;
    let fence = acquire(&claims, at(0)).await;
    let large = done(&"x".repeat(350 * 1_024));
    assert!(finish(&claims, fence, &large, at(1)).await);
    assert_eq!(read(&claims).await, Some(finished(fence, large, at(1))));
}

#[tokio::test]
async fn an_invalid_item_is_an_error_and_not_a_result() {
    for (state, attribute) in
        [("DONE", "error"), ("FAILED", "result"), ("RUNNING", "result"), ("LOST", "result")]
    {
        let (cloud, claims) = setup().await;
        let mut item = key().attributes();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        item.extend(
            [
                ("state", text(state)),
                (attribute, text("?")),
                ("owner", text(&Uuid::nil().to_string())),
            ]
            .map(owned),
        );
        item.extend(
            [
                ("fence", AttributeValue::N("7".to_owned())),
                ("completed_at", text(&at(0).to_string())),
            ]
            .map(owned),
        );
        item.insert("expires_at".to_owned(), text(&at(0).plus(LIFETIME).to_string()));
        cloud
            .client()
            .put_item()
            .table_name(COMPANIES_TABLE)
            .set_item(Some(item))
            .send()
            .await
            .expect("put");
        assert!(claims.read(key()).await.is_err(), "{state} with {attribute}");
        assert!(
            claims.claim(key(), Uuid::now_v7(), LEASE, at(1)).await.is_err(),
            "{state} with {attribute}"
        );
    }
}

fn owned<V>((name, value): (&str, V)) -> (String, V) {
    (name.to_owned(), value)
}
