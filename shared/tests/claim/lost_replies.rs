//! The store executes a request and its reply is lost: the client retries, and gets the same answer
//! as if the first reply had arrived.

use std::future::Future;

use once::{
    claim::{Claim, Claims},
    testing::{Cloud, Fault, Instance},
};

use crate::claim::fixtures::{
    acquire, at, claim, claims, done, finish, finished, read, renew, running, setup, take_over,
};

/// An instance that loses replies.
struct LossyInstance {
    instance: Instance,
    claims: Claims,
}

impl LossyInstance {
    fn new(cloud: &Cloud) -> Self {
        let instance = cloud.instance();
        Self { claims: claims(cloud, &instance), instance }
    }

    /// Loses the first replies of an operation, which then takes one call more.
    async fn losing<T>(&self, replies: u64, operation: impl Future<Output = T>) -> T {
        for call in 1..=replies {
            self.instance.transport.fail_at(call, Fault::LoseReply);
        }
        let answer = operation.await;
        assert_eq!(
            u64::try_from(self.instance.transport.take_calls().len()).expect("few"),
            replies + 1
        );
        answer
    }
}

#[tokio::test]
async fn every_operation_has_its_result_despite_lost_replies() {
    for lost in [1, 2] {
        let (cloud, others) = setup().await;
        let lossy = LossyInstance::new(&cloud);
        let claims = &lossy.claims;
        let Claim::Acquired(claimed) = lossy.losing(lost, claim(claims, at(0))).await else {
            panic!("not acquired")
        };
        assert_eq!(read(&others).await, Some(running(claimed, at(10))));
        assert!(lossy.losing(lost, renew(claims, claimed, at(1))).await);
        let taken = lossy.losing(lost, take_over(claims, at(2))).await.expect("taken");
        assert!(taken > claimed);
        assert_eq!(read(&others).await, Some(running(taken, at(12))));
        assert!(lossy.losing(lost, finish(claims, taken, &done("it"), at(3))).await);
        let result = finished(taken, done("it"), at(3));
        assert_eq!(lossy.losing(lost, read(claims)).await, Some(result.clone()));
        assert_eq!(lossy.losing(lost, claim(claims, at(4))).await, Claim::Occupied(result));
    }
}

#[tokio::test]
async fn a_rejection_whose_reply_is_lost_stays_a_rejection() {
    let (cloud, others) = setup().await;
    let lossy = LossyInstance::new(&cloud);
    let claims = &lossy.claims;
    let expired = acquire(claims, at(0)).await;
    let claimed = acquire(&others, at(10)).await;
    let taken = take_over(&others, at(11)).await.expect("taken");
    drop(lossy.instance.transport.take_calls());
    assert_eq!(
        lossy.losing(1, claim(claims, at(12))).await,
        Claim::Occupied(running(taken, at(21)))
    );
    assert_eq!(lossy.losing(1, take_over(claims, at(12))).await, None);
    for old in [expired, claimed] {
        assert!(!lossy.losing(1, renew(claims, old, at(12))).await);
        assert!(!lossy.losing(1, finish(claims, old, &done("old"), at(12))).await);
    }
    assert_eq!(read(&others).await, Some(running(taken, at(21))));
}

#[tokio::test]
async fn an_unavailable_store_is_an_error_and_the_claim_expires_with_its_lease() {
    let (cloud, others) = setup().await;
    let lossy = LossyInstance::new(&cloud);
    lossy.instance.transport.fail_randomly(1, 1.0, Fault::LoseReply);
    let claimed = lossy
        .claims
        .claim(
            crate::claim::fixtures::key(),
            uuid::Uuid::now_v7(),
            crate::claim::fixtures::LEASE,
            at(0),
        )
        .await;
    assert!(claimed.expect_err("no response").is_transient());
    assert!(
        matches!(claim(&others, at(9)).await, Claim::Occupied(_)),
        "it was recorded nevertheless"
    );
    acquire(&others, at(10)).await;
}
