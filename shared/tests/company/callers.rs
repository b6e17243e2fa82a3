//! Callers wait for a computation that runs independently of them.

use std::{pin::pin, slice, time::Duration};

use futures_util::future::{join, join_all};
use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::{Cloud, Instance},
};
use tokio::time::{sleep, timeout};

use crate::company::fixtures::{
    COMPANY, abandoned_request, at, calls, compute, computed, fences, figures_key, id,
    instance_with_wait, new_instance, next_messages, put_company, request, setup, with_workers,
};

#[tokio::test]
async fn a_caller_that_leaves_ends_only_its_own_wait() {
    let cloud = setup().await;
    let (instance, other) = (new_instance(&cloud), new_instance(&cloud));
    let mut first = Box::pin(request(&instance, Kind::Sales, at(0)));
    let mut second = pin!(request(&instance, Kind::Sales, at(0)));
    let message = tokio::select! {
        biased;
        _ = &mut first => panic!("no worker"),
        _ = &mut second => panic!("no worker"),
        mut messages = next_messages(&cloud, 1) => messages.remove(0),
    };
    drop(first);
    let (worker, now) = (new_instance(&cloud), at(0));
    let third = request(&other, Kind::Sales, now);
    let (waited, ()) = join(join(second, third), compute(&worker, &message, now)).await;
    let (second, third) = (waited.0.expect("figures"), waited.1.expect("figures"));
    assert_eq!(second.answer, third.answer);
    assert_eq!(
        (second.status, fences(&cloud, COMPANY).await),
        (CacheStatus::Collapsed, (1, [0, 2, 0])),
        "one message"
    );
}

#[tokio::test]
async fn the_computation_continues_and_polling_ends_when_all_callers_have_left() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    let requests = join_all((0..20).map(|_| request(&instance, Kind::Sales, at(0))));
    let message = tokio::select! {
        biased;
        _ = requests => panic!("no worker"),
        mut messages = next_messages(&cloud, 1) => messages.remove(0),
    };
    // An active poll reads at least once a second; one read may be on its way.
    let reads = async {
        drop(instance.transport.take_calls());
        sleep(Duration::from_millis(2_500)).await;
        instance.transport.take_calls().len()
    };
    assert!(reads.await <= 1);
    compute(&new_instance(&cloud), &message, at(0)).await;
    let response = request(&instance, Kind::Sales, at(1)).await.expect("figures");
    assert_eq!(response.status, CacheStatus::Hit);
}

#[tokio::test]
async fn a_wait_is_bounded_and_the_next_request_finds_the_result() {
    let cloud = setup().await;
    let instance = instance_with_wait(&cloud, Duration::from_millis(50));
    let answer = timeout(Duration::from_secs(30), request(&instance, Kind::Sales, at(0)))
        .await
        .expect("a bounded wait");
    assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
    let [message] = cloud.services().take_queued().try_into().expect("one message");
    compute(&new_instance(&cloud), &message, at(0)).await;
    let patient = new_instance(&cloud);
    assert_eq!(
        request(&patient, Kind::Sales, at(1)).await.expect("figures").status,
        CacheStatus::Hit
    );
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]));
}

#[tokio::test]
async fn two_hundred_callers_of_an_instance_read_as_often_as_one() {
    let cloud = setup().await;
    let (crowded, single) = (new_instance(&cloud), new_instance(&cloud));
    let message = abandoned_request(&cloud, Kind::Sales, at(0)).await;
    let requests = async |instance: &Instance, count: usize| {
        join_all((0..count).map(|_| request(instance, Kind::Sales, at(0)))).await
    };
    let work = async {
        // Time for many reads.
        sleep(Duration::from_millis(1_500)).await;
        compute(&new_instance(&cloud), &message, at(0)).await;
    };
    let (answers, ()) = join(join(requests(&crowded, 200), requests(&single, 1)), work).await;
    assert!(
        answers
            .0
            .iter()
            .all(|response| response.as_ref().expect("figures").status == CacheStatus::Collapsed)
    );
    let (crowded, single) = (crowded.transport.take_calls(), single.transport.take_calls());
    assert!(crowded.iter().chain(&single).all(|call| call.operation == "GetItem"));
    // One interval may be twice as long as another.
    assert!(
        single.len() > 3 && crowded.len() <= 2 * single.len() + 3,
        "{} and {}",
        crowded.len(),
        single.len()
    );
}

#[tokio::test]
async fn a_missing_company_is_cached_for_a_short_time() {
    let cloud = setup().await;
    let instance = new_instance(&cloud);
    let request = async |instance: &Instance, seconds| {
        let response =
            instance.app.companies().figures(figures_key("missing", Kind::Sales), at(seconds));
        with_workers(&cloud, &[new_instance(&cloud)], at(seconds), response).await
    };
    let is_missing = |answer| match answer {
        Err(FiguresError::CompanyNotFound(company)) => company == id("missing"),
        _ => false,
    };
    assert!(is_missing(request(&instance, 0).await));
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 2, "the figures and the company");
    assert!(is_missing(request(&instance, 4).await));
    assert!(instance.transport.take_calls().is_empty());
    assert!(is_missing(request(&instance, 60).await));
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 2);
    assert_eq!(fences(&cloud, "missing").await, (0, [0; 3]));
    assert!(cloud.services().take_queued().is_empty());

    let other = new_instance(&cloud);
    assert!(is_missing(request(&other, 60).await));
    put_company(&instance, "missing", 1).await;
    assert_eq!(
        request(&instance, 60).await.expect("figures").status,
        CacheStatus::Miss,
        "the instance of the put sees the company at once"
    );
    assert!(
        is_missing(request(&other, 61).await),
        "another instance sees it after the lifetime of its entry"
    );
    assert_eq!(request(&other, 70).await.expect("figures").status, CacheStatus::Hit);
}

#[tokio::test]
async fn a_changed_profile_appears_in_the_next_figures() {
    let cloud = setup().await;
    let employees = async |seconds| {
        let response = computed(&cloud, Kind::Employee, at(seconds)).await.expect("figures");
        crate::company::fixtures::body(&response)["employees"].clone()
    };
    assert_eq!(employees(0).await, 7);
    put_company(&cloud.instance(), COMPANY, 0).await;
    assert_eq!((employees(1).await, employees(120).await), (7.into(), 0.into()));
}

#[tokio::test]
async fn warming_an_instance_starts_no_computation() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.companies().warm().await.expect("a store");
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 1);
    assert!(cloud.items(once::testing::COMPANIES_TABLE).await.is_empty());
}
