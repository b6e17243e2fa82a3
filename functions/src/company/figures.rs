//! `GET /api/financials`, `/api/sales` and `/api/employee`, each with `?companyId=<id>`

use lambda_http::http::{HeaderName, header};
use once::{
    App,
    company::{CacheStatus, CompanyId, FiguresKey, Kind, Response},
    http::{self, ApiError, Reply, Request},
    time::{Clock, Timestamp},
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(rename = "companyId")]
    company: CompanyId,
}

/// How the figures were obtained.
const X_ONCE: HeaderName = HeaderName::from_static("x-once");

/// Returns a company's figures of the kind that the path names, the same for all callers.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let path = request.uri().path();
    let kind = kind(path).ok_or_else(|| ApiError::route_not_found(path))?;
    let Query { company } = http::query(&request)?;
    let clock = Clock::starting(app.now());
    let figures = app.companies().figures(FiguresKey { company, kind }, clock.now()).await?;
    // The time after the wait, which may have taken seconds.
    Ok(reply(&figures, clock.now(), |hash| http::if_none_match(&request, hash)))
}

/// 200 with the bytes that all callers get, or 304 if the caller has them; both say for how long
/// they hold.
fn reply(figures: &Response, now: Timestamp, is_cached: impl Fn(&str) -> bool) -> Reply {
    let Response { answer, status } = figures;
    // The clock of this machine may be behind the worker's.
    let now = now.max(answer.computed_at);
    let age = now.since(answer.computed_at).as_secs();
    // The whole lifetime: caches subtract the age (RFC 9111).
    let lifetime = answer.expires_at.since(answer.computed_at).as_secs();
    let status = match status {
        CacheStatus::Miss => "computed",
        CacheStatus::Collapsed => "joined",
        CacheStatus::Hit => "cached",
    };
    Reply::cacheable("application/json", &answer.body, is_cached)
        .header(header::AGE, &age.to_string())
        // Shared caches may keep them, since all callers get the same.
        .header(header::CACHE_CONTROL, &format!("max-age={lifetime}"))
        .header(X_ONCE, status)
}

