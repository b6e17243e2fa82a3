//! What a settlement comes to when nothing goes wrong.

use std::collections::BTreeMap;

use once::{
    settlement::State,
    testing::{Cloud, SETTLEMENTS_TABLE},
};

use crate::ledger::{
    FROM, HEADER, TO, begin, days, deliver, deliver_all, downloaded, file, line, noon, payments,
    record, stands, worker,
};

#[tokio::test]
async fn every_transaction_is_in_the_file_once_and_a_second_job_comes_to_the_same_bytes() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(500);
    record(&cloud, &entries).await;
    let mut files = Vec::new();
    for now in [noon(), noon().plus(std::time::Duration::from_hours(1))] {
        let job = begin(&instance, now).await;
        deliver_all(&cloud, &instance, now).await;
        let job_status = stands(&instance, job, now).await;
        assert_eq!(
            (job_status.status, job_status.processed, job_status.total),
            (State::Completed, 500, Some(500))
        );
        files.push(downloaded(&instance, job).await);
    }
    assert_eq!(files[0], file(&entries));
    assert_eq!(files[0], files[1]);
    assert_eq!(cloud.services().unfinished_uploads(), 0);
}

#[tokio::test]
async fn the_size_of_batches_does_not_show_in_the_file() {
    let entries = payments(400);
    for size in [1, 2, 50, 10_000] {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = size);
        record(&cloud, &entries).await;
        let job = begin(&instance, noon()).await;
        deliver_all(&cloud, &instance, noon()).await;
        assert_eq!(downloaded(&instance, job).await, file(&entries), "batches of {size}");
    }
}

#[tokio::test]
async fn days_without_payments_come_to_a_header() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let job = begin(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    let job_status = stands(&instance, job, noon()).await;
    assert_eq!(
        (job_status.status, job_status.progress, job_status.total),
        (State::Completed, 100.0, Some(0))
    );
    assert_eq!(downloaded(&instance, job).await, HEADER);
}

#[tokio::test]
async fn both_ends_of_the_range_are_settled_and_nothing_beyond() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(300);
    record(&cloud, &entries).await;
    for (from, to) in [(FROM, FROM), ("2026-11-18", TO), (TO, TO)] {
        let within = |date: &str| from <= date && date <= to;
        let inside: Vec<_> =
            entries.iter().filter(|entry| within(&entry.recorded_at.date())).cloned().collect();
        let job =
            instance.app.settlement().create(days(from, to), false, noon()).await.expect("a job");
        deliver_all(&cloud, &instance, noon()).await;
        assert_eq!(downloaded(&instance, job).await, file(&inside), "{from} to {to}");
    }
}

#[tokio::test]
async fn the_settled_days_say_what_the_file_says() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(300);
    record(&cloud, &entries).await;
    let job = begin(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    let mut settled = BTreeMap::new();
    for item in cloud.items(SETTLEMENTS_TABLE).await {
        let said =
            |name: &str| item[name].as_s().or_else(|_| item[name].as_n()).expect("a value").clone();
        if let Some(merchant) = said("pk").strip_prefix("MERCHANT#") {
            assert_eq!((said("job"), said("cutoff")), (job.job_id.to_string(), noon().to_string()));
            let cents = ["gross_cents", "fee_cents", "net_cents"]
                .map(|name| said(name).parse().expect("cents"));
            let count = said("txn_count").parse().expect("a number");
            settled.insert(
                (said("sk"), merchant.to_owned()),
                line(merchant, &said("sk"), cents, count),
            );
        }
    }
    let lines: String = settled.into_values().collect();
    assert_eq!(HEADER.to_owned() + &lines, downloaded(&instance, job).await);
}

#[tokio::test]
async fn progress_follows_the_batches_that_are_done() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(300)).await;
    let job = begin(&instance, noon()).await;
    assert_eq!(stands(&instance, job, noon()).await.total, None);
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut last = stands(&instance, job, noon()).await;
    assert_eq!(
        (last.status, last.progress, last.processed, last.total),
        (State::Running, 0.0, 0, Some(300))
    );
    assert_eq!((last.rate_per_second, last.eta_seconds), (None, None));
    for (n, batch) in (1..).zip(cloud.services().take_queued()) {
        let now = noon().plus(std::time::Duration::from_secs(n));
        deliver(&instance, &batch, 1, now).await.expect("summed");
        let job_status = stands(&instance, job, now).await;
        assert!(
            job_status.processed > last.processed && job_status.progress >= last.progress,
            "{job_status:?}"
        );
        assert!(
            job_status.progress < 100.0 || job_status.status == State::Finishing,
            "{job_status:?}"
        );
        assert!(
            job_status.rate_per_second.is_some() && job_status.eta_seconds.is_some(),
            "{job_status:?}"
        );
        last = job_status;
    }
    assert_eq!((last.status, last.progress, last.eta_seconds), (State::Finishing, 100.0, Some(0)));
}
