//! `POST /jobs/settlement?force`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    settlement::Days,
};
use serde::Deserialize;

/// Query parameters. `force`: whether to create a settlement although one of the same days has not
/// ended.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    #[serde(default)]
    force: bool,
}

/// Creates a settlement, or joins the one of the same days that has not ended.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let Query { force } = http::query(&request)?;
    let now = app.now();
    let days = http::body::<Days>(&request)?.check(now)?;
    let job = app.settlement().create(days, force, now).await?;
    Ok(Reply::accepted(&format!("/jobs/{}", job.job_id), &job))
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use once::testing::{Answer, Call, Cloud, Fault, Instance};
    use serde_json::{Value, json};

    use super::*;

    /// An instance at noon of 2026-11-20.
    async fn noon() -> (Cloud, Instance) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance().at("2026-11-20T12:00:00Z".parse().expect("a time"));
        (cloud, instance)
    }

    fn days(from: &str, to: &str) -> Value {
        json!({"from": from, "to": to})
    }

    async fn post(instance: &Instance, query: &str, body: impl std::fmt::Display) -> Answer {
        Call::new("POST", &format!("/jobs/settlement{query}")).body(body).to(instance, handle).await
    }

    /// Asserts that a response is 202, and returns its id.
    fn accepted(answer: &Answer) -> String {
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.body["job_id"].as_str().expect("an id").to_owned()
    }

    #[tokio::test]
    async fn a_settlement_is_accepted_and_its_plan_is_requested() {
        let (cloud, instance) = noon().await;
        let answer = post(&instance, "", days("2026-11-18", "2026-11-19")).await;
        let id = accepted(&answer);
        let uuid = id.strip_prefix("job_").expect("a job's id");
        assert!(uuid.len() == 36 && uuid.split('-').count() == 5, "{id}");
        assert_eq!(answer.body, json!({"job_id": id, "status": "QUEUED"}));
        assert_eq!(answer.headers["location"], format!("/jobs/{id}"));
        let [message] = &cloud.services().take_queued()[..] else { panic!("one message") };
        assert!(message.queue.ends_with("/plans") && message.body.contains(&id), "{message:?}");
        assert_eq!(message.delay_seconds, 0, "the ledger of past days is complete");
    }

    #[tokio::test]
    async fn a_settlement_of_today_waits_until_the_ledger_is_complete() {
        let (cloud, instance) = noon().await;
        accepted(&post(&instance, "", days("2026-11-20", "2026-11-20")).await);
        let delays: Vec<u64> =
            cloud.services().take_queued().iter().map(|message| message.delay_seconds).collect();
        assert_eq!(delays, [30]);
    }

    #[tokio::test]
    async fn a_request_for_the_same_days_joins_the_settlement_until_it_has_ended() {
        let (cloud, instance) = noon().await;
        let first = accepted(&post(&instance, "", days("2026-11-18", "2026-11-19")).await);
        let plan = cloud.services().take_queued().pop().expect("a plan");
        for query in ["", "?force=false"] {
            assert_eq!(
                accepted(&post(&instance, query, days("2026-11-18", "2026-11-19")).await),
                first
            );
        }
        instance.handle_dead_letter(&plan).await;
        assert!(cloud.services().take_queued().is_empty(), "it is planned once");

        let second = accepted(&post(&instance, "", days("2026-11-18", "2026-11-19")).await);
        assert_ne!(second, first, "the first has ended");
        let other_days = accepted(&post(&instance, "", days("2026-11-18", "2026-11-18")).await);
        assert!(other_days != first && other_days != second);
    }

    #[tokio::test]
    async fn a_forced_settlement_is_another_one_which_later_requests_join() {
        let (cloud, instance) = noon().await;
        let first = accepted(&post(&instance, "", days("2026-11-18", "2026-11-19")).await);
        let forced =
            accepted(&post(&instance, "?force=true", days("2026-11-18", "2026-11-19")).await);
        assert_ne!(forced, first);
        assert_eq!(accepted(&post(&instance, "", days("2026-11-18", "2026-11-19")).await), forced);
        assert_eq!(cloud.services().take_queued().len(), 2);
    }

    #[tokio::test]
    async fn eight_concurrent_requests_create_one_settlement() {
        let (cloud, instance) = noon().await;
        let requests = (0..8).map(|_| post(&instance, "", days("2026-11-18", "2026-11-19")));
        let mut ids: Vec<String> = join_all(requests).await.iter().map(accepted).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(cloud.services().take_queued().len(), 1);
    }

    #[tokio::test]
    async fn a_settlement_whose_reply_from_the_store_was_lost_is_queued() {
        let (cloud, instance) = noon().await;
        // The first call reads the latest settlement; the next three are the SDK's attempts to put
        // one.
        for call in 2..=4 {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        let id = accepted(&post(&instance, "", days("2026-11-18", "2026-11-19")).await);
        let [message] = &cloud.services().take_message_bodies()[..] else { panic!("one message") };
        assert!(message.contains(&id), "{message}");
    }

    #[tokio::test]
    async fn a_leap_year_can_be_one_settlement() {
        let (_cloud, instance) = noon().await;
        accepted(&post(&instance, "", days("2024-01-01", "2024-12-31")).await);
    }

    #[tokio::test]
    async fn invalid_requests_are_rejected_by_field_and_create_nothing() {
        let (cloud, instance) = noon().await;
        let valid = days("2026-11-18", "2026-11-19");
        for (query, body, field) in [
            ("", r#"{"to": "2026-11-19"}"#, "from"),
            ("", r#"{"from": "2026-11-18"}"#, "to"),
            ("", "{}", "from"),
            ("", &days("yesterday", "2026-11-19").to_string(), "from"),
            ("", &days("2026-11-18", "").to_string(), "to"),
            ("", &days("2025-02-30", "2026-11-19").to_string(), "from"),
            ("", &days("2026-1-2", "2026-11-19").to_string(), "from"),
            ("", &days("2026-11-18", "2026-11-19T00:00:00Z").to_string(), "to"),
            ("", r#"{"from": 20261118, "to": "2026-11-19"}"#, "from"),
            ("", r#"{"from": "2026-11-18", "to": null}"#, "to"),
            ("", r#"{"from": "2026-11-18", "from": "2026-11-18", "to": "2026-11-19"}"#, "from"),
            ("", &days("2026-11-19", "2026-11-18").to_string(), "from"),
            ("", &days("2024-01-01", "2025-01-01").to_string(), "to"),
            ("", &days("2026-11-18", "2026-11-21").to_string(), "to"),
            ("", &days("2026-11-21", "2026-11-22").to_string(), "to"),
            ("", r#"{"from": "2026-11-18", "to": "2026-11-19", "merchant": "m"}"#, "merchant"),
            ("", "not json", "body"),
            ("", "{", "body"),
            ("", "", "body"),
            ("", r#"["2026-11-18", "2026-11-19"]"#, "body"),
            ("?force=maybe", &valid.to_string(), "force"),
            ("?force=", &valid.to_string(), "force"),
            ("?force=true&force=true", &valid.to_string(), "force"),
            ("?dry=true", &valid.to_string(), "dry"),
        ] {
            let answer = post(&instance, query, body).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{query} {body}: {}",
                answer.body
            );
        }
        let answer = Call::new("POST", "/jobs/settlement").to(&instance, handle).await;
        assert_eq!((answer.status, answer.field()), (400, "body"));
        assert!(cloud.items(once::testing::SETTLEMENTS_TABLE).await.is_empty());
    }

    #[tokio::test]
    async fn the_sample_creates_a_settlement() {
        let (_cloud, instance) = noon().await;
        let response = Call::sample("settlement-create").response(&instance, handle).await;
        assert_eq!(response.status(), 202);
    }
}
