//! Holding what was won while the work goes on. Leases are renewed in real time, so these are short.

use std::{future::pending, time::Duration};

use once::{
    claim::{Claim, Claims, Fence, LeaseLost, Record},
    testing::{Cloud, Fault},
    time::Clock,
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::claimed::{LIFETIME, at, begin, claims, done, finish, finished, key, read, win};

const SHORT: Duration = Duration::from_millis(60);

/// How long a busy machine may take for what takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_lease_is_renewed_as_long_as_the_work_goes_on() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let claims = claims(&cloud, &instance);
    let held = claims.hold(key(), briefly(&claims).await, SHORT, Clock::starting(at(0)));
    let renewals = Box::pin(async {
        while !lease_is_after(&claims, 100).await {
            sleep(Duration::from_millis(1)).await;
        }
        "worked"
    });
    let worked = timeout(PATIENCE, held.run_while_held(renewals)).await.expect("it is renewed");
    assert_eq!(worked, Ok("worked"));
    let fence = held.fence();
    assert_eq!(held.finish(&done("it"), LIFETIME).await.expect("an answer"), Ok(()));
    let Some(Record::Finished(result)) = read(&claims).await else { panic!("not finished") };
    assert_eq!((result.fence, result.outcome), (fence, done("it")));
    assert!(result.completed_at > at(0), "the clock goes on");
}

/// Claims for a short time.
async fn briefly(claims: &Claims) -> Fence {
    match claims.claim(key(), Uuid::now_v7(), SHORT, at(0)).await.expect("an answer") {
        Claim::Acquired(fence) => fence,
        Claim::Occupied(record) => panic!("{record:?}"),
    }
}

/// The lease has been renewed to at least so many milliseconds after the beginning.
async fn lease_is_after(claims: &Claims, millis: u64) -> bool {
    match read(claims).await {
        Some(Record::Running { lease_until, .. }) => {
            lease_until > at(0).plus(Duration::from_millis(millis) + SHORT)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn work_ends_when_another_has_taken_it_up() {
    let (_cloud, claims) = begin().await;
    let held = claims.hold(key(), briefly(&claims).await, SHORT, Clock::starting(at(0)));
    let heir = win(&claims, at(1_000)).await;
    let lost =
        timeout(PATIENCE, held.run_while_held(pending::<()>())).await.expect("it is noticed");
    assert_eq!(lost, Err(LeaseLost));
    assert_eq!(held.finish(&done("old"), LIFETIME).await.expect("an answer"), Err(LeaseLost));
    assert!(finish(&claims, heir, &done("new"), at(1_001)).await);
    assert_eq!(read(&claims).await, Some(finished(heir, done("new"), at(1_001))));
}

#[tokio::test]
async fn a_renewal_that_fails_ends_no_work() {
    let cloud = Cloud::start().await;
    let instance = cloud.instance();
    let claims = claims(&cloud, &instance);
    let held = claims.hold(key(), briefly(&claims).await, SHORT, Clock::starting(at(0)));
    // The first renewal fails at each of its tries, and the next does not.
    for call in 1..=3 {
        instance.transport.fail_at(call, Fault::Refuse);
    }
    drop(instance.transport.take_sent());
    let a_renewal_later = Box::pin(async {
        let others = crate::claimed::claims(&cloud, &cloud.instance());
        while !lease_is_after(&others, 0).await {
            sleep(Duration::from_millis(1)).await;
        }
    });
    timeout(PATIENCE, held.run_while_held(a_renewal_later))
        .await
        .expect("it is renewed")
        .expect("ours");
    assert!(instance.transport.take_sent().len() > 3);
}
