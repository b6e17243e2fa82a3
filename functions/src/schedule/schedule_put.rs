//! `PUT /scheduler/jobs/{id}/schedule`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    schedule::Schedule,
};

/// Sets or replaces the schedule of a job.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let (id, version) = (http::path_parameter(&request, "id")?, http::if_match(&request)?);
    let schedule = http::body::<Schedule>(&request)?;
    let job = app.schedules().schedule(id, schedule, version, app.now()).await?;
    Ok(Reply::ok(&job).version(job.version))
}

#[cfg(test)]
mod tests {
    use once::{
        schedule::{RunOutcome, ScheduledJobId},
        testing::{Call, Cloud, Fault, Instance, QueuedMessage, SCHEDULES_TABLE},
    };
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{
        assert_bad_ids_are_rejected, assert_is_invalid, assert_sample_job_is_not_found, at, every,
    };

    /// A job without a schedule, at half a minute past noon.
    async fn job() -> (Cloud, Instance, ScheduledJobId) {
        let cloud = Cloud::start().await;
        let instance = at(&cloud.instance(), "12:00:30");
        let id = instance.create_scheduled_job().await;
        (cloud, instance, id)
    }

    fn put(id: impl std::fmt::Display, body: impl std::fmt::Display) -> Call {
        Call::new("PUT", &format!("/scheduler/jobs/{id}/schedule")).body(body)
    }

    /// The times at which the occurrences of messages are due, and the delays of the messages in
    /// seconds.
    fn due(queued: &[QueuedMessage]) -> Vec<(String, u64)> {
        let due = |message: &QueuedMessage| {
            let occurrence: Value = serde_json::from_str(&message.body).expect("an occurrence");
            occurrence["due_at"].as_str().expect("a time")[11..19].to_owned()
        };
        queued.iter().map(|message| (due(message), message.delay_seconds)).collect()
    }

    #[tokio::test]
    async fn a_schedule_is_answered_with_the_job_and_its_next_occurrences() {
        let (_cloud, instance, id) = job().await;
        let cron = json!({
            "type": "cron", "expression": "0 9 * * MON-FRI", "timezone": "America/New_York",
        });
        let answer = put(id, cron).to(&instance, handle).await;
        assert_eq!(
            (answer.status, &answer.headers["etag"]),
            (200, &"\"2\"".parse().expect("ascii"))
        );
        assert_eq!((&answer.body["state"], &answer.body["id"]), (&json!("ACTIVE"), &json!(id)));
        // A Friday, and then a Monday.
        let next = ["2026-11-20T14:00:00.000Z", "2026-11-23T14:00:00.000Z"];
        assert_eq!(answer.body["next_runs"].as_array().expect("times")[..2], next);
        assert_eq!(json!(instance.job_view(id).await), answer.body);
    }

    #[tokio::test]
    async fn occurrences_that_are_due_before_the_next_tick_are_sent_at_once() {
        let (cloud, instance, id) = job().await;
        put(id, every(20)).to(&instance, handle).await;
        let times = [("12:00:50", 20), ("12:01:10", 40), ("12:01:30", 60), ("12:01:50", 80)];
        let times = times.map(|(time, delay)| (time.to_owned(), delay));
        assert_eq!(due(&cloud.take_occurrences()), times);

        let next = at(&instance, "12:01:00");
        next.app.schedules().tick(next.app.now()).await.expect("a tick");
        let times = [("12:02:10", 70), ("12:02:30", 90), ("12:02:50", 110)];
        assert_eq!(
            due(&cloud.take_occurrences()),
            times.map(|(time, delay)| (time.to_owned(), delay))
        );
    }

    #[tokio::test]
    async fn later_occurrences_are_left_to_the_ticks() {
        let (cloud, instance, id) = job().await;
        for later in [
            every(90),
            json!({"type": "cron", "expression": "2 12 * * *"}),
            json!({"type": "fixed", "every_seconds": 1, "start_at": "2026-11-20T12:02:00Z"}),
        ] {
            assert_eq!(put(id, later).to(&instance, handle).await.status, 200);
            assert!(cloud.services().take_queued().is_empty());
        }
    }

