//! Failed computations: all callers get the error for a short time, then the next request retries.

use once::{
    company::{FiguresError, Kind, Response},
    dynamo::{Item, keys},
    ledger::Entry,
    testing::{Cloud, Fault, LEDGER_TABLE},
};
use uuid::Uuid;

use crate::company::fixtures::{
    COMPANY, KINDS, QUERIES, abandoned_request, at, body, calls, compute, computed, fences, item,
    new_instance, request, request_all, setup, with_workers,
};

/// Records an entry of the day before, with a valid or an invalid kind.
async fn record(cloud: &Cloud, kind: &str, gross_cents: i64) {
    let sale = Entry::sale(Uuid::from_u128(99), COMPANY, gross_cents, 0, at(-24 * 3_600));
    let mut entry: Item = sale.item().expect("an item");
    entry.insert("kind".to_owned(), once::dynamo::text(kind));
    cloud
        .client()
        .put_item()
        .table_name(LEDGER_TABLE)
        .set_item(Some(entry))
        .send()
        .await
        .expect("a put");
}

fn error(answer: Result<Response, FiguresError>) -> String {
    match answer {
        Err(FiguresError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unreadable_ledger_fails_all_kinds_alike_until_it_is_fixed() {
    let cloud = setup().await;
    record(&cloud, "GIFT", 1_000).await;
    let (instance, workers) =
        (new_instance(&cloud), [new_instance(&cloud), new_instance(&cloud), new_instance(&cloud)]);
    let errors: Vec<_> = with_workers(&cloud, &workers, at(0), request_all(&instance, at(0)))
        .await
        .into_iter()
        .map(error)
        .collect();
    assert!(
        errors[0].starts_with("LEDGER_UNREADABLE: ") && errors[0].contains("kind"),
        "{}",
        errors[0]
    );
    assert_eq!(errors, vec![errors[0].clone(); 3]);
    assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]), "one attempt for all kinds");

    // All callers get the error until it expires.
    record(&cloud, "SALE", 1_000).await;
    for kind in KINDS {
        assert_eq!(error(request(&new_instance(&cloud), kind, at(1)).await), errors[0]);
    }
    assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]));

    // Then the next request retries.
    let sales = computed(&cloud, Kind::Sales, at(60)).await.expect("figures");
    assert_eq!(body(&sales)["sales"], 8);
    assert_eq!(fences(&cloud, COMPANY).await, (2, [2, 4, 2]));
}

#[tokio::test]
async fn a_permanent_failure_is_retried_whenever_it_has_expired() {
    let cloud = setup().await;
    record(&cloud, "GIFT", 1_000).await;
    for (attempts, seconds) in [(1, 0), (2, 60), (3, 120)] {
        error(computed(&cloud, Kind::Sales, at(seconds)).await);
        assert_eq!(fences(&cloud, COMPANY).await, (attempts, [0, 2 * attempts, 0]));
    }
}

#[tokio::test]
async fn sums_that_overflow_are_an_error_and_not_a_wrong_number() {
    let cloud = setup().await;
    record(&cloud, "SALE", i64::MAX).await;
    let error = error(computed(&cloud, Kind::Financials, at(0)).await);
    assert_eq!(error, "FIGURES_TOO_LARGE: the sums are too large");
}

#[tokio::test]
async fn a_failure_of_the_store_is_recorded_for_a_short_time() {
    // The reads of the company and of the base, the second and the third call, fail in all three
    // attempts.
    for first in [2, 3] {
        let cloud = setup().await;
        let message = abandoned_request(&cloud, Kind::Sales, at(0)).await;
        let worker = new_instance(&cloud);
        for call in first..first + 3 {
            worker.transport.fail_at(call, Fault::Refuse);
        }
        compute(&worker, &message, at(0)).await;
        assert_eq!(calls(&[worker], "Query"), 0);
        let unavailable = "STORE_UNAVAILABLE: the store did not answer";
        assert_eq!(error(request(&new_instance(&cloud), Kind::Sales, at(1)).await), unavailable);
        assert_eq!(
            body(&computed(&cloud, Kind::Sales, at(60)).await.expect("figures"))["sales"],
            7
        );
    }
}

#[tokio::test]
async fn an_unavailable_ledger_fails_the_base_for_a_short_time() {
    let cloud = setup().await;
    // Only the calls of the ledger fail: its table does not exist.
    let worker = cloud.instance_with(|config| config.companies.ledger_table = "Missing".to_owned());
    compute(&worker, &abandoned_request(&cloud, Kind::Sales, at(0)).await, at(0)).await;
    let base = item(&cloud, keys::base(COMPANY)).await;
    assert_eq!(base["state"], "FAILED");
    assert_eq!(error(request(&new_instance(&cloud), Kind::Sales, at(1)).await), base["error"]);
    assert_eq!(body(&computed(&cloud, Kind::Sales, at(60)).await.expect("figures"))["sales"], 7);
    assert_eq!(fences(&cloud, COMPANY).await, (2, [0, 4, 0]));
}

#[tokio::test]
async fn a_queue_that_rejects_messages_is_an_error_and_the_next_request_retries() {
    let cloud = setup().await;
    cloud.services().reject_messages(3);
    let instance = new_instance(&cloud);
    let result = request(&instance, Kind::Sales, at(0)).await;
    assert!(
        matches!(&result, Err(FiguresError::Service(cause)) if cause.is_transient()),
        "{result:?}"
    );
    let workers = [new_instance(&cloud)];
    // The next request need not wait until the claim's lease expires.
    let response = with_workers(&cloud, &workers, at(1), request(&instance, Kind::Sales, at(1)))
        .await
        .expect("figures");
    assert_eq!((body(&response)["sales"].clone(), calls(&workers, "Query")), (7.into(), QUERIES));
}

#[tokio::test]
async fn an_invalid_message_is_redelivered() {
    let cloud = setup().await;
    let worker = new_instance(&cloud);
    for body in [
        "",
        "{}",
        r#"{"company":"company","kind":"profit"}"#,
        r#"{"company":"a#b","kind":"sales"}"#,
    ] {
        let delivery = once::testing::delivery(body);
        assert!(worker.app.companies().compute(&delivery, at(0)).await.is_err(), "{body}");
    }
    assert!(worker.transport.take_calls().is_empty());
}
