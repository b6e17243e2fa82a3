//! `PUT /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    schedule::NewScheduledJob,
};

/// Gives a job another name and action. Its schedule stays.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let new = http::body::<NewScheduledJob>(&request)?.check(app.guard())?;
    let job = app.schedules().replace(id, new, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::ScheduledJobId,
        testing::{
            Answer, COMPANIES_TABLE, Call, Cloud, Fault, Instance, SCHEDULES_TABLE,
            new_scheduled_job,
        },
    };
    use serde_json::{Value, json};

    use super::*;

    const LATER: &str = "2026-11-20T12:00:01.000Z";

    /// A job that was made at noon, and the moment after.
    async fn job() -> (Cloud, Instance, ScheduledJobId) {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let id = instance.at("2026-11-20T12:00:00Z".parse().expect("a time")).scheduled_job().await;
        (cloud, instance.at(LATER.parse().expect("a time")), id)
    }

    fn other() -> Value {
        let action = json!({"type": "company", "company_id": "merchant_001", "kind": "sales"});
        json!({"name": "Refresh", "action": action})
    }

    fn put(id: ScheduledJobId, body: impl std::fmt::Display) -> Call {
        Call::new("PUT", &format!("/scheduler/jobs/{id}")).body(body)
    }

    #[tokio::test]
    async fn name_and_action_are_replaced_and_the_schedule_stays() {
        let (_cloud, instance, id) = job().await;
        let before =
            json!(instance.schedule(id, json!({"type": "fixed", "every_seconds": 3600})).await);
        let answer = put(id, other()).to(&instance, handle).await;
        assert_eq!(
            (answer.status, &answer.headers["etag"]),
            (200, &"\"3\"".parse().expect("ascii"))
        );
        let mut expected = before;
        (expected["name"], expected["action"]) =
            (other()["name"].clone(), other()["action"].clone());
        (expected["version"], expected["updated_at"]) = (3.into(), LATER.into());
        assert_eq!(answer.body, expected);
        assert_eq!(json!(instance.view(id).await), expected);
    }

    #[tokio::test]
    async fn what_is_queued_does_the_new_action() {
        let (cloud, instance, id) = job().await;
        instance.schedule(id, json!({"type": "fixed", "every_seconds": 10})).await;
        let first = cloud.take_occurrences().swap_remove(0);
        put(id, other()).to(&instance, handle).await;
        assert!(cloud.services().take_queued().is_empty(), "nothing is sent twice");
        // The company is not there: a settlement would have begun.
        let failed = instance.fire(&first).await.expect_err("there is no such company");
        assert!(failed.to_string().starts_with("COMPANY_NOT_FOUND: "), "{failed}");
        assert!(cloud.items(COMPANIES_TABLE).await.is_empty());
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_has_seen_is_replaced() {
        let (cloud, instance, id) = job().await;
        for (tag, version) in [("\"1\"", "\"2\""), ("*", "\"3\""), ("\"3\"", "\"4\"")] {
            let answer = put(id, other()).header("if-match", tag).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.headers["etag"].as_bytes()),
                (200, version.as_bytes()),
                "{tag}"
            );
        }
        let before = cloud.items(SCHEDULES_TABLE).await;
        for stale in ["\"1\"", "\"3\"", "\"5\"", "\"0\""] {
            let answer =
                put(id, new_scheduled_job()).header("if-match", stale).to(&instance, handle).await;
            assert_eq!((answer.status, answer.code()), (412, "VERSION_CHANGED"), "{stale}");
        }
        for garbage in [
            "",
            "4",
            "\"\"",
            "\"x\"",
            "\"4",
            "W/\"4\"",
            "\"4\", \"5\"",
            "\"+4\"",
            "\"04\"",
            "\"-1\"",
            "\"1e3\"",
        ] {
            let answer = put(id, new_scheduled_job())
                .header("if-match", garbage)
                .to(&instance, handle)
                .await;
            assert_eq!((answer.status, answer.field()), (400, "If-Match"), "{garbage}");
        }
        assert_eq!(cloud.items(SCHEDULES_TABLE).await, before);
    }

    #[tokio::test]
    async fn a_change_whose_reply_was_lost_is_made_once() {
        let (_cloud, instance, id) = job().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = put(id, other()).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(2)));
        assert_eq!(json!(instance.view(id).await), answer.body);
    }

    #[tokio::test]
    async fn bad_input_is_refused_by_name_and_changes_nothing() {
        let (cloud, instance, id) = job().await;
        let before = cloud.items(SCHEDULES_TABLE).await;
        let with = |name: &str, value: Value| {
            let mut body = new_scheduled_job();
            body[name] = value;
            body.to_string()
        };
        for (body, field) in [
            ("", "body"),
            ("[]", "body"),
            (r#"{"name": "a"}"#, "action"),
            (r#"{"action": {"type": "settlement", "range": "yesterday"}}"#, "name"),
            (&with("name", "".into()), "name"),
            (&with("name", "x".repeat(101).into()), "name"),
            (&with("version", 1.into()), "version"),
            (&with("action", json!({"type": "settlement", "range": "today"})), "action.range"),
            (&with("action", json!({"type": "webhook", "url": "http://127.0.0.1/"})), "action.url"),
        ] {
            let answer = put(id, body).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.code(), answer.field()),
                (400, "INVALID_REQUEST", field),
                "{body}: {}",
                answer.body
            );
        }
        let answer = Call::new("PUT", "/scheduler/jobs/scheduled_job_7")
            .body(new_scheduled_job())
            .to(&instance, handle)
            .await;
        assert_eq!((answer.status, answer.field()), (400, "id"));
        assert_eq!(cloud.items(SCHEDULES_TABLE).await, before);
    }

    #[tokio::test]
    async fn the_sample_replaces_nothing_where_there_is_no_job() {
        let cloud = Cloud::start().await;
        let response = Call::sample("scheduled-job-put").response(&cloud.instance(), handle).await;
        let answer = Answer::from(response);
        assert_eq!((answer.status, answer.code()), (404, "JOB_NOT_FOUND"));
        assert!(cloud.items(SCHEDULES_TABLE).await.is_empty());
    }
}