/// The kind that a path ends with: `/api/<kind>`.
fn kind(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next()?;
    [Kind::Financials, Kind::Sales, Kind::Employee].into_iter().find(|kind| kind.name() == name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::join_all;
    use once::{
        http::{Body, Response},
        ledger::Entry,
        routes,
        testing::{Answer, COMPANIES_TABLE, Call, Cloud, Fault, Instance, LEDGER_TABLE, sample},
        time::Timestamp,
    };
    use serde_json::{Value, json};

    use super::*;

    fn noon() -> Timestamp {
        "2026-11-20T12:00:00Z".parse().expect("a time")
    }

    fn seconds_later(seconds: u64) -> Timestamp {
        noon().plus(Duration::from_secs(seconds))
    }

    /// At noon, a company of eight that sold three times yesterday, each time for 10.00 with a fee of 0.29.
    async fn company() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.sales("2026-11-19", "merchant_001", 3).await;
        let instance = cloud.instance().at(noon());
        let profile = serde_json::from_value(json!({"name": "Beispiel GmbH", "employees": 8}))
            .expect("a profile");
        let id = "merchant_001".to_owned().try_into().expect("an id");
        instance.app.companies().put(id, profile, noon()).await.expect("stored");
        (cloud, instance)
    }

    fn figures(kind: &str) -> Call {
        Call::new("GET", &format!("/api/{kind}?companyId=merchant_001"))
    }

    async fn send(instance: &Instance, call: Call) -> Response<Body> {
        call.response(instance, handle).await
    }

    /// The answers, while a worker does what the queue holds; and how many messages it got.
    async fn worked<T>(
        cloud: &Cloud,
        now: Timestamp,
        answers: impl Future<Output = T>,
    ) -> (T, usize) {
        let worker = cloud.instance();
        let mut messages = 0;
        let work = async {
            loop {
                for message in cloud.services().take_queued() {
                    messages += 1;
                    worker.app.companies().compute(&message.delivery(), now).await.expect("done");
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let answers = tokio::select! { answers = answers => answers, never = work => never };
        (answers, messages)
    }

    /// The figures, as a worker computes them at this moment.
    async fn computed(
        cloud: &Cloud,
        instance: &Instance,
        now: Timestamp,
        kind: &str,
    ) -> Response<Body> {
        worked(cloud, now, send(&instance.at(now), figures(kind))).await.0
    }

    fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
        response.headers()[name].to_str().expect("ASCII")
    }

    /// Age and lifetime. It takes a moment to wait for figures, so a second may have passed, or be about to.
    fn freshness(response: &Response<Body>) -> (u64, u64) {
        let lifetime = header(response, "cache-control").strip_prefix("max-age=").expect("an age");
        (header(response, "age").parse().expect("seconds"), lifetime.parse().expect("seconds"))
    }

    #[tokio::test]
    async fn each_kind_is_answered_with_its_figures() {
        let (cloud, instance) = company().await;
        for (kind, expected) in [
            ("financials", json!({"gross_cents": 3_000, "fee_cents": 87, "net_cents": 2_913})),
            (
                "sales",
                json!({"sales": 3, "average_ticket_cents": {"numerator": 1_000, "denominator": 1}}),
            ),
            (
                "employee",
                json!({"employees": 8, "sales_per_employee": {"numerator": 3, "denominator": 8}}),
            ),
        ] {
            let response = computed(&cloud, &instance, noon(), kind).await;
            assert_eq!(
                (response.status().as_u16(), header(&response, "x-once")),
                (200, "computed")
            );
            assert_eq!(header(&response, "content-type"), "application/json");
            let tag = header(&response, "etag").trim_matches('"');
            assert!(tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit()), "{tag}");
            assert!(matches!(freshness(&response), (0, 60)), "{response:?}");
            let body = Answer::from(response).body;
            let named = json!({
                "company_id": "merchant_001", "name": "Beispiel GmbH", "type": kind, "from": "2026-10-22", "to": "2026-11-20",
            });
            for (name, value) in named.as_object().into_iter().chain(expected.as_object()).flatten()
            {
                assert_eq!(&body[name], value, "{kind} {name}: {body}");
            }
        }
    }

    #[tokio::test]
    async fn all_callers_of_all_instances_get_the_same_bytes_which_were_computed_once() {
        let (cloud, _) = company().await;
        let instances: Vec<_> = (0..3).map(|_| cloud.instance().at(noon())).collect();
        let asked =
            instances.iter().flat_map(|instance| (0..8).map(|_| send(instance, figures("sales"))));
        let (answers, messages) = worked(&cloud, noon(), join_all(asked)).await;
        let first = &answers[0];
        for answer in &answers {
            assert_eq!((answer.status().as_u16(), answer.body()), (200, first.body()));
            assert_eq!(header(answer, "etag"), header(first, "etag"));
        }
        let how = |how| answers.iter().filter(|answer| header(answer, "x-once") == how).count();
        assert_eq!((answers.len(), how("computed"), how("joined"), messages), (24, 1, 23, 1));
    }

    #[tokio::test]
    async fn figures_are_kept_until_they_expire_and_grow_old_meanwhile() {
        let (cloud, instance) = company().await;
        let first = computed(&cloud, &instance, noon(), "financials").await;
        for instance in [&instance, &cloud.instance()] {
            let later = send(&instance.at(seconds_later(20)), figures("financials")).await;
            assert_eq!((later.body(), header(&later, "x-once")), (first.body(), "cached"));
            assert!(matches!(freshness(&later), (18..=20, 60)), "{later:?}");
        }
        assert!(cloud.services().take_queued().is_empty());

        let next = computed(&cloud, &instance, seconds_later(70), "financials").await;
        assert_eq!(header(&next, "x-once"), "computed");
        assert_ne!(next.body(), first.body(), "it tells when it was computed");
        assert_ne!(header(&next, "etag"), header(&first, "etag"));
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_makes_no_negative_age_and_no_longer_life() {
        let (cloud, instance) = company().await;
        drop(computed(&cloud, &instance, seconds_later(30), "sales").await);
        let response = send(&instance.at(noon()), figures("sales")).await;
        assert_eq!((header(&response, "x-once"), freshness(&response)), ("cached", (0, 60)));
    }

    #[tokio::test]
    async fn who_has_the_figures_is_not_sent_them_again() {
        let (cloud, instance) = company().await;
        let tag = header(&computed(&cloud, &instance, noon(), "sales").await, "etag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()]
        {
            let call = figures("sales").header("if-none-match", &known);
            let response = send(&instance.at(seconds_later(20)), call).await;
            assert_eq!(
                (response.status().as_u16(), response.body()),
                (304, &Body::Text(String::new())),
                "{known}"
            );
            assert_eq!((header(&response, "etag"), header(&response, "x-once")), (&*tag, "cached"));
            assert!(matches!(freshness(&response), (18..=20, 60)), "{response:?}");
            assert!(!response.headers().contains_key("content-type"));
        }
        for other in ["\"other\"", ""] {
            let response = send(&instance, figures("sales").header("if-none-match", other)).await;
            assert_eq!(response.status(), 200, "{other}");
        }
    }

    #[tokio::test]
    async fn a_company_that_is_not_there_is_not_found_and_nothing_is_asked_for() {
        let (cloud, instance) = company().await;
        let before = cloud.items(COMPANIES_TABLE).await;
        let answer =
            Call::new("GET", "/api/sales?companyId=merchant_002").to(&instance, handle).await;
        assert_eq!((answer.status, answer.code()), (404, "COMPANY_NOT_FOUND"));
        assert_eq!(answer.body["error"]["message"], "Company merchant_002 does not exist");
        assert!(cloud.services().take_queued().is_empty());
        assert_eq!(cloud.items(COMPANIES_TABLE).await, before);
    }

    #[tokio::test]
    async fn figures_that_cannot_be_computed_fail_with_the_jobs_own_error() {
        let (cloud, instance) = company().await;
        let sale = Entry::sale(uuid(), "merchant_001", 1_000, 29, noon());
        // It does not balance.
        let broken = Entry { net_cents: 0, ..sale }.item().expect("an item");
        cloud
            .client()
            .put_item()
            .table_name(LEDGER_TABLE)
            .set_item(Some(broken))
            .send()
            .await
            .expect("put");
        let answer: Answer = computed(&cloud, &instance, noon(), "sales").await.into();
        assert_eq!((answer.status, answer.code()), (502, "COMPUTATION_FAILED"));
        let message = answer.body["error"]["message"].as_str().expect("a message");
        assert!(message.starts_with("LEDGER_UNREADABLE: entry merchant_001#"), "{message}");
        let other: Answer = computed(&cloud, &cloud.instance(), noon(), "employee").await.into();
        assert_eq!(
            (other.status, &other.body["error"]),
            (502, &answer.body["error"]),
            "they share their base"
        );
    }

    fn uuid() -> uuid::Uuid {
        uuid::Uuid::from_u128(99)
    }

    #[tokio::test]
    async fn figures_that_take_longer_are_there_for_who_asks_again() {
        let (cloud, _) = company().await;
        let hasty = cloud
            .instance_with(|config| config.companies.wait = Duration::from_millis(50))
            .at(noon());
        let answer: Answer = send(&hasty, figures("sales")).await.into();
        assert_eq!((answer.status, answer.code()), (504, "FIGURES_NOT_READY"));
        assert_eq!(answer.headers["retry-after"], "1");
        let (again, messages) =
            worked(&cloud, noon(), send(&cloud.instance().at(noon()), figures("sales"))).await;
        assert_eq!(
            (again.status().as_u16(), header(&again, "x-once"), messages),
            (200, "joined", 1)
        );
    }

    #[tokio::test]
    async fn a_store_that_does_not_answer_is_told() {
        let (_cloud, instance) = company().await;
        instance.transport.fail_randomly(7, 1.0, Fault::Refuse);
        let answer: Answer = send(&instance, figures("sales")).await.into();
        assert_eq!((answer.status, answer.code()), (503, "STORE_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn bad_input_is_refused_by_name() {
        let (cloud, instance) = company().await;
        for (query, field) in [
            ("", "companyId"),
            ("?companyId", "companyId"),
            ("?companyId=", "companyId"),
            ("?companyId=merchant_001&companyId=merchant_001", "companyId"),
            (&format!("?companyId={}", "x".repeat(65)), "companyId"),
            ("?companyId=merchant%23001", "companyId"),
            ("?companyId=merchant+001", "companyId"),
            ("?companyId=merchant%00", "companyId"),
            ("?companyId=m%C3%A4rz", "companyId"),
            ("?companyId=%2e%2e%2f", "companyId"),
            ("?companyid=merchant_001", "companyid"),
            ("?companyId=merchant_001&days=7", "days"),
        ] {
            for kind in ["financials", "sales", "employee"] {
                let answer =
                    Call::new("GET", &format!("/api/{kind}{query}")).to(&instance, handle).await;
                assert_eq!(
                    (answer.status, answer.code(), answer.field()),
                    (400, "INVALID_REQUEST", field),
                    "{kind}{query}: {}",
                    answer.body
                );
            }
        }
        assert!(cloud.services().take_queued().is_empty());
    }

    #[test]
    fn every_route_of_this_function_has_its_kind_and_no_other_path_has_one() {
        let own = routes::routes().filter(|(_, row)| row.function == "company-figures");
        let kinds: Vec<_> = own.map(|(route, _)| kind(route.path)).collect();
        assert_eq!(kinds, [Some(Kind::Financials), Some(Kind::Sales), Some(Kind::Employee)]);
        assert_eq!(kind("/stage/api/sales"), Some(Kind::Sales));
        for other in [
            "",
            "/",
            "/api",
            "/api/",
            "/api/sales/",
            "/api/Sales",
            "/api/profit",
            "/companies/merchant_001",
        ] {
            assert_eq!(kind(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn the_sample_asks_for_figures_of_a_company_that_is_not_there() {
        let cloud = Cloud::start().await;
        let refused =
            handle(cloud.instance().app, sample("company-figures")).await.expect_err("no company");
        let id: CompanyId = serde_json::from_value(Value::from("merchant_001")).expect("an id");
        assert_eq!(refused, ApiError::company_not_found(&id));
    }
}
