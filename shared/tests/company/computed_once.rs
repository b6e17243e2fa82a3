//! For any number of callers, the base and each kind are computed once per lifetime.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use once::{
    company::{CacheStatus, Kind, Response},
    testing::{Cloud, Instance},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::company::fixtures::{
    COMPANY, KINDS, QUERIES, abandoned_request, at, body, calls, compute, computed, count, fences,
    figures_key, new_instance, put_company, setup, with_workers,
};

/// Sends a thousand concurrent requests, spread over these instances, for all kinds of these
/// companies.
async fn request_thousand(
    cloud: &Cloud,
    instances: &[Instance],
    workers: &[Instance],
    companies: &[&str],
    now: Timestamp,
) -> BTreeMap<(String, &'static str), Vec<Response>> {
    let requests = (0..1_000).map(async |n: usize| {
        let (company, kind) = (companies[n / 24 % companies.len()], KINDS[n / 8 % 3]);
        let response =
            instances[n % 8].app.companies().figures(figures_key(company, kind), now).await;
        ((company.to_owned(), kind.name()), response.expect("figures"))
    });
    let mut answers = BTreeMap::<_, Vec<_>>::new();
    for (key, response) in with_workers(cloud, workers, now, join_all(requests)).await {
        answers.entry(key).or_default().push(response);
    }
    assert_eq!(answers.len(), 3 * companies.len());
    for answers in answers.values() {
        assert!(
            answers.iter().all(|response| response.answer == answers[0].answer),
            "one answer for all"
        );
    }
    answers
}

#[tokio::test]
async fn a_thousand_callers_share_one_base_and_one_of_each_kind() {
    let cloud = setup().await;
    let instances: Vec<_> = (0..8).map(|_| new_instance(&cloud)).collect();
    let workers: Vec<_> = (0..3).map(|_| new_instance(&cloud)).collect();
    let all = async |now| request_thousand(&cloud, &instances, &workers, &[COMPANY], now).await;

    let first = all(at(0)).await;
    assert_eq!(
        fences(&cloud, COMPANY).await,
        (1, [2; 3]),
        "one claim of the base, one claim and takeover of each kind"
    );
    assert_eq!(calls(&workers, "Query"), QUERIES);
    for answers in first.values() {
        assert_eq!(count(answers, CacheStatus::Miss), 1);
    }
    assert_eq!(body(&first[&(COMPANY.to_owned(), "sales")][0])["sales"], 7);

    // All instances have the figures in their caches.
    calls(&instances, "");
    for answers in all(at(1)).await.values() {
        assert_eq!(count(answers, CacheStatus::Hit), answers.len());
    }
    assert!(instances.iter().all(|instance| instance.transport.take_calls().is_empty()));

    // After the lifetime of the figures and within that of the base.
    let second = all(at(120)).await;
    assert_eq!(fences(&cloud, COMPANY).await, (1, [4; 3]));
    assert_eq!(calls(&workers, "Query"), 0);
    for (key, answers) in &second {
        assert_eq!(count(answers, CacheStatus::Miss), 1);
        assert!(answers[0].answer.computed_at > first[key][0].answer.computed_at);
    }

    // After both.
    all(at(600)).await;
    assert_eq!(fences(&cloud, COMPANY).await, (2, [6; 3]));
    assert_eq!(calls(&workers, "Query"), QUERIES);
}

#[tokio::test]
async fn companies_do_not_affect_each_other() {
    let cloud = setup().await;
    let others = ["other", "company2", "company.2"];
    for (sales, other) in (20..).zip(others) {
        put_company(&cloud.instance(), other, 1).await;
        cloud.record_sales("2026-11-20", other, sales).await;
    }
    let instances: Vec<_> = (0..8).map(|_| new_instance(&cloud)).collect();
    let workers: Vec<_> = (0..3).map(|_| new_instance(&cloud)).collect();
    let companies = [&others[..], &[COMPANY]].concat();
    let answers = request_thousand(&cloud, &instances, &workers, &companies, at(0)).await;
    assert_eq!(calls(&workers, "Query"), 4 * QUERIES);
    for (company, sales) in companies.iter().zip([20, 21, 22, 7]) {
        let body = body(&answers[&((*company).to_owned(), "sales")][0]);
        assert_eq!((&body["company_id"], &body["sales"]), (&json!(company), &json!(sales)));
        assert_eq!(fences(&cloud, company).await, (1, [2; 3]));
    }
}

#[tokio::test]
async fn figures_cover_thirty_days_up_to_today() {
    let cloud = setup().await;
    cloud.record_sales("2026-10-22", COMPANY, 1).await;
    cloud.record_sales("2026-11-20", COMPANY, 2).await;
    cloud.record_sales("2026-11-21", COMPANY, 4).await;
    let sales = body(&computed(&cloud, Kind::Sales, at(0)).await.expect("figures"));
    let expected = json!({
        "company_id": COMPANY, "name": "A Company", "type": "sales",
        "from": "2026-10-22", "to": "2026-11-20",
        "computed_at": sales["computed_at"], "sales": 10, "reversals": 0, "gross_cents": 10_000,
        "average_ticket_cents": {"numerator": 1_000, "denominator": 1},
        "best_day": {"date": "2026-11-19", "gross_cents": 7_000},
        "trend": {"earlier_gross_cents": 1_000, "later_gross_cents": 9_000,
                  "change": {"numerator": 8, "denominator": 1}},
    });
    assert_eq!(sales, expected);
    let financials = body(&computed(&cloud, Kind::Financials, at(0)).await.expect("figures"));
    assert_eq!((&financials["net_cents"], &financials["fee_cents"]), (&json!(9_710), &json!(290)));
    let days = financials["days"].as_array().expect("days");
    assert_eq!(
        (days.len(), &days[0]["gross_cents"], &days[1]["gross_cents"]),
        (30, &json!(1_000), &json!(0))
    );
    let employee = body(&computed(&cloud, Kind::Employee, at(0)).await.expect("figures"));
    assert_eq!(employee["sales_per_employee"], json!({"numerator": 10, "denominator": 7}));
    assert_eq!(employee["type"], Value::from("employee"));
}

#[tokio::test]
async fn a_redelivered_message_of_finished_work_does_nothing() {
    let cloud = setup().await;
    let message = abandoned_request(&cloud, Kind::Sales, at(0)).await;
    let worker = new_instance(&cloud);
    compute(&worker, &message, at(0)).await;
    let before = fences(&cloud, COMPANY).await;
    drop(worker.transport.take_calls());
    compute(&worker, &message, at(1)).await;
    compute(&worker, &message, at(1_000)).await;
    assert_eq!(worker.transport.take_calls().len(), 2, "one call each");
    assert_eq!((before, fences(&cloud, COMPANY).await), ((1, [0, 2, 0]), before));
}
