//! `POST /scheduler/jobs`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    schedule::{CreatedJob, NewScheduledJob},
};

/// Creates a job, once per idempotency key.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let new = http::body::<NewScheduledJob>(&request)?.check(app.guard())?;
    let key = http::idempotency_key(&request)?;
    let CreatedJob { job, replayed } = app.schedules().create(new, key.as_ref(), app.now()).await?;
    Ok(Reply::created(&format!("/scheduler/jobs/{}", job.id), &job)
        .version(job.version)
        .replayed(replayed))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Cloud, Fault, Instance, SCHEDULES_TABLE, new_scheduled_job};
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{NOON, assert_is_invalid, at, every, noon};

    fn with_action(action: &Value) -> Value {
        json!({"name": "Call", "action": action})
    }

    fn webhook(url: &str) -> Value {
        with_action(&json!({"type": "webhook", "url": url}))
    }

    async fn post(instance: &Instance, body: impl std::fmt::Display) -> Answer {
        Call::new("POST", "/scheduler/jobs").body(body).to(instance, handle).await
    }

    async fn post_with_key(instance: &Instance, body: impl std::fmt::Display) -> Answer {
        Call::new("POST", "/scheduler/jobs")
            .header("idempotency-key", "k")
            .body(body)
            .to(instance, handle)
            .await
    }

    #[tokio::test]
    async fn a_job_is_answered_as_it_is_stored() {
        let (cloud, instance) = noon().await;
        for action in [
            json!({"type": "settlement", "range": "last_week"}),
            json!({"type": "company", "company_id": "merchant_001", "kind": "sales"}),
            json!({"type": "webhook", "url": "https://example.com/hook"}),
            json!({
                "type": "webhook",
                "url": "https://example.com/hook",
                "body": {"a": [1, 0.1, 1e300, "ä"]},
            }),
        ] {
            let answer = post(&instance, with_action(&action)).await;
            assert_eq!(answer.status, 201, "{}", answer.body);
            let id = answer.body["id"].as_str().expect("an id").to_owned();
            assert!(id.starts_with("scheduled_job_"), "{id}");
            assert_eq!(answer.headers["location"], format!("/scheduler/jobs/{id}"));
            assert_eq!(answer.headers["etag"], "\"1\"");
            assert_eq!(
                answer.body,
                json!({
                    "id": id, "name": "Call", "action": action, "schedule": null,
                    "state": "UNSCHEDULED", "version": 1, "next_runs": [], "created_at": NOON,
                    "updated_at": NOON,
                })
            );
            let stored = instance.job_view(id.parse().expect("a job's id")).await;
            assert_eq!(json!(stored), answer.body);
        }
        assert_eq!(cloud.items(SCHEDULES_TABLE).await.len(), 4);
        assert!(cloud.services().take_queued().is_empty(), "it has no occurrences yet");
    }

    #[tokio::test]
    async fn a_repeat_with_the_same_key_is_replayed() {
        let (cloud, instance) = noon().await;
        let first = post_with_key(&instance, new_scheduled_job()).await;
        let later = at(&instance, "12:00:01");
        let second = post_with_key(&later, new_scheduled_job()).await;
        assert_eq!((first.status, second.status), (201, 201));
        assert_eq!(first.body, second.body);
        assert!(!first.headers.contains_key("idempotent-replayed"));
        assert_eq!(second.headers["idempotent-replayed"], "true");
        let other = post_with_key(&later, webhook("https://example.com/")).await;
        assert_eq!((other.status, other.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
        assert_eq!(cloud.items(SCHEDULES_TABLE).await.len(), 1);
    }

    #[tokio::test]
    async fn without_a_key_each_request_creates_a_job() {
        let (cloud, instance) = noon().await;
        assert_ne!(
            post(&instance, new_scheduled_job()).await.body["id"],
            post(&instance, new_scheduled_job()).await.body["id"]
        );
        assert_eq!(cloud.items(SCHEDULES_TABLE).await.len(), 2);
    }

    #[tokio::test]
    async fn a_job_whose_reply_was_lost_is_created_once() {
        let (cloud, instance) = noon().await;
        instance.transport.fail_at(1, Fault::LoseReply);
        let answer = post(&instance, new_scheduled_job()).await;
        assert_eq!(
            (answer.status, answer.headers.contains_key("idempotent-replayed")),
            (201, false)
        );
        let [_] = &cloud.items(SCHEDULES_TABLE).await[..] else { panic!("one job") };

        // All three attempts of the SDK fail, so the caller repeats the request.
        for call in 1..=3 {
            instance.transport.fail_at(call, Fault::LoseReply);
        }
        let lost = post_with_key(&instance, new_scheduled_job()).await;
        assert_eq!((lost.status, lost.code()), (503, "OUTCOME_UNKNOWN"));
        let repeated = post_with_key(&instance, new_scheduled_job()).await;
        assert_eq!(
            (repeated.status, &repeated.headers["idempotent-replayed"]),
            (201, &"true".parse().expect("ascii"))
        );
        assert_eq!(cloud.items(SCHEDULES_TABLE).await.len(), 2);
    }

    #[tokio::test]
    async fn an_invalid_body_is_rejected_by_name_and_creates_nothing() {
        let (cloud, instance) = noon().await;
        let with = |name: &str, value: Value| {
            let mut body = new_scheduled_job();
            body[name] = value;
            body.to_string()
        };
        let action = r#""action": {"type": "settlement", "range": "yesterday"}"#;
        for (body, field) in [
            ("", "body"),
            ("not json", "body"),
            ("{", "body"),
            ("null", "body"),
            (r#"["Call", {}]"#, "body"),
            ("{}", "name"),
            (&format!("{{{action}}}"), "name"),
            (r#"{"name": "a"}"#, "action"),
            (&format!(r#"{{"name": "a", "name": "b", {action}}}"#), "name"),
            (&format!(r#"{{"name": "a", {action}, {action}}}"#), "action"),
            (&with("schedule", every(10)), "schedule"),
            (&with("id", "scheduled_job_7".into()), "id"),
            (&with("name", "".into()), "name"),
            (&with("name", " \t".into()), "name"),
            (&with("name", "ä".repeat(101).into()), "name"),
            (&with("name", "a\nb".into()), "name"),
            (&with("name", "a\u{0}b".into()), "name"),
            (&with("name", 7.into()), "name"),
            (&with("name", Value::Null), "name"),
            (&with("action", Value::Null), "action"),
            (&with("action", "settlement".into()), "action"),
            (&with("action", json!(["settlement", "yesterday"])), "action"),
        ] {
            assert_is_rejected(&instance, body, field).await;
        }
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
        assert_eq!(post(&instance, with("name", "ä".repeat(100).into())).await.status, 201);
    }

    #[tokio::test]
    async fn an_invalid_action_is_rejected_by_name_and_creates_nothing() {
        let (cloud, instance) = noon().await;
        let company = |id: &str| json!({"type": "company", "company_id": id, "kind": "sales"});
        let call =
            |body: Value| json!({"type": "webhook", "url": "https://example.com/", "body": body});
        for (action, field) in [
            (json!({}), "action.type"),
            (json!({"range": "yesterday"}), "action.type"),
            (json!({"type": "email"}), "action.type"),
            (json!({"type": "Settlement", "range": "yesterday"}), "action.type"),
            (json!({"type": 1}), "action.type"),
            (json!({"type": "settlement"}), "action.range"),
            (json!({"type": "settlement", "range": "today"}), "action.range"),
            (json!({"type": "settlement", "range": null}), "action.range"),
            (json!({"type": "settlement", "range": "yesterday", "force": true}), "action.force"),
            (json!({"type": "company", "kind": "sales"}), "action.company_id"),
            (company("a#b"), "action.company_id"),
            (company("."), "action.company_id"),
            (company(""), "action.company_id"),
            (company(&"x".repeat(65)), "action.company_id"),
            (json!({"type": "company", "company_id": "merchant_001"}), "action.kind"),
            (
                json!({"type": "company", "company_id": "merchant_001", "kind": "tax"}),
                "action.kind",
            ),
            (json!({"type": "webhook"}), "action.url"),
            (
                json!({"type": "webhook", "url": "https://example.com/", "method": "GET"}),
                "action.method",
            ),
            (call(json!("text")), "action.body"),
            (call(json!([1])), "action.body"),
            (call(json!({"a": "x".repeat(8_192)})), "action.body"),
        ] {
            assert_is_rejected(&instance, with_action(&action), field).await;
        }
        let duplicate = r#"{"name": "a",
            "action": {"type": "settlement", "range": "yesterday", "range": "yesterday"}}"#;
        assert_is_rejected(&instance, duplicate, "action.range").await;
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
        let longest = "x".repeat(8_192 - r#"{"a":""}"#.len());
        assert_eq!(post(&instance, with_action(&call(json!({"a": longest})))).await.status, 201);
    }

    #[tokio::test]
    async fn a_blocked_url_is_rejected_by_name_and_creates_nothing() {
        let (cloud, instance) = noon().await;
        for url in [
            "",
            "example.com",
            "https://",
            "https://exa mple.com/",
            "https://example.com:65536/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "https://user:secret@example.com/",
            &format!("https://example.com/{}", "x".repeat(2_048)),
            "http://localhost/",
            "http://receiver/",
            "http://127.0.0.1/",
            "http://10.0.0.1/",
            "http://192.168.1.1/",
            "http://172.16.0.1/",
            "http://169.254.169.254/latest/meta-data/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0.0.0.0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[fd00::1]/",
            "http://100.64.0.1/",
        ] {
            assert_is_rejected(&instance, webhook(url), "action.url").await;
        }
        assert_is_rejected(
            &instance,
            with_action(&json!({"type": "webhook", "url": 7})),
            "action.url",
        )
        .await;
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
    }

    async fn assert_is_rejected(instance: &Instance, body: impl std::fmt::Display, field: &str) {
        assert_is_invalid(&post(instance, &body).await, field, body);
    }

    #[tokio::test]
    async fn a_bad_idempotency_key_is_rejected_by_name_and_creates_nothing() {
        let (cloud, instance) = noon().await;
        for key in ["", "a b", &"k".repeat(256)] {
            let call = Call::new("POST", "/scheduler/jobs")
                .header("idempotency-key", key)
                .body(new_scheduled_job());
            let answer = call.to(&instance, handle).await;
            assert_eq!((answer.status, answer.field()), (400, "Idempotency-Key"), "{key:?}");
        }
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
    }

    #[tokio::test]
    async fn a_private_receiver_is_accepted_where_the_deployment_allows_it() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance_with(|config| config.webhooks.guard.allow_private = true);
        assert_eq!(post(&instance, webhook("http://127.0.0.1:8080/test")).await.status, 201);
    }

    #[tokio::test]
    async fn the_sample_creates_a_job() {
        let (_cloud, instance) = noon().await;
        let response = Call::sample("scheduled-job-create").response(&instance, handle).await;
        assert_eq!(response.status(), 201);
    }
}
