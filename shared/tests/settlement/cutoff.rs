//! Payments continue while a settlement runs: exactly those recorded up to its cutoff are settled.

use std::time::Duration;

use once::{
    ledger::Entry,
    settlement::{LEDGER_LAG, State},
    testing::{Cloud, Instance, SETTLEMENTS_TABLE},
    time::Timestamp,
};
use uuid::Uuid;

use crate::settlement::fixtures::{
    create, days, deliver, deliver_all, download, expected_file, noon, record, status_of, worker,
};

const TODAY: &str = "2026-11-20";

/// Returns `count` payments, one per second, the last one at `at`.
fn payments_until(at: Timestamp, count: u64, first: u128) -> Vec<Entry> {
    let sale = |n: u64| {
        let at = at.minus(Duration::from_secs(n));
        Entry::sale(
            Uuid::from_u128(first + u128::from(n)),
            &format!("merchant_{:03}", n % 3),
            1_000,
            29,
            at,
        )
    };
    (0..count).map(sale).collect()
}

async fn settle_today(instance: &Instance, now: Timestamp) -> once::settlement::AcceptedJob {
    instance.app.settlement().create(days(TODAY, TODAY), true, now).await.expect("a job")
}

#[tokio::test]
async fn payments_after_the_cutoff_are_left_to_the_next_settlement() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let before = payments_until(noon(), 200, 0);
    record(&cloud, &before).await;
    let job = settle_today(&instance, noon()).await;
    // Sorted among the earlier payments, later ones change the pages of the plan.
    let meanwhile = payments_until(noon().plus(Duration::from_secs(400)), 400, 1_000);
    record(&cloud, &meanwhile[200..]).await;
    let later = noon().plus(LEDGER_LAG);
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, later).await.expect("planned");
    record(&cloud, &meanwhile[..200]).await;
    deliver_all(&cloud, &instance, later).await;
    let job_status = status_of(&instance, job, later).await;
    assert_eq!(
        (job_status.status, job_status.total, job_status.cutoff),
        (State::Completed, Some(200), noon())
    );
    assert_eq!(download(&instance, job).await, expected_file(&before));

    let next = settle_today(&instance, noon().plus(Duration::from_secs(400))).await;
    deliver_all(&cloud, &instance, noon().plus(Duration::from_mins(10))).await;
    assert_eq!(download(&instance, next).await, expected_file(&[before, meanwhile].concat()));
}

#[tokio::test]
async fn a_plan_waits_for_payments_that_are_in_progress() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    settle_today(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    assert_eq!(plan.delay_seconds, LEDGER_LAG.as_secs());
    let early = deliver(&instance, &plan, 1, noon().plus(Duration::from_secs(5)))
        .await
        .expect_err("too early");
    assert!(early.contains("2026-11-20T12:00:30.000Z"), "{early}");
    assert_eq!(cloud.services().visibility_changes().pop().expect("hidden").1, 25);
    // An order that was handled before the cutoff and committed after it.
    let late = payments_until(noon(), 1, 0);
    record(&cloud, &late).await;
    deliver(&instance, &plan, 2, noon().plus(LEDGER_LAG)).await.expect("planned");
    deliver_all(&cloud, &instance, noon().plus(LEDGER_LAG)).await;
    // The plan of past days need not wait.
    create(&instance, noon()).await;
    assert_eq!(cloud.services().take_queued()[0].delay_seconds, 0);
}

#[tokio::test]
async fn a_settled_day_is_that_of_the_settlement_with_the_later_cutoff() {
    for order in [[0, 1], [1, 0]] {
        let cloud = Cloud::start().await;
        let instance = worker(&cloud);
        record(&cloud, &payments_until(noon().plus(Duration::from_mins(1)), 60, 0)).await;
        let cutoffs = [noon().plus(Duration::from_secs(30)), noon().plus(Duration::from_mins(1))];
        for cutoff in cutoffs {
            settle_today(&instance, cutoff).await;
        }
        let plans = cloud.services().take_queued();
        for first in order {
            deliver(&instance, &plans[first], 1, noon().plus(Duration::from_mins(5)))
                .await
                .expect("planned");
            deliver_all(&cloud, &instance, noon().plus(Duration::from_mins(5))).await;
        }
        let items = cloud.items(SETTLEMENTS_TABLE).await;
        let settled = items
            .iter()
            .filter(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("MERCHANT#")));
        let counts: Vec<u32> =
            settled.map(|item| item["txn_count"].as_n().expect("n").parse().expect("n")).collect();
        assert_eq!(counts.iter().sum::<u32>(), 60, "{order:?}: {counts:?}");
    }
}
