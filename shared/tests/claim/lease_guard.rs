//! A guard renews its lease while the work goes on. Leases are renewed in real time, so these are
//! short.

use std::{future::pending, time::Duration};

use once::{
    claim::{Claim, Claims, Fence, LeaseLost, Record},
    testing::{Cloud, Fault},
    time::Clock,
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::claim::fixtures::{
    LIFETIME, acquire, at, claims, done, finish, finished, key, read, setup,
};

const SHORT_LEASE: Duration = Duration::from_millis(60);

/// Time limit for steps that take some milliseconds, on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_lease_is_renewed_while_the_work_goes_on() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let claims = claims(&cloud, &instance);
    let guard =
        claims.guard(key(), acquire_briefly(&claims).await, SHORT_LEASE, Clock::starting(at(0)));
    let work = Box::pin(async {
        while !lease_is_after(&claims, 100).await {
            sleep(Duration::from_millis(1)).await;
        }
        "output"
    });
    let output = timeout(TIME_LIMIT, guard.run_while_held(work)).await.expect("a renewal");
    assert_eq!(output, Ok("output"));
    let fence = guard.fence();
    assert_eq!(guard.finish(&done("it"), LIFETIME).await.expect("a response"), Ok(()));
    let Some(Record::Finished(result)) = read(&claims).await else { panic!("not finished") };
    assert_eq!((result.fence, result.outcome), (fence, done("it")));
    assert!(result.completed_at > at(0), "the guard uses a running clock");
}

/// Claims the key with a short lease.
async fn acquire_briefly(claims: &Claims) -> Fence {
    match claims.claim(key(), Uuid::now_v7(), SHORT_LEASE, at(0)).await.expect("a response") {
        Claim::Acquired(fence) => fence,
        Claim::Occupied(record) => panic!("{record:?}"),
    }
}

/// Returns whether the lease was renewed later than `millis` after the start.
async fn lease_is_after(claims: &Claims, millis: u64) -> bool {
    match read(claims).await {
        Some(Record::Running { lease_until, .. }) => {
            lease_until > at(0).plus(Duration::from_millis(millis) + SHORT_LEASE)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn work_is_dropped_when_another_owner_has_claimed_the_key() {
    let (_cloud, claims) = setup().await;
    let guard =
        claims.guard(key(), acquire_briefly(&claims).await, SHORT_LEASE, Clock::starting(at(0)));
    let successor = acquire(&claims, at(1_000)).await;
    let lost = timeout(TIME_LIMIT, guard.run_while_held(pending::<()>()))
        .await
        .expect("the loss is noticed");
    assert_eq!(lost, Err(LeaseLost));
    assert_eq!(guard.finish(&done("old"), LIFETIME).await.expect("a response"), Err(LeaseLost));
    assert!(finish(&claims, successor, &done("new"), at(1_001)).await);
    assert_eq!(read(&claims).await, Some(finished(successor, done("new"), at(1_001))));
}

#[tokio::test]
async fn a_failed_renewal_does_not_end_the_work() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let claims = claims(&cloud, &instance);
    let guard =
        claims.guard(key(), acquire_briefly(&claims).await, SHORT_LEASE, Clock::starting(at(0)));
    // The first renewal fails in all of its attempts, and the next one succeeds.
    for call in 1..=3 {
        instance.transport.fail_at(call, Fault::Refuse);
    }
    drop(instance.transport.take_calls());
    let until_renewed = Box::pin(async {
        let others = crate::claim::fixtures::claims(&cloud, &cloud.instance());
        while !lease_is_after(&others, 0).await {
            sleep(Duration::from_millis(1)).await;
        }
    });
    timeout(TIME_LIMIT, guard.run_while_held(until_renewed))
        .await
        .expect("a renewal")
        .expect("the lease");
    assert!(instance.transport.take_calls().len() > 3);
}
