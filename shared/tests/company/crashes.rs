//! An instance crashes between any two calls: once its lease has expired, the next caller gets the
//! figures.

use std::time::Duration;

use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::{Cloud, Fault, Instance, QueuedMessage, crash::at_every_call},
};

use crate::company::fixtures::{
    COMPANY, QUERIES, abandoned_request, at, body, body_without_time, calls, compute, computed,
    fences, item, new_instance, request, setup, wait_until, with_workers,
};

const CRASHES: [Fault; 2] = [Fault::CrashBefore, Fault::CrashAfter];

/// Seconds after which all leases that were acquired at noon have expired.
const EXPIRED: i64 = 30;

/// Runs a flow that crashes at a call.
async fn crash<T>(instance: &Instance, call: u64, fault: Fault, flow: impl Future<Output = T>) {
    instance.transport.fail_at(call, fault);
    tokio::select! {
        biased;
        () = instance.transport.crashed() => {}
        _ = flow => panic!("no crash for {fault:?} at call {call}"),
    }
}

/// Checks that a later caller gets the correct figures, and that the redelivered message changes
/// nothing.
async fn check_recovery(cloud: &Cloud, message: &QueuedMessage) {
    let sales = computed(cloud, Kind::Sales, at(EXPIRED)).await.expect("figures");
    assert_eq!(body(&sales)["sales"], 7);
    let before = fences(cloud, COMPANY).await;
    compute(&new_instance(cloud), message, at(EXPIRED + 1)).await;
    assert_eq!(fences(cloud, COMPANY).await, before);
    assert_eq!(
        request(&new_instance(cloud), Kind::Sales, at(EXPIRED + 1)).await.expect("figures").answer,
        sales.answer
    );
}

#[tokio::test]
async fn a_worker_that_crashes_with_an_existing_base_is_replaced() {
    let crashes = at_every_call(
        async |cloud: &Cloud| {
            crate::company::fixtures::put_company(&cloud.instance(), COMPANY, 7).await;
            cloud.record_sales("2026-11-19", COMPANY, 7).await;
            computed(cloud, Kind::Financials, at(0)).await.expect("figures");
            abandoned_request(cloud, Kind::Sales, at(0)).await
        },
        async |instance, message| compute(instance, message, at(0)).await,
        async |cloud, _, message| check_recovery(cloud, message).await,
    )
    .await;
    assert_eq!(crashes, 2 * 4, "takes over, reads the company and the base, finishes");
}

#[tokio::test]
async fn a_worker_that_crashes_while_it_computes_the_base_is_replaced() {
    let cloud = setup().await;
    let worker = new_instance(&cloud);
    compute(&worker, &abandoned_request(&cloud, Kind::Sales, at(0)).await, at(0)).await;
    let flow: Vec<_> =
        worker.transport.take_calls().into_iter().map(|call| call.operation).collect();
    let ledger = vec!["Query"; QUERIES];
    assert_eq!(
        flow,
        [vec!["UpdateItem", "GetItem", "GetItem", "UpdateItem"], ledger, vec!["UpdateItem"; 2]]
            .concat(),
        "takes over, reads the company, reads and claims the base, reads the ledger, finishes both"
    );
    let calls = u64::try_from(flow.len()).expect("few");
    // All queries are alike, except for the first and the last.
    for call in [1, 2, 3, 4, 5, 100, calls - 2, calls - 1, calls] {
        for fault in CRASHES {
            let cloud = setup().await;
            let message = abandoned_request(&cloud, Kind::Sales, at(0)).await;
            let worker = new_instance(&cloud);
            crash(&worker, call, fault, compute(&worker, &message, at(0))).await;
            check_recovery(&cloud, &message).await;
        }
    }
}

#[tokio::test]
async fn a_worker_that_paused_beyond_its_lease_changes_nothing() {
    // It pauses after the takeover, while it computes the base, or before it finishes.
    for calls_before in [1, 4, 5 + QUERIES] {
        let cloud = setup().await;
        let message = abandoned_request(&cloud, Kind::Sales, at(0)).await;
        let slow = new_instance(&cloud);
        // Its next call waits for longer than it takes to see that.
        let pause = Fault::Delay(Duration::from_millis(20));
        slow.transport.fail_at(u64::try_from(calls_before).expect("few") + 1, pause);
        let mut paused = Box::pin(compute(&slow, &message, at(0)));
        let mut calls = 0;
        let has_begun_its_next_call = || {
            calls += slow.transport.take_calls().len();
            calls > calls_before
        };
        tokio::select! {
            biased;
            () = wait_until(has_begun_its_next_call) => {}
            () = &mut paused => panic!("no pause"),
        }
        cloud.record_sales("2026-11-18", COMPANY, 1).await;
        let expected = computed(&cloud, Kind::Sales, at(EXPIRED)).await.expect("figures");
        let key = crate::company::fixtures::figures_key(COMPANY, Kind::Sales).claim_key();
        let recorded = item(&cloud, key.clone()).await;
        paused.await;
        assert_eq!(item(&cloud, key).await, recorded);
        assert_eq!(
            request(&new_instance(&cloud), Kind::Sales, at(EXPIRED + 1))
                .await
                .expect("figures")
                .answer,
            expected.answer
        );
    }
}

#[tokio::test]
async fn a_request_that_crashes_leaves_a_claim_that_is_worked_on_or_expires() {
    let flow = ["GetItem", "GetItem", "UpdateItem", "SendMessageBatch"];
    for (call, operation) in (1..).zip(flow) {
        for fault in CRASHES {
            let cloud = setup().await;
            let crashing = new_instance(&cloud);
            crash(&crashing, call, fault, request(&crashing, Kind::Sales, at(0))).await;
            assert_eq!(
                crashing.transport.take_calls().last().expect("a call").operation,
                operation
            );
            let after = fault == Fault::CrashAfter;
            let claimed = call == 4 || (call == 3 && after);
            let sent = call == 4 && after;
            let next =
                crate::company::fixtures::instance_with_wait(&cloud, Duration::from_millis(200));
            if claimed && !sent {
                // A request in the meantime waits for a computation that no worker performs.
                let answer = with_workers(
                    &cloud,
                    &[new_instance(&cloud)],
                    at(5),
                    request(&next, Kind::Sales, at(5)),
                )
                .await;
                assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
            }
            let seconds = if claimed && !sent { 10 } else { 1 };
            let workers = [new_instance(&cloud)];
            let next = new_instance(&cloud);
            let answer = with_workers(
                &cloud,
                &workers,
                at(seconds),
                request(&next, Kind::Sales, at(seconds)),
            )
            .await;
            let answer = answer.expect("figures");
            assert_eq!(body_without_time(&answer)["sales"], 7);
            assert_eq!(
                answer.status,
                if sent { CacheStatus::Collapsed } else { CacheStatus::Miss }
            );
            assert_eq!(calls(&workers, "Query"), QUERIES);
        }
    }
}
