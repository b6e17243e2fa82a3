//! Fixtures: one key, times after its first claim, and the claims of an instance.

use std::time::Duration;

use once::{
    claim::{Claim, Claims, Completion, Fence, Outcome, Record},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud, Instance},
    time::Timestamp,
};
use uuid::Uuid;

pub const LEASE: Duration = Duration::from_secs(10);
pub const LIFETIME: Duration = Duration::from_mins(1);

/// Returns the time this number of seconds after the start.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_795_216_800_000 + seconds * 1_000)
}

pub fn key() -> Key {
    keys::base("company")
}

pub fn done(result: &str) -> Outcome {
    Outcome::Done(result.to_owned())
}

pub fn failed(error: &str) -> Outcome {
    Outcome::Failed(error.to_owned())
}

/// Returns claims whose calls go through the instance's transport.
pub fn claims(cloud: &Cloud, instance: &Instance) -> Claims {
    Claims::new(cloud.aws_behind(&instance.transport).dynamo(), COMPANIES_TABLE.to_owned())
}

/// Returns an empty store, and an instance's claims.
pub async fn setup() -> (Cloud, Claims) {
    let cloud = Cloud::start().await;
    let claims = claims(&cloud, &cloud.instance());
    (cloud, claims)
}

pub async fn claim(claims: &Claims, now: Timestamp) -> Claim {
    claims.claim(key(), Uuid::now_v7(), LEASE, now).await.expect("a response")
}

pub async fn acquire(claims: &Claims, now: Timestamp) -> Fence {
    match claim(claims, now).await {
        Claim::Acquired(fence) => fence,
        Claim::Occupied(record) => panic!("{record:?}"),
    }
}

pub async fn take_over(claims: &Claims, now: Timestamp) -> Option<Fence> {
    claims.take_over(key(), Uuid::now_v7(), LEASE, now).await.expect("a response")
}

pub async fn renew(claims: &Claims, fence: Fence, now: Timestamp) -> bool {
    claims.renew(key(), fence, LEASE, now).await.expect("a response")
}

pub async fn finish(claims: &Claims, fence: Fence, outcome: &Outcome, now: Timestamp) -> bool {
    claims.finish(key(), fence, outcome, LIFETIME, now).await.expect("a response")
}

pub async fn read(claims: &Claims) -> Option<Record> {
    claims.read(key()).await.expect("a response")
}

pub fn running(fence: Fence, lease_until: Timestamp) -> Record {
    Record::Running { fence, lease_until }
}

/// Returns the record of a claim that finished at this time, with the usual lifetime.
pub fn finished(fence: Fence, outcome: Outcome, completed_at: Timestamp) -> Record {
    Record::Finished(Completion {
        fence,
        outcome,
        completed_at,
        expires_at: completed_at.plus(LIFETIME),
    })
}
