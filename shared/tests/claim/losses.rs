//! The store does what it was asked and its reply is lost: the client asks again, and is answered as if nothing had happened.

use std::future::Future;

use once::{
    claim::{Claim, Claims},
    testing::{Cloud, Fault, Instance},
};

use crate::claimed::{
    at, begin, claim, claims, done, finish, finished, read, renew, running, take, win,
};

/// A process that asks, and a way to it.
struct Unlucky {
    instance: Instance,
    claims: Claims,
}

impl Unlucky {
    fn new(cloud: &Cloud) -> Self {
        let instance = cloud.instance();
        Self { claims: claims(cloud, &instance), instance }
    }

    /// Loses the replies to the first calls of an operation, which then takes one call more.
    async fn losing<T>(&self, replies: u64, operation: impl Future<Output = T>) -> T {
        for call in 1..=replies {
            self.instance.transport.fail_at(call, Fault::LoseReply);
        }
        let answer = operation.await;
        assert_eq!(
            u64::try_from(self.instance.transport.take_sent().len()).expect("few"),
            replies + 1
        );
        answer
    }
}

#[tokio::test]
async fn every_operation_ends_as_if_its_reply_had_come() {
    for lost in [1, 2] {
        let (cloud, others) = begin().await;
        let unlucky = Unlucky::new(&cloud);
        let mine = &unlucky.claims;
        let Claim::Acquired(asked) = unlucky.losing(lost, claim(mine, at(0))).await else {
            panic!("not won")
        };
        assert_eq!(read(&others).await, Some(running(asked, at(10))));
        assert!(unlucky.losing(lost, renew(mine, asked, at(1))).await);
        let taken = unlucky.losing(lost, take(mine, at(2))).await.expect("taken");
        assert!(taken > asked);
        assert_eq!(read(&others).await, Some(running(taken, at(12))));
        assert!(unlucky.losing(lost, finish(mine, taken, &done("it"), at(3))).await);
        let result = finished(taken, done("it"), at(3));
        assert_eq!(unlucky.losing(lost, read(mine)).await, Some(result.clone()));
        assert_eq!(unlucky.losing(lost, claim(mine, at(4))).await, Claim::Occupied(result));
    }
}

#[tokio::test]
async fn a_refusal_whose_reply_is_lost_is_still_one() {
    let (cloud, others) = begin().await;
    let unlucky = Unlucky::new(&cloud);
    let mine = &unlucky.claims;
    let dead = win(mine, at(0)).await;
    let holder = win(&others, at(10)).await;
    let taken = take(&others, at(11)).await.expect("taken");
    drop(unlucky.instance.transport.take_sent());
    assert_eq!(
        unlucky.losing(1, claim(mine, at(12))).await,
        Claim::Occupied(running(taken, at(21)))
    );
    assert_eq!(unlucky.losing(1, take(mine, at(12))).await, None);
    for old in [dead, holder] {
        assert!(!unlucky.losing(1, renew(mine, old, at(12))).await);
        assert!(!unlucky.losing(1, finish(mine, old, &done("old"), at(12))).await);
    }
    assert_eq!(read(&others).await, Some(running(taken, at(21))));
}

#[tokio::test]
async fn a_store_that_never_answers_is_an_error_and_leaves_a_claim_that_lapses() {
    let (cloud, others) = begin().await;
    let unlucky = Unlucky::new(&cloud);
    unlucky.instance.transport.fail_randomly(1, 1.0, Fault::LoseReply);
    let claimed = unlucky
        .claims
        .claim(crate::claimed::key(), uuid::Uuid::now_v7(), crate::claimed::LEASE, at(0))
        .await;
    assert!(claimed.expect_err("no answer").is_transient());
    assert!(
        matches!(claim(&others, at(9)).await, Claim::Occupied(_)),
        "it was recorded all the same"
    );
    win(&others, at(10)).await;
}
