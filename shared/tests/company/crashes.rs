//! The process dies between any two calls: once its lease has lapsed, the next caller gets the figures.

use once::{
    company::{CacheStatus, FiguresError, Kind},
    testing::{Cloud, Fault, Instance, Queued, crash::at_every_call},
};

use crate::company::{
    COMPANY, QUERIES, ask, asked, at, begin, body, calls, compute, fences, get, item, new_instance,
    served, told, until,
};

const DEATHS: [Fault; 2] = [Fault::DieBefore, Fault::DieAfter];

/// When whoever claimed or took the work at noon is taken to be dead.
const LAPSED: i64 = 30;

/// Does something and dies at a call.
async fn die<T>(instance: &Instance, call: u64, death: Fault, flow: impl Future<Output = T>) {
    instance.transport.fail_at(call, death);
    tokio::select! {
        biased;
        () = instance.transport.death() => {}
        _ = flow => panic!("it outlived {death:?} at call {call}"),
    }
}

/// Whatever has happened, a later caller gets the right figures, and the message that comes again changes nothing.
async fn recovers(cloud: &Cloud, message: &Queued) {
    let sales = get(cloud, Kind::Sales, at(LAPSED)).await.expect("figures");
    assert_eq!(body(&sales)["sales"], 7);
    let before = fences(cloud, COMPANY).await;
    compute(&new_instance(cloud), message, at(LAPSED + 1)).await;
    assert_eq!(fences(cloud, COMPANY).await, before);
    assert_eq!(
        ask(&new_instance(cloud), Kind::Sales, at(LAPSED + 1)).await.expect("figures").answer,
        sales.answer
    );
}

#[tokio::test]
async fn a_worker_that_dies_with_the_base_there_is_replaced() {
    let deaths = at_every_call(
        async |cloud: &Cloud| {
            crate::company::put(&cloud.instance(), COMPANY, 7).await;
            cloud.sales("2026-11-19", COMPANY, 7).await;
            get(cloud, Kind::Financials, at(0)).await.expect("figures");
            asked(cloud, Kind::Sales, at(0)).await
        },
        async |instance, message| compute(instance, message, at(0)).await,
        async |cloud, _, message| recovers(cloud, message).await,
    )
    .await;
    assert_eq!(deaths, 2 * 4, "takes, reads the company and the base, finishes");
}

#[tokio::test]
async fn a_worker_that_dies_while_it_computes_the_base_is_replaced() {
    let cloud = begin().await;
    let worker = new_instance(&cloud);
    compute(&worker, &asked(&cloud, Kind::Sales, at(0)).await, at(0)).await;
    let flow: Vec<_> =
        worker.transport.take_sent().into_iter().map(|call| call.operation).collect();
    let ledger = vec!["Query"; QUERIES];
    assert_eq!(
        flow,
        [vec!["UpdateItem", "GetItem", "GetItem", "UpdateItem"], ledger, vec!["UpdateItem"; 2]]
            .concat(),
        "takes, reads the company, looks for the base, claims it, reads the ledger, finishes both"
    );
    let calls = u64::try_from(flow.len()).expect("few");
    // One query is like another, but for the first and the last.
    for call in [1, 2, 3, 4, 5, 100, calls - 2, calls - 1, calls] {
        for death in DEATHS {
            let cloud = begin().await;
            let message = asked(&cloud, Kind::Sales, at(0)).await;
            let worker = new_instance(&cloud);
            die(&worker, call, death, compute(&worker, &message, at(0))).await;
            recovers(&cloud, &message).await;
        }
    }
}

#[tokio::test]
async fn a_worker_that_stood_still_for_too_long_changes_nothing() {
    // It stands still after it has taken the work, then while it computes the base, then before it finishes.
    for asked_of_the_store in [1, 4, 5 + QUERIES] {
        let cloud = begin().await;
        let message = asked(&cloud, Kind::Sales, at(0)).await;
        let slow = new_instance(&cloud);
        let mut standing_still = Box::pin(compute(&slow, &message, at(0)));
        let mut sent = 0;
        tokio::select! {
            biased;
            () = &mut standing_still => panic!("it did not stand still"),
            () = until(|| { sent += slow.transport.take_sent().len(); sent >= asked_of_the_store }) => {}
        }
        cloud.sales("2026-11-18", COMPANY, 1).await;
        let right = get(&cloud, Kind::Sales, at(LAPSED)).await.expect("figures");
        let figures = crate::company::figures(COMPANY, Kind::Sales).key();
        let recorded = item(&cloud, figures.clone()).await;
        standing_still.await;
        assert_eq!(item(&cloud, figures).await, recorded);
        assert_eq!(
            ask(&new_instance(&cloud), Kind::Sales, at(LAPSED + 1)).await.expect("figures").answer,
            right.answer
        );
    }
}

#[tokio::test]
async fn a_request_that_dies_leaves_a_claim_that_works_or_lapses() {
    let flow = ["GetItem", "GetItem", "UpdateItem", "SendMessageBatch"];
    for (place, operation) in (1..).zip(flow) {
        for death in DEATHS {
            let cloud = begin().await;
            let doomed = new_instance(&cloud);
            die(&doomed, place, death, ask(&doomed, Kind::Sales, at(0))).await;
            assert_eq!(doomed.transport.take_sent().last().expect("a call").operation, operation);
            let after = death == Fault::DieAfter;
            let claimed = place == 4 || (place == 3 && after);
            let sent = place == 4 && after;
            let next = crate::company::waiting(&cloud, std::time::Duration::from_millis(200));
            if claimed && !sent {
                // Whoever comes meanwhile waits for a work that nobody does.
                let answer =
                    served(&cloud, &[new_instance(&cloud)], at(5), ask(&next, Kind::Sales, at(5)))
                        .await;
                assert!(matches!(answer, Err(FiguresError::TimedOut)), "{answer:?}");
            }
            let seconds = if claimed && !sent { 10 } else { 1 };
            let workers = [new_instance(&cloud)];
            let next = new_instance(&cloud);
            let answer =
                served(&cloud, &workers, at(seconds), ask(&next, Kind::Sales, at(seconds))).await;
            let answer = answer.expect("figures");
            assert_eq!(told(&answer)["sales"], 7);
            assert_eq!(
                answer.status,
                if sent { CacheStatus::Collapsed } else { CacheStatus::Miss }
            );
            assert_eq!(calls(&workers, "Query"), QUERIES);
        }
    }
}
