//! A ledger or batches that cannot be settled fail their settlement, with the cause, and no other.

use aws_sdk_dynamodb::types::AttributeValue;
use once::{
    ledger::Entry,
    settlement::{RetryError, State},
    sqs::Delivery,
    testing::{Cloud, Instance, LEDGER_TABLE, QueuedMessage, SETTLEMENTS_TABLE},
};
use uuid::Uuid;

use crate::settlement::fixtures::{
    FROM, create, days, deliver, deliver_all, download, expected_file, noon, payments, record,
    reports, status_of, worker,
};

/// Asserts that the settlement failed with this code and published nothing. Returns the message.
async fn assert_failed(
    cloud: &Cloud,
    instance: &Instance,
    job: once::settlement::AcceptedJob,
    code: &str,
) -> String {
    let job_status = status_of(instance, job, noon()).await;
    let failure = job_status.error.expect("a cause");
    assert_eq!(
        (job_status.status, failure.code.as_str()),
        (State::Failed, code),
        "{}",
        failure.message
    );
    assert_eq!(job_status.download_url, None);
    assert!(reports(cloud).is_empty() && cloud.services().unfinished_uploads() == 0);
    let items = cloud.items(SETTLEMENTS_TABLE).await;
    assert!(
        !items.iter().any(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("MERCHANT#"))),
        "no day is settled"
    );
    failure.message
}

/// Records an entry with another value of an attribute.
async fn record_with(cloud: &Cloud, entry: &Entry, attribute: &str, value: AttributeValue) {
    let mut item = entry.item().expect("an item");
    item.insert(attribute.to_owned(), value);
    cloud
        .client()
        .put_item()
        .table_name(LEDGER_TABLE)
        .set_item(Some(item))
        .send()
        .await
        .expect("recorded");
}

#[tokio::test]
async fn an_unreadable_entry_fails_its_settlement_and_no_other() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(100);
    record(&cloud, &entries).await;
    let unreadable = entries
        .iter()
        .find(|entry| entry.recorded_at.date() == FROM)
        .expect("one on the first day");
    record_with(&cloud, unreadable, "kind", AttributeValue::S("PENDING".into())).await;
    let failing = create(&instance, noon()).await;
    let other = instance
        .app
        .settlement()
        .create(days("2026-11-18", "2026-11-19"), false, noon())
        .await
        .expect("a job");
    // Delivers the messages of both, interleaved.
    deliver_all(&cloud, &instance, noon()).await;
    let rest: Vec<_> =
        entries.iter().filter(|entry| entry.recorded_at.date() != FROM).cloned().collect();
    assert_eq!(download(&instance, other).await, expected_file(&rest));
    let job_status = status_of(&instance, failing, noon()).await;
    let failure = job_status.error.expect("a cause");
    assert_eq!((job_status.status, failure.code.as_str()), (State::Failed, "LEDGER_UNREADABLE"));
    assert!(
        failure.message.contains(&unreadable.txn_id) && failure.message.contains("kind"),
        "{}",
        failure.message
    );
}

#[tokio::test]
async fn entries_that_appear_or_vanish_after_they_were_counted_fail_the_settlement() {
    let entries = payments(100);
    for appears in [true, false] {
        let cloud = Cloud::start().await;
        let instance = worker(&cloud);
        record(&cloud, &entries[1..]).await;
        let job = create(&instance, noon()).await;
        let [plan] = cloud.services().take_queued().try_into().expect("one message");
        deliver(&instance, &plan, 1, noon()).await.expect("planned");
        if appears {
            record(&cloud, &entries[..1]).await;
        } else {
            let key = entries[1].key().attributes();
            cloud
                .client()
                .delete_item()
                .table_name(LEDGER_TABLE)
                .set_key(Some(key))
                .send()
                .await
                .expect("deleted");
        }
        deliver_all(&cloud, &instance, noon()).await;
        assert_failed(&cloud, &instance, job, "LEDGER_CHANGED").await;

        // A retry plans again, and settles the entries that exist now.
        let again = instance.app.settlement().retry(job.job_id, noon()).await.expect("another run");
        assert_eq!((again.job_id, again.status), (job.job_id, State::Queued));
        deliver_all(&cloud, &instance, noon()).await;
        let expected = if appears { expected_file(&entries) } else { expected_file(&entries[2..]) };
        assert_eq!(download(&instance, job).await, expected);
    }
}

#[tokio::test]
async fn a_sum_that_overflows_fails_the_settlement() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let at = payments(2)[1].recorded_at;
    let sale = |n| Entry::sale(Uuid::from_u128(n), "merchant_001", i64::MAX / 3, 0, at);
    record(&cloud, &(0..8).map(sale).collect::<Vec<_>>()).await;
    let job = create(&instance, noon()).await;
    deliver_all(&cloud, &instance, noon()).await;
    assert_failed(&cloud, &instance, job, "TOTALS_TOO_LARGE").await;
}

