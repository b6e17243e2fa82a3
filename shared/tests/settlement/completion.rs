//! Results and progress of settlements without faults.

use std::collections::BTreeMap;

use once::{
    settlement::State,
    testing::{Cloud, SETTLEMENTS_TABLE},
};

use crate::settlement::fixtures::{
    FROM, HEADER, TO, create, days, deliver, deliver_all, download, expected_file, line, noon,
    payments, record, status_of, worker,
};

#[tokio::test]
async fn every_transaction_is_in_the_file_once_and_a_second_settlement_has_the_same_bytes() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(500);
    record(&cloud, &entries).await;
    let mut files = Vec::new();
    for now in [noon(), noon().plus(std::time::Duration::from_hours(1))] {
        let job = create(&instance, now).await;
        deliver_all(&cloud, &instance, now).await;
        let job_status = status_of(&instance, job, now).await;
        assert_eq!(
            (job_status.status, job_status.processed, job_status.total),
            (State::Completed, 500, Some(500))
        );
        files.push(download(&instance, job).await);
    }
    assert_eq!(files[0], expected_file(&entries));
    assert_eq!(files[0], files[1]);
    assert_eq!(cloud.services().unfinished_uploads(), 0);
}

#[tokio::test]
async fn the_file_does_not_depend_on_the_batch_size() {
    let entries = payments(400);
    for size in [1, 2, 50, 10_000] {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.settlement.batch_size = size);
        record(&cloud, &entries).await;
        let job = create(&instance, noon()).await;
        deliver_all(&cloud, &instance, noon()).await;
        assert_eq!(download(&instance, job).await, expected_file(&entries), "batches of {size}");
    }
}

#[tokio::test]
async fn the_file_of_days_without_payments_is_a_header() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let job = create(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    let job_status = status_of(&instance, job, noon()).await;
    assert_eq!(
        (job_status.status, job_status.progress, job_status.total),
        (State::Completed, 100.0, Some(0))
    );
    assert_eq!(download(&instance, job).await, HEADER);
}

#[tokio::test]
async fn exactly_the_days_of_the_range_are_settled_including_both_ends() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(300);
    record(&cloud, &entries).await;
    for (from, to) in [(FROM, FROM), ("2026-11-18", TO), (TO, TO)] {
        let within = |date: &str| from <= date && date <= to;
        let settled: Vec<_> =
            entries.iter().filter(|entry| within(&entry.recorded_at.date())).cloned().collect();
        let job =
            instance.app.settlement().create(days(from, to), false, noon()).await.expect("a job");
        deliver_all(&cloud, &instance, noon()).await;
        assert_eq!(download(&instance, job).await, expected_file(&settled), "{from} to {to}");
    }
}

#[tokio::test]
async fn the_settled_days_equal_the_lines_of_the_file() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(300);
    record(&cloud, &entries).await;
    let job = create(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    let mut settled = BTreeMap::new();
    for item in cloud.items(SETTLEMENTS_TABLE).await {
        let value =
            |name: &str| item[name].as_s().or_else(|_| item[name].as_n()).expect("a value").clone();
        if let Some(merchant) = value("pk").strip_prefix("MERCHANT#") {
            assert_eq!(
                (value("job"), value("cutoff")),
                (job.job_id.to_string(), noon().to_string())
            );
            let cents = ["gross_cents", "fee_cents", "net_cents"]
                .map(|name| value(name).parse().expect("cents"));
            let count = value("txn_count").parse().expect("a number");
            settled.insert(
                (value("sk"), merchant.to_owned()),
                line(merchant, &value("sk"), cents, count),
            );
        }
    }
    let lines: String = settled.into_values().collect();
    assert_eq!(HEADER.to_owned() + &lines, download(&instance, job).await);
}

#[tokio::test]
async fn progress_grows_with_each_finished_batch() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(300)).await;
    let job = create(&instance, noon()).await;
    assert_eq!(status_of(&instance, job, noon()).await.total, None);
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let mut last = status_of(&instance, job, noon()).await;
    assert_eq!(
        (last.status, last.progress, last.processed, last.total),
        (State::Running, 0.0, 0, Some(300))
    );
    assert_eq!((last.rate_per_second, last.eta_seconds), (None, None));
    for (n, batch) in (1..).zip(cloud.services().take_queued()) {
        let now = noon().plus(std::time::Duration::from_secs(n));
        deliver(&instance, &batch, 1, now).await.expect("summed");
        let job_status = status_of(&instance, job, now).await;
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
