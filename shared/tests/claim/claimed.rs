//! What the tests share: one key, moments after its first claim, and the claims of a process.

use std::time::Duration;

use once::{
    claim::{Claim, Claims, Fence, Finished, Outcome, Record},
    dynamo::keys::{self, Key},
    testing::{COMPANIES_TABLE, Cloud, Instance},
    time::Timestamp,
};
use uuid::Uuid;

pub const LEASE: Duration = Duration::from_secs(10);
pub const LIFETIME: Duration = Duration::from_mins(1);

/// So many seconds after the beginning.
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

/// The claims behind a process's wire.
pub fn claims(cloud: &Cloud, instance: &Instance) -> Claims {
    Claims::new(cloud.aws_behind(&instance.transport).dynamo(), COMPANIES_TABLE.to_owned())
}

/// A store with nothing in it, and a process's claims.
pub async fn begin() -> (Cloud, Claims) {
    let cloud = Cloud::start().await;
    let claims = claims(&cloud, &cloud.instance());
    (cloud, claims)
}

pub async fn claim(claims: &Claims, now: Timestamp) -> Claim {
    claims.claim(key(), Uuid::now_v7(), LEASE, now).await.expect("an answer")
}

pub async fn win(claims: &Claims, now: Timestamp) -> Fence {
    match claim(claims, now).await {
        Claim::Acquired(fence) => fence,
        Claim::Occupied(record) => panic!("{record:?}"),
    }
}

pub async fn take(claims: &Claims, now: Timestamp) -> Option<Fence> {
    claims.take(key(), Uuid::now_v7(), LEASE, now).await.expect("an answer")
}

pub async fn renew(claims: &Claims, fence: Fence, now: Timestamp) -> bool {
    claims.renew(key(), fence, LEASE, now).await.expect("an answer")
}

pub async fn finish(claims: &Claims, fence: Fence, outcome: &Outcome, now: Timestamp) -> bool {
    claims.finish(key(), fence, outcome, LIFETIME, now).await.expect("an answer")
}

pub async fn read(claims: &Claims) -> Option<Record> {
    claims.read(key()).await.expect("an answer")
}

pub fn running(fence: Fence, lease_until: Timestamp) -> Record {
    Record::Running { fence, lease_until }
}

/// Finished at a moment, for the usual time.
pub fn finished(fence: Fence, outcome: Outcome, completed_at: Timestamp) -> Record {
    Record::Finished(Finished {
        fence,
        outcome,
        completed_at,
        expires_at: completed_at.plus(LIFETIME),
    })
}
