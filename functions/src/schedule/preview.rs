//! `POST /scheduler/preview`

use once::{
    App,
    http::{self, ApiError, Reply, Request},
    json::{FieldError, FromJson, Object, Value},
    schedule::{
        Schedule,
        when::{self, Count},
    },
    time::Timestamp,
};

/// The default number of occurrences in a preview.
const DEFAULT_COUNT: Count = Count::literal::<5>();

/// The body of a request.
#[derive(Debug)]
struct PreviewRequest {
    schedule: Schedule,
    count: Count,
    from: Option<Timestamp>,
}

impl FromJson for PreviewRequest {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut request = Object::read(value)?;
        let schedule = request.require("schedule")?;
        let count = request.take("count")?.unwrap_or(DEFAULT_COUNT);
        let from = request.take::<Option<_>>("from")?.flatten();
        request.finish().map(|()| Self { schedule, count, from })
    }
}

/// Returns the next occurrences of a schedule as if it were set at `from`, by default now. Nothing
/// is stored.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let PreviewRequest { schedule, count, from } = http::body(&request)?;
    let from = from.unwrap_or_else(|| app.now());
    let schedule = schedule.begin(from).map_err(|error| error.within("schedule"))?;
    Ok(Reply::ok(&when::preview(&schedule, from, count)))
}

#[cfg(test)]
mod tests {
    use once::testing::{Answer, Call, Instance};
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::testing::{assert_is_invalid, every, noon};

    async fn post(instance: &Instance, body: impl std::fmt::Display) -> Answer {
        Call::new("POST", "/scheduler/preview").body(body).to(instance, handle).await
    }

    #[tokio::test]
    async fn a_preview_shows_the_next_five_times_and_the_schedule_in_words() {
        let (_cloud, instance) = noon().await;
        let schedule =
            json!({"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"});
        let answer = post(&instance, json!({"schedule": schedule})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let time = |day: u32| {
            json!({
                "at": format!("2026-11-{day}T01:30:00.000Z"),
                "local": format!("2026-11-{day}T02:30:00+01:00"),
                "offset": "+01:00",
            })
        };
        assert_eq!(
            answer.body,
            json!({
                "words": "At 02:30, in Europe/Berlin", "timezone": "Europe/Berlin",
                "times": (21..=25).map(time).collect::<Vec<_>>(), "notes": [],
            })
        );
    }

    #[tokio::test]
    async fn a_preview_starts_at_the_time_that_the_caller_names() {
        let (_cloud, instance) = noon().await;
        let answer = post(
            &instance,
            json!({"schedule": every(10), "count": 1, "from": "2020-01-01T00:00:00Z"}),
        )
        .await;
        let time = json!({
            "at": "2020-01-01T00:00:10.000Z",
            "local": "2020-01-01T00:00:10+00:00",
            "offset": "+00:00",
        });
        assert_eq!(answer.body["times"], json!([time]));
        let longest = post(&instance, json!({"schedule": every(1), "count": 100})).await;
        assert_eq!(longest.body["times"].as_array().map(Vec::len), Some(100));
    }

    #[tokio::test]
    async fn the_effect_of_a_clock_change_is_noted() {
        let (_cloud, instance) = noon().await;
        let schedule =
            json!({"type": "cron", "expression": "30 2 * * *", "timezone": "Europe/Berlin"});
        let body = json!({"schedule": schedule, "count": 2, "from": "2026-03-28T12:00:00Z"});
        let answer = post(&instance, body).await;
        let [spring, after] = &answer.body["times"].as_array().expect("times")[..] else {
            panic!("two times")
        };
        assert_eq!(
            (&spring["at"], &spring["offset"]),
            (&json!("2026-03-29T01:00:00.000Z"), &json!("+02:00"))
        );
        assert!(
            spring["note"]
                .as_str()
                .is_some_and(|note| note.contains("does not exist on 2026-03-29")),
            "{spring}"
        );
        assert!(after.get("note").is_none(), "{after}");
    }

    #[tokio::test]
    async fn a_schedule_that_ends_has_fewer_times() {
        let (_cloud, instance) = noon().await;
        let mut schedule = every(60);
        schedule["end_at"] = json!("2026-11-20T12:02:30Z");
        let answer = post(&instance, json!({"schedule": schedule})).await;
        assert_eq!(answer.body["times"].as_array().map(Vec::len), Some(2));
    }

    #[tokio::test]
    async fn no_service_is_called() {
        let (_cloud, instance) = noon().await;
        assert_eq!(post(&instance, json!({"schedule": every(10)})).await.status, 200);
        assert!(instance.transport.take_calls().is_empty());
    }

    #[tokio::test]
    async fn bad_input_is_rejected_by_name() {
        let (_cloud, instance) = noon().await;
        let with = |name: &str, value: Value| {
            let mut body = json!({"schedule": every(10)});
            body[name] = value;
            body.to_string()
        };
        let schedule = |schedule: Value| json!({"schedule": schedule}).to_string();
        let cron = |expression: &str| schedule(json!({"type": "cron", "expression": expression}));
        for (body, field) in [
            ("", "body"),
            ("not json", "body"),
            ("[]", "body"),
            ("{}", "schedule"),
            (r#"{"count": 5}"#, "schedule"),
            (&schedule(json!("@daily")), "schedule"),
            (&schedule(json!({})), "schedule.type"),
            (&schedule(json!({"type": "daily"})), "schedule.type"),
            (&schedule(json!({"type": "fixed"})), "schedule.every_seconds"),
            (&schedule(every(0)), "schedule.every_seconds"),
            (&schedule(every(31_622_401)), "schedule.every_seconds"),
            (&cron("* * * * * *"), "schedule.expression"),
            (&cron("0 0 31 2 *"), "schedule.expression"),
            (
                &schedule(json!({"type": "cron", "expression": "@daily", "timezone": "+01:00"})),
                "schedule.timezone",
            ),
            (
                &schedule(
                    json!({"type": "fixed", "every_seconds": 1, "end_at": "2026-11-20T11:00:00Z"}),
                ),
                "schedule.end_at",
            ),
            (
                &schedule(json!({"type": "fixed", "every_seconds": 1, "misfire": "x"})),
                "schedule.misfire",
            ),
            (&with("count", 0.into()), "count"),
            (&with("count", 101.into()), "count"),
            (&with("count", "5".into()), "count"),
            (&with("count", 1.5.into()), "count"),
            (&with("from", "today".into()), "from"),
            (&with("to", "2026-11-21T00:00:00Z".into()), "to"),
        ] {
            let answer = post(&instance, body).await;
            assert_is_invalid(&answer, field, body);
        }
    }

    #[tokio::test]
    async fn the_sample_is_answered() {
        let (_cloud, instance) = noon().await;
        let response = Call::sample("schedule-preview").response(&instance, handle).await;
        assert_eq!(response.status(), 200);
    }
}
