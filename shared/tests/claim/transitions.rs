//! Each transition, and each that is refused.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    claim::{Claim, Fence},
    testing::{COMPANIES_TABLE, Cloud},
};
use uuid::Uuid;

use crate::claimed::{
    LEASE, LIFETIME, at, begin, claim, done, failed, finish, finished, key, read, renew, running,
    take, win,
};

async fn attributes(cloud: &Cloud) -> Vec<String> {
    let [item] = cloud.items(COMPANIES_TABLE).await.try_into().expect("one item");
    let mut names: Vec<_> = item.into_keys().collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn what_nobody_claimed_is_not_there_and_cannot_be_taken_or_kept() {
    let (cloud, claims) = begin().await;
    assert_eq!(read(&claims).await, None);
    assert_eq!(take(&claims, at(0)).await, None);
    let fence: Fence = serde_json::from_str("1").expect("a fence");
    assert!(!renew(&claims, fence, at(0)).await);
    assert!(!finish(&claims, fence, &done("made up"), at(0)).await);
    assert!(cloud.items(COMPANIES_TABLE).await.is_empty(), "a refusal writes nothing");
}

#[tokio::test]
async fn the_first_claim_wins_and_the_next_is_told_who_holds_it() {
    let (_cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    let held = running(fence, at(0).plus(LEASE));
    assert_eq!(read(&claims).await, Some(held.clone()));
    assert!(held.is_held(at(9)) && !held.is_held(at(10)) && held.fresh(at(0)).is_none());
    for second in [0, 9] {
        assert_eq!(claim(&claims, at(second)).await, Claim::Occupied(held.clone()));
    }
    assert_eq!(read(&claims).await, Some(held), "a lost claim changes nothing");
}

#[tokio::test]
async fn a_lapsed_lease_is_claimed_and_its_holder_can_neither_renew_nor_finish() {
    let (_cloud, claims) = begin().await;
    let dead = win(&claims, at(0)).await;
    let heir = win(&claims, at(10)).await;
    assert!(heir > dead);
    assert!(!renew(&claims, dead, at(11)).await);
    assert!(!finish(&claims, dead, &done("late"), at(11)).await);
    assert_eq!(read(&claims).await, Some(running(heir, at(20))));
    assert!(finish(&claims, heir, &done("right"), at(12)).await);
    assert!(!finish(&claims, dead, &done("later"), at(13)).await);
    assert_eq!(read(&claims).await, Some(finished(heir, done("right"), at(12))));
}

#[tokio::test]
async fn a_holder_whose_lease_lapsed_goes_on_while_nobody_else_wants_it() {
    let (_cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    assert!(renew(&claims, fence, at(30)).await);
    assert_eq!(read(&claims).await, Some(running(fence, at(40))));
    assert!(finish(&claims, fence, &done("slow"), at(60)).await);
}

#[tokio::test]
async fn a_renewed_lease_is_not_claimed() {
    let (_cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    assert!(renew(&claims, fence, at(9)).await);
    assert_eq!(claim(&claims, at(18)).await, Claim::Occupied(running(fence, at(19))));
    assert!(win(&claims, at(19)).await > fence);
}

#[tokio::test]
async fn a_result_stands_until_its_lifetime_from_its_completion_is_over() {
    let (cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    assert!(finish(&claims, fence, &done("it"), at(8)).await);
    let result = finished(fence, done("it"), at(8));
    // A minute from its completion, not from its claim.
    assert_eq!(claim(&claims, at(67)).await, Claim::Occupied(result.clone()));
    assert!(
        result.fresh(at(67)).is_some() && result.fresh(at(68)).is_none() && !result.is_held(at(9))
    );
    assert_eq!(
        attributes(&cloud).await,
        ["completed_at", "expires_at", "fence", "owner", "pk", "result", "sk", "state"]
    );
    let next = win(&claims, at(68)).await;
    assert!(next > fence);
    assert_eq!(read(&claims).await, Some(running(next, at(78))));
    assert_eq!(
        attributes(&cloud).await,
        ["fence", "lease_until", "owner", "pk", "sk", "state"],
        "no old result"
    );
}

#[tokio::test]
async fn a_failure_has_a_lifetime_of_its_own() {
    let (cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    let short = Duration::from_secs(5);
    assert!(claims.finish(key(), fence, &failed("broken"), short, at(1)).await.expect("an answer"));
    let Some(record) = read(&claims).await else { panic!("nothing") };
    let failure = record.fresh(at(5)).expect("fresh").clone();
    assert_eq!((failure.outcome, failure.expires_at), (failed("broken"), at(6)));
    assert!(matches!(claim(&claims, at(5)).await, Claim::Occupied(_)));
    let next = win(&claims, at(6)).await;
    assert!(finish(&claims, next, &done("mended"), at(7)).await);
    assert_eq!(read(&claims).await, Some(finished(next, done("mended"), at(7))));
    assert!(!attributes(&cloud).await.contains(&"error".to_owned()));
}

#[tokio::test]
async fn work_is_taken_over_once() {
    let (_cloud, claims) = begin().await;
    let asker = win(&claims, at(0)).await;
    let worker = take(&claims, at(1)).await.expect("left to others");
    assert!(worker > asker);
    assert_eq!(read(&claims).await, Some(running(worker, at(11))));
    assert_eq!(take(&claims, at(2)).await, None, "the message came twice");
    assert!(
        !renew(&claims, asker, at(2)).await
            && !finish(&claims, asker, &done("asker's"), at(2)).await
    );
    assert!(
        renew(&claims, worker, at(3)).await
            && finish(&claims, worker, &done("worker's"), at(4)).await
    );
    assert_eq!(take(&claims, at(5)).await, None, "it is done");
    assert_eq!(read(&claims).await, Some(finished(worker, done("worker's"), at(4))));
}

#[tokio::test]
async fn a_late_take_takes_what_was_asked_for_last_and_ends_no_ones_work() {
    let (_cloud, claims) = begin().await;
    win(&claims, at(0)).await;
    let slow = take(&claims, at(60)).await.expect("nobody else wants it");
    // The one that took it dies. Its message comes again: it is not taken twice, but with the next claim.
    assert_eq!(take(&claims, at(80)).await, None);
    let next = win(&claims, at(81)).await;
    let again = take(&claims, at(82)).await.expect("left to others");
    assert!(slow < next && next < again);
    assert_eq!(take(&claims, at(83)).await, None, "the next claim's own message");
    assert!(!finish(&claims, slow, &done("old"), at(84)).await);
    assert!(finish(&claims, again, &done("new"), at(85)).await);
}

#[tokio::test]
async fn who_finishes_twice_is_told_yes_and_the_first_result_stays() {
    let (_cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    assert!(finish(&claims, fence, &done("first"), at(1)).await);
    assert!(finish(&claims, fence, &done("second"), at(2)).await);
    assert_eq!(read(&claims).await, Some(finished(fence, done("first"), at(1))));
    assert!(!renew(&claims, fence, at(3)).await, "what is finished is not running");
    let next = win(&claims, at(61)).await;
    assert!(!finish(&claims, fence, &done("third"), at(62)).await);
    assert_eq!(read(&claims).await, Some(running(next, at(71))));
}

#[tokio::test]
async fn an_owner_that_claims_again_holds_what_it_held() {
    let (_cloud, claims) = begin().await;
    let owner = Uuid::now_v7();
    let claimed =
        async |owner, now| claims.claim(key(), owner, LEASE, now).await.expect("an answer");
    let Claim::Acquired(first) = claimed(owner, at(0)).await else { panic!("not won") };
    assert_eq!(claimed(owner, at(1)).await, Claim::Acquired(first));
    let taken = claims.take(key(), owner, LEASE, at(2)).await.expect("an answer");
    assert_eq!(claims.take(key(), owner, LEASE, at(3)).await.expect("an answer"), taken);
    assert!(finish(&claims, taken.expect("taken"), &done("it"), at(4)).await);
    assert!(
        matches!(claimed(owner, at(5)).await, Claim::Occupied(_)),
        "done is done, whoever asks"
    );
}

#[tokio::test]
async fn a_result_may_fill_what_an_item_holds() {
    let (_cloud, claims) = begin().await;
    let fence = win(&claims, at(0)).await;
    let large = done(&"x".repeat(350 * 1_024));
    assert!(finish(&claims, fence, &large, at(1)).await);
    assert_eq!(read(&claims).await, Some(finished(fence, large, at(1))));
}

#[tokio::test]
async fn what_is_no_claim_is_an_error_and_no_result() {
    for (state, more) in
        [("DONE", "error"), ("FAILED", "result"), ("RUNNING", "result"), ("LOST", "result")]
    {
        let (cloud, claims) = begin().await;
        let mut item = key().attributes();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        item.extend(
            [("state", text(state)), (more, text("?")), ("owner", text(&Uuid::nil().to_string()))]
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
        assert!(claims.read(key()).await.is_err(), "{state} with {more}");
        assert!(
            claims.claim(key(), Uuid::now_v7(), LEASE, at(1)).await.is_err(),
            "{state} with {more}"
        );
    }
}

fn owned<V>((name, value): (&str, V)) -> (String, V) {
    (name.to_owned(), value)
}