#[tokio::test]
async fn lost_or_changed_sums_of_a_batch_are_never_published() {
    for (change, code) in [
        (None, "PART_UNREADABLE"),
        (Some("merchant_000,1,0,1,x\n"), "PART_UNREADABLE"),
        (Some("merchant_000,1,0,1,1\n"), "TOTALS_DIFFER"),
    ] {
        let cloud = Cloud::start().await;
        let instance = worker(&cloud);
        record(&cloud, &payments(50)).await;
        let job = create(&instance, noon()).await;
        let finish = deliver_until_finish(&cloud, &instance).await;
        let part = cloud.services().files().into_keys().nth(3).expect("a part");
        match change {
            None => cloud.services().remove_file(&part),
            Some(text) => cloud.services().put_file(&part, text),
        }
        deliver(&instance, &finish, 1, noon()).await.expect("the settlement failed");
        assert_failed(&cloud, &instance, job, code).await;
    }
}

#[tokio::test]
async fn batches_that_differ_from_the_plan_are_never_published() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    record(&cloud, &payments(50)).await;
    let job = create(&instance, noon()).await;
    let finish = deliver_until_finish(&cloud, &instance).await;
    let items = cloud.items(SETTLEMENTS_TABLE).await;
    let done = items
        .iter()
        .find(|item| item["sk"].as_s().is_ok_and(|sk| sk.starts_with("DONE#")))
        .expect("a batch");
    let delete = cloud.client().delete_item().table_name(SETTLEMENTS_TABLE);
    delete
        .key("pk", done["pk"].clone())
        .key("sk", done["sk"].clone())
        .send()
        .await
        .expect("deleted");
    deliver(&instance, &finish, 1, noon()).await.expect("the settlement failed");
    assert_failed(&cloud, &instance, job, "PLAN_DIFFERS").await;
}

/// Delivers all messages except the finish message, which it returns.
async fn deliver_until_finish(cloud: &Cloud, instance: &Instance) -> QueuedMessage {
    loop {
        for message in cloud.services().take_queued() {
            if message.body.contains(r#""kind":"finish""#) {
                return message;
            }
            deliver(instance, &message, 1, noon()).await.expect("done");
        }
    }
}

#[tokio::test]
async fn a_dead_letter_fails_its_run_and_no_other() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(50);
    record(&cloud, &entries).await;
    let job = create(&instance, noon()).await;
    let [plan] = cloud.services().take_queued().try_into().expect("one message");
    deliver(&instance, &plan, 1, noon()).await.expect("planned");
    let batches = cloud.services().take_queued();
    let handle_dead_letter = async |message: &QueuedMessage| {
        let delivery =
            Delivery { body: message.body.clone(), receipt: "receipt".to_owned(), attempt: 1 };
        instance.app.settlement().handle_dead_letter(&delivery, noon()).await.expect("read");
    };
    handle_dead_letter(&batches[0]).await;
    let message = assert_failed(&cloud, &instance, job, "GIVEN_UP").await;
    assert!(message.starts_with("batch 2026-11-17#"), "{message}");
    // The other batches are not summed.
    for batch in &batches {
        deliver(&instance, batch, 1, noon()).await.expect("nothing to do");
    }
    assert!(cloud.services().files().is_empty());

    instance.app.settlement().retry(job.job_id, noon()).await.expect("another run");
    // Late messages of the first run are ignored, also in the dead-letter queue.
    for late in batches.iter().chain([&plan]) {
        deliver(&instance, late, 2, noon()).await.expect("nothing to do");
        handle_dead_letter(late).await;
    }
    deliver_all(&cloud, &instance, noon()).await;
    assert_eq!(download(&instance, job).await, expected_file(&entries));
    handle_dead_letter(&batches[1]).await;
    assert_eq!(status_of(&instance, job, noon()).await.status, State::Completed);
    let again =
        instance.app.settlement().retry(job.job_id, noon()).await.expect_err("it is completed");
    assert!(matches!(again, RetryError::NotFailed(State::Completed)), "{again}");
}

#[tokio::test]
async fn a_dead_letter_whose_work_is_done_fails_nothing() {
    let cloud = Cloud::start().await;
    let instance = worker(&cloud);
    let entries = payments(50);
    record(&cloud, &entries).await;
    let job = create(&instance, noon()).await;
    let mut delivered = Vec::new();
    loop {
        let messages = cloud.services().take_queued();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            deliver(&instance, &message, 1, noon()).await.expect("done");
            delivered.push(Delivery {
                body: message.body,
                receipt: "receipt".to_owned(),
                attempt: 6,
            });
            for late in &delivered {
                instance.app.settlement().handle_dead_letter(late, noon()).await.expect("read");
            }
        }
    }
    assert_eq!(download(&instance, job).await, expected_file(&entries));
}