    #[tokio::test]
    async fn a_new_schedule_revokes_the_queued_occurrences_of_the_old_one() {
        let (cloud, instance, id) = job().await;
        put(id, every(20)).to(&instance, handle).await;
        let old = cloud.take_occurrences();
        put(id, every(60)).to(&instance, handle).await;
        let new = cloud.take_occurrences();
        assert_eq!(due(&new), [("12:01:30".to_owned(), 60)]);
        let instance = at(&instance, "12:01:30");
        for message in &old {
            assert_eq!(
                instance.deliver_occurrence(message).await.expect("consumed"),
                RunOutcome::Revoked
            );
        }
        assert_eq!(
            instance.deliver_occurrence(&new[0]).await.expect("consumed"),
            RunOutcome::Completed
        );
    }

    #[tokio::test]
    async fn a_paused_job_accepts_a_schedule_and_stays_paused() {
        let (cloud, instance, id) = job().await;
        instance.app.schedules().pause(id, None, instance.app.now()).await.expect("paused");
        let answer = put(id, every(10)).to(&instance, handle).await;
        assert_eq!(
            (&answer.body["state"], &answer.body["next_runs"]),
            (&json!("PAUSED"), &json!([]))
        );
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn a_schedule_whose_reply_was_lost_is_set_once() {
        let (cloud, instance, id) = job().await;
        // The first call reads the job.
        instance.transport.fail_at(2, Fault::LoseReply);
        let answer = put(id, every(60)).header("if-match", "\"1\"").to(&instance, handle).await;
        assert_eq!((answer.status, &answer.body["version"]), (200, &json!(2)));
        let [message] = &cloud.take_occurrences()[..] else { panic!("one message") };
        assert_eq!(
            at(&instance, "12:01:30").deliver_occurrence(message).await.expect("consumed"),
            RunOutcome::Completed
        );
    }

    #[tokio::test]
    async fn a_schedule_whose_first_messages_cannot_be_sent_is_set_and_the_next_tick_sends_them() {
        let (cloud, instance, id) = job().await;
        for call in 3..=5 {
            instance.transport.fail_at(call, Fault::Refuse);
        }
        assert_eq!(put(id, every(60)).to(&instance, handle).await.status, 200);
        assert!(cloud.services().take_queued().is_empty());
        let next = at(&instance, "12:01:00");
        next.app.schedules().tick(next.app.now()).await.expect("a tick");
        let times = [("12:01:30", 30), ("12:02:30", 90)];
        assert_eq!(
            due(&cloud.take_occurrences()),
            times.map(|(time, delay)| (time.to_owned(), delay))
        );
    }

    #[tokio::test]
    async fn only_the_version_that_the_caller_names_is_scheduled() {
        let (cloud, instance, id) = job().await;
        for (tag, version) in [("\"1\"", "\"2\""), ("*", "\"3\""), ("\"3\"", "\"4\"")] {
            let answer = put(id, every(3600)).header("if-match", tag).to(&instance, handle).await;
            assert_eq!(
                (answer.status, answer.headers["etag"].as_bytes()),
                (200, version.as_bytes()),
                "{tag}"
            );
        }
        let before = cloud.items(SCHEDULES_TABLE).await;
        let stale = put(id, every(1)).header("if-match", "\"3\"").to(&instance, handle).await;
        assert_eq!((stale.status, stale.code()), (412, "VERSION_CHANGED"));
        let garbage = put(id, every(1)).header("if-match", "4").to(&instance, handle).await;
        assert_eq!((garbage.status, garbage.field()), (400, "If-Match"));
        assert_eq!(cloud.items(SCHEDULES_TABLE).await, before);
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn bad_input_is_rejected_by_name_and_neither_stored_nor_sent() {
        let (cloud, instance, id) = job().await;
        let before = cloud.items(SCHEDULES_TABLE).await;
        let fixed = |name: &str, value: Value| {
            let mut schedule = every(1);
            schedule[name] = value;
            schedule.to_string()
        };
        let cron = |expression: &str| json!({"type": "cron", "expression": expression}).to_string();
        let zone = |zone: &str| {
            json!({"type": "cron", "expression": "@daily", "timezone": zone}).to_string()
        };
        let dst =
            |dst: Value| json!({"type": "cron", "expression": "@daily", "dst": dst}).to_string();
        let window = |start: &str, end: &str| {
            json!({"type": "fixed", "every_seconds": 1, "start_at": start, "end_at": end})
                .to_string()
        };
        for (body, field) in [
            ("", "body"),
            ("not json", "body"),
            ("{", "body"),
            ("null", "body"),
            (r#"["fixed", 10]"#, "body"),
            ("{}", "type"),
            (r#"{"every_seconds": 10}"#, "type"),
            (&fixed("type", "daily".into()), "type"),
            (&fixed("type", "Fixed".into()), "type"),
            (&fixed("type", 1.into()), "type"),
            (r#"{"type": "fixed"}"#, "every_seconds"),
            (&fixed("every_seconds", 0.into()), "every_seconds"),
            (&fixed("every_seconds", (-1).into()), "every_seconds"),
            (&fixed("every_seconds", 1.5.into()), "every_seconds"),
            (&fixed("every_seconds", "10".into()), "every_seconds"),
            (&fixed("every_seconds", 31_622_401.into()), "every_seconds"),
            (&fixed("every_seconds", u64::MAX.into()), "every_seconds"),
            (&fixed("every_seconds", Value::Null), "every_seconds"),
            (r#"{"type": "fixed", "every_seconds": 1, "every_seconds": 2}"#, "every_seconds"),
            (&fixed("expression", "* * * * *".into()), "expression"),
            (r#"{"type": "cron"}"#, "expression"),
            (&cron(""), "expression"),
            (&cron(" "), "expression"),
            (&cron("0 0 * *"), "expression"),
            (&cron("0 * * * * *"), "expression"),
            (&cron("0 0 0 1 1 * 2027"), "expression"),
            (&cron("0 0 31 2 *"), "expression"),
            (&cron("99 * * * *"), "expression"),
            (&cron("* 24 * * *"), "expression"),
            (&cron("* * 0 * *"), "expression"),
            (&cron("* * * 13 *"), "expression"),
            (&cron("* * * * 8"), "expression"),
            (&cron("*/0 * * * *"), "expression"),
            (&cron("a b c d e"), "expression"),
            (&cron("@reboot"), "expression"),
            (&cron(&format!("{} * * * *", "1,".repeat(96) + "1")), "expression"),
            (&zone(""), "timezone"),
            (&zone("+01:00"), "timezone"),
            (&zone("Mars/Olympus"), "timezone"),
            (&zone("CET-1CEST,M3.5.0,M10.5.0/3"), "timezone"),
            (&dst(json!({"gap": "late"})), "dst.gap"),
            (&dst(json!({"overlap": "never"})), "dst.overlap"),
            (&dst(json!({"fold": "first"})), "dst.fold"),
            (&dst(json!("after")), "dst"),
            (&fixed("dst", json!({"gap": "skip"})), "dst"),
            (&fixed("timezone", "UTC".into()), "timezone"),
            (&fixed("misfire", "retry".into()), "misfire"),
            (&fixed("overlap", "queue".into()), "overlap"),
            (&fixed("jitter", 5.into()), "jitter"),
            (&fixed("start_at", "tomorrow".into()), "start_at"),
            (&fixed("start_at", "2026-11-21".into()), "start_at"),
            (&fixed("start_at", "2026-11-21T00:00:00".into()), "start_at"),
            (&fixed("start_at", 1_795_216_800.into()), "start_at"),
            (&fixed("end_at", "never".into()), "end_at"),
            (&fixed("end_at", "2026-11-20T12:00:29Z".into()), "end_at"),
            (&window("2026-11-22T00:00:00Z", "2026-11-21T00:00:00Z"), "end_at"),
            (&window("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"), "end_at"),
        ] {
            let answer = put(id, body).to(&instance, handle).await;
            assert_is_invalid(&answer, field, body);
        }
        assert_eq!(cloud.items(SCHEDULES_TABLE).await, before);
        assert!(cloud.services().take_queued().is_empty());
    }

    #[tokio::test]
    async fn the_longest_expression_is_accepted() {
        let (_cloud, instance, id) = job().await;
        let expression = format!("{} * * * *", "1,".repeat(95) + "10");
        assert_eq!(expression.len(), 200);
        let answer =
            put(id, json!({"type": "cron", "expression": expression})).to(&instance, handle).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    #[tokio::test]
    async fn bad_ids_are_rejected_by_name() {
        assert_bad_ids_are_rejected(|id| put(id, every(1)), handle).await;
    }

    #[tokio::test]
    async fn the_sample_job_is_not_found() {
        assert_sample_job_is_not_found("schedule-put", handle).await;
    }
}
