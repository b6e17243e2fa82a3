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

/// Response header: how the figures were obtained.
const X_ONCE: HeaderName = HeaderName::from_static("x-once");

/// Returns a company's figures of the kind that the path names, the same for all callers.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let path = request.uri().path();
    let kind = kind(path).ok_or_else(|| ApiError::route_not_found(path))?;
    let Query { company } = http::query(&request)?;
    let clock = Clock::starting(app.now());
    let figures = app.companies().figures(FiguresKey { company, kind }, clock.now()).await?;
    // The wait may have taken seconds.
    Ok(reply(&figures, clock.now(), |hash| http::if_none_match(&request, hash)))
}

/// Returns 200 with the bytes that all callers get, or 304 if the caller has them. Both have the
/// figures' age and lifetime.
fn reply(figures: &Response, now: Timestamp, is_cached: impl Fn(&str) -> bool) -> Reply {
    let Response { answer, status } = figures;
    // This machine's clock may be behind the worker's.
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

/// Returns the kind at the end of the path: `/api/<kind>`.
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

    /// Returns an instance at noon, and a company with eight employees and three sales on the day
    /// before, each of 10.00 with a fee of 0.29.
    async fn company() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        cloud.record_sales("2026-11-19", "merchant_001", 3).await;
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

    /// Awaits the answers while a worker handles the messages of the queue. Returns the answers and
    /// the number of messages.
    async fn with_worker<T>(
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

    /// Requests figures at a time, with a worker that computes them.
    async fn computed(
        cloud: &Cloud,
        instance: &Instance,
        now: Timestamp,
        kind: &str,
    ) -> Response<Body> {
        with_worker(cloud, now, send(&instance.at(now), figures(kind))).await.0
    }

    fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
        response.headers()[name].to_str().expect("ASCII")
    }

    /// Returns age and lifetime. The wait for the figures takes time, so either may be off by a
    /// second.
    fn freshness(response: &Response<Body>) -> (u64, u64) {
        let lifetime = header(response, "cache-control").strip_prefix("max-age=").expect("an age");
        (header(response, "age").parse().expect("seconds"), lifetime.parse().expect("seconds"))
    }

    #[tokio::test]
    async fn each_path_returns_the_figures_of_its_kind() {
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
            let common = json!({
                "company_id": "merchant_001",
                "name": "Beispiel GmbH",
                "type": kind,
                "from": "2026-10-22",
                "to": "2026-11-20",
            });
            for (name, value) in
                common.as_object().into_iter().chain(expected.as_object()).flatten()
            {
                assert_eq!(&body[name], value, "{kind} {name}: {body}");
            }
        }
    }

    #[tokio::test]
    async fn all_callers_of_all_instances_get_the_same_bytes_computed_once() {
        let (cloud, _) = company().await;
        let instances: Vec<_> = (0..3).map(|_| cloud.instance().at(noon())).collect();
        let requests =
            instances.iter().flat_map(|instance| (0..8).map(|_| send(instance, figures("sales"))));
        let (answers, messages) = with_worker(&cloud, noon(), join_all(requests)).await;
        let first = &answers[0];
        for answer in &answers {
            assert_eq!((answer.status().as_u16(), answer.body()), (200, first.body()));
            assert_eq!(header(answer, "etag"), header(first, "etag"));
        }
        let count =
            |status| answers.iter().filter(|answer| header(answer, "x-once") == status).count();
        assert_eq!((answers.len(), count("computed"), count("joined"), messages), (24, 1, 23, 1));
    }

    #[tokio::test]
    async fn figures_are_cached_until_they_expire_and_their_age_grows() {
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
        assert_ne!(next.body(), first.body(), "computed_at differs");
        assert_ne!(header(&next, "etag"), header(&first, "etag"));
    }

    #[tokio::test]
    async fn a_clock_that_is_behind_yields_age_zero_and_the_usual_lifetime() {
        let (cloud, instance) = company().await;
        drop(computed(&cloud, &instance, seconds_later(30), "sales").await);
        let response = send(&instance.at(noon()), figures("sales")).await;
        assert_eq!((header(&response, "x-once"), freshness(&response)), ("cached", (0, 60)));
    }

    #[tokio::test]
    async fn a_matching_etag_is_answered_304() {
        let (cloud, instance) = company().await;
        let tag = header(&computed(&cloud, &instance, noon(), "sales").await, "etag").to_owned();
        for if_none_match in
            [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()]
        {
            let call = figures("sales").header("if-none-match", &if_none_match);
            let response = send(&instance.at(seconds_later(20)), call).await;
            assert_eq!(
                (response.status().as_u16(), response.body()),
                (304, &Body::Text(String::new())),
                "{if_none_match}"
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
    async fn a_missing_company_is_not_found_and_starts_no_computation() {
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
    async fn a_failed_computation_is_answered_with_its_error() {
        let (cloud, instance) = company().await;
        let sale = Entry::sale(uuid(), "merchant_001", 1_000, 29, noon());
        // Gross, fee and net do not add up.
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
        assert!(
            message.starts_with("LEDGER_UNREADABLE: invalid ledger entry merchant_001#"),
            "{message}"
        );
        let other: Answer = computed(&cloud, &cloud.instance(), noon(), "employee").await.into();
        assert_eq!(
            (other.status, &other.body["error"]),
            (502, &answer.body["error"]),
            "the kinds share their base"
        );
    }

    fn uuid() -> uuid::Uuid {
        uuid::Uuid::from_u128(99)
    }

    #[tokio::test]
    async fn figures_that_time_out_are_found_by_the_next_request() {
        let (cloud, _) = company().await;
        let impatient = cloud
            .instance_with(|config| config.companies.wait = Duration::from_millis(50))
            .at(noon());
        let answer: Answer = send(&impatient, figures("sales")).await.into();
        assert_eq!((answer.status, answer.code()), (504, "FIGURES_NOT_READY"));
        assert_eq!(answer.headers["retry-after"], "1");
        let (again, messages) =
            with_worker(&cloud, noon(), send(&cloud.instance().at(noon()), figures("sales"))).await;
        assert_eq!(
            (again.status().as_u16(), header(&again, "x-once"), messages),
            (200, "joined", 1)
        );
    }

    #[tokio::test]
    async fn an_unavailable_store_is_answered_503() {
        let (_cloud, instance) = company().await;
        instance.transport.fail_randomly(7, 1.0, Fault::Refuse);
        let answer: Answer = send(&instance, figures("sales")).await.into();
        assert_eq!((answer.status, answer.code()), (503, "STORE_UNAVAILABLE"));
    }

    #[tokio::test]
    async fn invalid_input_is_rejected_by_field() {
        let (cloud, instance) = company().await;
        for (query, field) in [
            ("", "companyId"),
            ("?companyId", "companyId"),
            ("?companyId=", "companyId"),
            ("?companyId=merchant_001&companyId=merchant_001", "companyId"),
            (&format!("?companyId={}", "x".repeat(65)), "companyId"),
            ("?companyId=..", "companyId"),
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
    fn each_route_of_the_function_has_its_kind_and_other_paths_have_none() {
        let routes = routes::routes().filter(|(_, row)| row.function == "company-figures");
        let kinds: Vec<_> = routes.map(|(route, _)| kind(route.path)).collect();
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
    async fn the_sample_request_is_for_a_missing_company() {
        let cloud = Cloud::start().await;
        let error =
            handle(cloud.instance().app, sample("company-figures")).await.expect_err("no company");
        let id: CompanyId = serde_json::from_value(Value::from("merchant_001")).expect("an id");
        assert_eq!(error, ApiError::company_not_found(&id));
    }
}
