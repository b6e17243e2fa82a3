//! What cannot be computed: everybody is told why, for a short time, and then it is tried again.

use once::{
    company::{FiguresError, Kind, Response},
    dynamo::{Item, keys},
    ledger::Entry,
    testing::{Cloud, Fault, LEDGER_TABLE},
};
use uuid::Uuid;

use crate::company::{
    COMPANY, KINDS, QUERIES, ask, ask_all, asked, at, begin, body, calls, compute, fences, get,
    item, new_instance, served,
};

/// An entry of the day before that is as the ledger writes it, or not.
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
        .expect("recorded");
}

fn error(answer: Result<Response, FiguresError>) -> String {
    match answer {
        Err(FiguresError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_unreadable_ledger_fails_all_kinds_alike_until_it_is_mended() {
    let cloud = begin().await;
    record(&cloud, "GIFT", 1_000).await;
    let (instance, workers) =
        (new_instance(&cloud), [new_instance(&cloud), new_instance(&cloud), new_instance(&cloud)]);
    let errors: Vec<_> = served(&cloud, &workers, at(0), ask_all(&instance, at(0)))
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
    assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]), "it is not tried by each");

    // It stands for a while, for everybody.
    record(&cloud, "SALE", 1_000).await;
    for kind in KINDS {
        assert_eq!(error(ask(&new_instance(&cloud), kind, at(1)).await), errors[0]);
    }
    assert_eq!(fences(&cloud, COMPANY).await, (1, [2; 3]));

    // Then it is tried again.
    let sales = get(&cloud, Kind::Sales, at(60)).await.expect("figures");
    assert_eq!(body(&sales)["sales"], 8);
    assert_eq!(fences(&cloud, COMPANY).await, (2, [2, 4, 2]));
}

#[tokio::test]
async fn what_stays_broken_is_tried_again_each_time_its_failure_has_expired() {
    let cloud = begin().await;
    record(&cloud, "GIFT", 1_000).await;
    for (times, seconds) in [(1, 0), (2, 60), (3, 120)] {
        error(get(&cloud, Kind::Sales, at(seconds)).await);
        assert_eq!(fences(&cloud, COMPANY).await, (times, [0, 2 * times, 0]));
    }
}

#[tokio::test]
async fn sums_that_are_too_large_are_an_error_and_no_wrong_number() {
    let cloud = begin().await;
    record(&cloud, "SALE", i64::MAX).await;
    let error = error(get(&cloud, Kind::Financials, at(0)).await);
    assert_eq!(error, "FIGURES_TOO_LARGE: the sums are too large");
}

#[tokio::test]
async fn a_store_that_fails_the_work_fails_it_for_a_short_time() {
    // The company, or the look for the base: the second and the third call, in each of three tries.
    for first in [2, 3] {
        let cloud = begin().await;
        let message = asked(&cloud, Kind::Sales, at(0)).await;
        let worker = new_instance(&cloud);
        for call in first..first + 3 {
            worker.transport.fail_at(call, Fault::Refuse);
        }
        compute(&worker, &message, at(0)).await;
        assert_eq!(calls(&[worker], "Query"), 0);
        let unavailable = "STORE_UNAVAILABLE: the store did not answer";
        assert_eq!(error(ask(&new_instance(&cloud), Kind::Sales, at(1)).await), unavailable);
        assert_eq!(body(&get(&cloud, Kind::Sales, at(60)).await.expect("figures"))["sales"], 7);
    }
}

#[tokio::test]
async fn a_ledger_that_does_not_answer_fails_the_base_for_a_short_time() {
    let cloud = begin().await;
    // Another table fails alike, and nothing else does.
    let worker =
        cloud.instance_with(|config| config.companies.ledger_table = "Elsewhere".to_owned());
    compute(&worker, &asked(&cloud, Kind::Sales, at(0)).await, at(0)).await;
    let base = item(&cloud, keys::base(COMPANY)).await;
    assert_eq!(base["state"], "FAILED");
    assert_eq!(error(ask(&new_instance(&cloud), Kind::Sales, at(1)).await), base["error"]);
    assert_eq!(body(&get(&cloud, Kind::Sales, at(60)).await.expect("figures"))["sales"], 7);
    assert_eq!(fences(&cloud, COMPANY).await, (2, [0, 4, 0]));
}

#[tokio::test]
async fn a_queue_that_takes_no_message_is_an_error_and_is_asked_again() {
    let cloud = begin().await;
    cloud.services().turn_away(3);
    let instance = new_instance(&cloud);
    let refused = ask(&instance, Kind::Sales, at(0)).await;
    assert!(
        matches!(&refused, Err(FiguresError::Service(cause)) if cause.is_transient()),
        "{refused:?}"
    );
    let workers = [new_instance(&cloud)];
    // Whoever asks next need not wait until the claim lapses.
    let asked =
        served(&cloud, &workers, at(1), ask(&instance, Kind::Sales, at(1))).await.expect("figures");
    assert_eq!((body(&asked)["sales"].clone(), calls(&workers, "Query")), (7.into(), QUERIES));
}

#[tokio::test]
async fn a_message_that_says_nothing_comes_again() {
    let cloud = begin().await;
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
    assert!(worker.transport.take_sent().is_empty());
}
