//! Callers wait for work that none of them carries.

use std::{pin::pin, slice, time::Duration};

use futures_util::future::{join, join_all};
use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::{Cloud, Instance},
};
use tokio::time::{sleep, timeout};

use crate::company::{
    COMPANY, ask, asked, at, begin, calls, compute, fences, figures, get, id, new_instance, put,
    sent, served, waiting,
};

#[tokio::test]
async fn a_caller_that_leaves_ends_only_its_own_wait() {
    let cloud = begin().await;
    let (instance, other) = (new_instance(&cloud), new_instance(&cloud));
    let mut first = Box::pin(ask(&instance, Kind::Sales, at(0)));
    let mut second = pin!(ask(&instance, Kind::Sales, at(0)));
    let message = tokio::select! {
        biased;
        _ = &mut first => panic!("no worker"),
        _ = &mut second => panic!("no worker"),
        mut messages = sent(&cloud, 1) => messages.remove(0),
    };
    drop(first);
    let (worker, now) = (new_instance(&cloud), at(0));
    let third = ask(&other, Kind::Sales, now);
    let (waited, ()) = join(join(second, third), compute(&worker, &message, now)).await;
    let (second, third) = (waited.0.expect("figures"), waited.1.expect("figures"));
    assert_eq!(second.answer, third.answer);
    assert_eq!(
        (second.status, fences(&cloud, COMPANY).await),
        (CacheStatus::Collapsed, (1, [0, 2, 0])),
        "nothing was asked for twice"
    );
}

#[tokio::test]
async fn the_work_goes_on_when_all_callers_have_left_and_they_look_no_more() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    let message = tokio::select! {
        biased;
        _ = join_all((0..20).map(|_| ask(&instance, Kind::Sales, at(0)))) => panic!("no worker"),
        mut messages = sent(&cloud, 1) => messages.remove(0),
    };
    // A poll that went on would look once a second at least; one look may be on its way.
    let looked = async {
        drop(instance.transport.take_sent());
        sleep(Duration::from_millis(2_500)).await;
        instance.transport.take_sent().len()
    };
    assert!(looked.await <= 1);
    compute(&new_instance(&cloud), &message, at(0)).await;
    let asked = ask(&instance, Kind::Sales, at(1)).await.expect("figures");
    assert_eq!(asked.status, CacheStatus::Hit);
}

#[tokio::test]
async fn a_wait_is_bounded_and_the_next_call_finds_what_came_of_it() {
    let cloud = begin().await;
    let instance = waiting(&cloud, Duration::from_millis(50));
    let answer = timeout(Duration::from_secs(30), ask(&instance, Kind::Sales, at(0)))
        .await
        .expect("it is bounded");
    assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
    let [message] = cloud.services().take_queued().try_into().expect("one message");
    compute(&new_instance(&cloud), &message, at(0)).await;
    let patient = new_instance(&cloud);
    assert_eq!(ask(&patient, Kind::Sales, at(1)).await.expect("figures").status, CacheStatus::Hit);
    assert_eq!(fences(&cloud, COMPANY).await, (1, [0, 2, 0]));
}

#[tokio::test]
async fn two_hundred_callers_of_an_instance_look_as_often_as_one() {
    let cloud = begin().await;
    let (crowded, single) = (new_instance(&cloud), new_instance(&cloud));
    let message = asked(&cloud, Kind::Sales, at(0)).await;
    let requests = async |instance: &Instance, count: usize| {
        join_all((0..count).map(|_| ask(instance, Kind::Sales, at(0)))).await
    };
    let working = async {
        // Time for many looks.
        sleep(Duration::from_millis(1_500)).await;
        compute(&new_instance(&cloud), &message, at(0)).await;
    };
    let (answers, ()) = join(join(requests(&crowded, 200), requests(&single, 1)), working).await;
    assert!(
        answers
            .0
            .iter()
            .all(|asked| asked.as_ref().expect("figures").status == CacheStatus::Collapsed)
    );
    let (crowded, single) = (crowded.transport.take_sent(), single.transport.take_sent());
    assert!(crowded.iter().chain(&single).all(|call| call.operation == "GetItem"));
    // A pause may be twice as long as another.
    assert!(
        single.len() > 3 && crowded.len() <= 2 * single.len() + 3,
        "{} and {}",
        crowded.len(),
        single.len()
    );
}

#[tokio::test]
async fn a_company_that_is_not_there_is_looked_for_once_in_a_while() {
    let cloud = begin().await;
    let instance = new_instance(&cloud);
    let ask = async |instance: &Instance, seconds| {
        let asked = instance.app.companies().figures(figures("nobody", Kind::Sales), at(seconds));
        served(&cloud, &[new_instance(&cloud)], at(seconds), asked).await
    };
    let is_unknown = |answer| matches!(answer, Err(FiguresError::CompanyNotFound(company)) if company == id("nobody"));
    assert!(is_unknown(ask(&instance, 0).await));
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 2, "the figures and the company");
    assert!(is_unknown(ask(&instance, 4).await));
    assert!(instance.transport.take_sent().is_empty());
    assert!(is_unknown(ask(&instance, 60).await));
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 2);
    assert_eq!(fences(&cloud, "nobody").await, (0, [0; 3]));
    assert!(cloud.services().take_queued().is_empty());

    let other = new_instance(&cloud);
    assert!(is_unknown(ask(&other, 60).await));
    put(&instance, "nobody", 1).await;
    assert_eq!(
        ask(&instance, 60).await.expect("figures").status,
        CacheStatus::Miss,
        "who was told knows at once"
    );
    assert!(is_unknown(ask(&other, 61).await), "who was not, soon");
    assert_eq!(ask(&other, 70).await.expect("figures").status, CacheStatus::Hit);
}

#[tokio::test]
async fn a_profile_that_changes_is_told_with_the_next_figures() {
    let cloud = begin().await;
    let employees = async |seconds| {
        let asked = get(&cloud, Kind::Employee, at(seconds)).await.expect("figures");
        crate::company::body(&asked)["employees"].clone()
    };
    assert_eq!(employees(0).await, 7);
    put(&cloud.instance(), COMPANY, 0).await;
    assert_eq!((employees(1).await, employees(120).await), (7.into(), 0.into()));
}

#[tokio::test]
async fn an_instance_that_is_warm_has_asked_for_nothing() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.app.companies().warm().await.expect("a store");
    assert_eq!(calls(slice::from_ref(&instance), "GetItem"), 1);
    assert!(cloud.items(once::testing::COMPANIES_TABLE).await.is_empty());
}
