//! `PUT /scheduler/jobs/{id}`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    schedule::NewScheduledJob,
};

/// Replaces the name and the action of a job, and keeps its schedule.
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
            COMPANIES_TABLE, Call, Cloud, Fault, Instance, SCHEDULES_TABLE, new_scheduled_job,
        },
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_is_invalid, assert_sample_job_is_not_found, at, every,
        noon,
    };

    const LATER: &str = "2026-11-20T12:00:01.000Z";

    /// A job that was created at noon, and an instance one second later.
    async fn job() -> (Cloud, Instance, ScheduledJobId) {
        let (cloud, instance) = noon().await;
        let id = instance.create_scheduled_job().await;
        (cloud, at(&instance, "12:00:01"), id)
    }

    fn other() -> Value {
        let action = json!({"type": "company", "company_id": "merchant_001", "kind": "sales"});
        json!({"name": "Refresh", "action": action})
    }

    fn put(id: impl std::fmt::Display, body: impl std::fmt::Display) -> Call {
        Call::new("PUT", &format!("/scheduler/jobs/{id}")).body(body)
    }

    #[tokio::test]
    async fn name_and_action_are_replaced_and_the_schedule_is_kept() {
        let (_cloud, instance, id) = job().await;
        let before = json!(instance.set_schedule(id, every(3600)).await);
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
        assert_eq!(json!(instance.job_view(id).await), expected);
    }

    #[tokio::test]
    async fn queued_occurrences_perform_the_new_action() {
        let (cloud, instance, id) = job().await;
        instance.set_schedule(id, every(10)).await;
        let first = cloud.take_occurrences().swap_remove(0);
        put(id, other()).to(&instance, handle).await;
        assert!(cloud.services().take_queued().is_empty(), "no occurrence is sent again");
        // The new action fails, since the company does not exist; the old one would have succeeded.
        let failure = instance.deliver_occurrence(&first).await.expect_err("no company");
        assert!(failure.to_string().starts_with("COMPANY_NOT_FOUND: "), "{failure}");
        assert!(cloud.items(COMPANIES_TABLE).await.is_empty());
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_is_replaced() {
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
    async fn a_change_whose_reply_was_lost_is_applied_once() {
        let (_cloud, instance, id) = job().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = put(id, other()).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(2)));
        assert_eq!(json!(instance.job_view(id).await), answer.body);
    }

    #[tokio::test]
    async fn bad_input_is_rejected_by_name_and_changes_nothing() {
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
            assert_is_invalid(&answer, field, body);
        }
        assert_eq!(cloud.items(SCHEDULES_TABLE).await, before);
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| put(id, new_scheduled_job()), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("scheduled-job-put", handle).await;
    }
}
