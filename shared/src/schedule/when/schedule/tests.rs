use serde_json::{Value, json};

use super::*;
use crate::{
    dynamo::Json,
    json,
    schedule::when::fixtures::{schedule, time, times},
};

/// The field and the problem of a schedule that is invalid at the end of 2026-01-01.
fn rejected(json: &Value) -> (String, String) {
    let error = json::parse::<Schedule>(&json.to_string())
        .and_then(|schedule| schedule.begin(time("2026-01-01T23:59:59.999Z")))
        .expect_err(&json.to_string());
    (error.field().to_owned(), error.problem().to_owned())
}

#[test]
fn the_stored_schedule_has_the_defaults_of_omitted_members() {
    for (request, stored) in [
        (
            json!({"type": "fixed", "every_seconds": 10}),
            json!({"type": "fixed", "every_seconds": 10, "start_at": "2026-01-01T00:00:10.000Z",
                "misfire": "fire_once", "overlap": "skip"}),
        ),
        (
            json!({"type": "cron", "expression": " 30 2 * * * "}),
            json!({"type": "cron", "expression": "30 2 * * *", "timezone": "UTC",
                "dst": {"gap": "after", "overlap": "first"},
                "start_at": "2026-01-01T00:00:00.000Z",
                "misfire": "fire_once", "overlap": "skip"}),
        ),
        (
            json!({"type": "cron", "expression": "@hourly", "timezone": "europe/berlin",
                "dst": {"gap": "after"},
                "start_at": "2026-01-01T00:00:00+01:00", "end_at": "2027-01-01T00:00:00Z",
                "misfire": "fire_all"}),
            json!({"type": "cron", "expression": "@hourly", "timezone": "Europe/Berlin",
                "dst": {"gap": "after", "overlap": "both"},
                "start_at": "2025-12-31T23:00:00.000Z", "end_at": "2027-01-01T00:00:00.000Z",
                "misfire": "fire_all", "overlap": "allow"}),
        ),
    ] {
        let original = schedule(request, "2026-01-01T00:00:00.750Z");
        assert_eq!(serde_json::to_value(&original).expect("JSON"), stored);
        assert_eq!(
            schedule(stored, "2026-01-02T00:00:00Z"),
            original,
            "beginning it again changes nothing"
        );
        let item = serde_dynamo::to_attribute_value::<_, serde_dynamo::AttributeValue>(Json(
            original.clone(),
        ))
        .expect("an attribute");
        assert_eq!(
            serde_dynamo::from_attribute_value::<_, Json<Schedule>>(item).expect("a schedule"),
            Json(original)
        );
    }
}

#[test]
fn the_policies_of_a_request_are_kept() {
    for misfire in ["fire_once", "skip", "fire_all"] {
        for overlap in ["skip", "allow", "queue_one"] {
            let request = json!({"type": "fixed", "every_seconds": 1,
                "misfire": misfire, "overlap": overlap});
            let stored =
                serde_json::to_value(schedule(request, "2026-01-01T00:00:00Z")).expect("JSON");
            assert_eq!(
                (&stored["misfire"], &stored["overlap"]),
                (&json!(misfire), &json!(overlap))
            );
        }
    }
}

#[test]
fn start_and_end_are_inclusive() {
    let window = json!({"type": "cron", "expression": "*/30 * * * *",
        "start_at": "2026-01-02T10:00:00Z", "end_at": "2026-01-02T11:00:00Z"});
    let schedule = schedule(window, "2026-01-01T00:00:00Z");
    let all = ["2026-01-02T10:00Z", "2026-01-02T10:30Z", "2026-01-02T11:00Z"];
    assert_eq!(times(&schedule, "2026-01-01T00:00:00Z", 9), all);
    assert_eq!(
        schedule.last_before(time("2027-01-01T00:00:00Z")),
        Some(time("2026-01-02T11:00:00Z"))
    );
    assert_eq!(
        schedule.last_before(time("2026-01-02T10:00:00.001Z")),
        Some(time("2026-01-02T10:00:00Z"))
    );
    assert_eq!(schedule.last_before(time("2026-01-02T10:00:00Z")), None);
    assert_eq!(schedule.first_from(time("2026-01-02T11:00:00.001Z")), None);
}

#[test]
fn the_next_occurrences_are_after_a_moment() {
    let schedule =
        schedule(json!({"type": "cron", "expression": "0 * * * *"}), "2026-01-01T00:00:00Z");
    assert_eq!(schedule.next(time("2026-01-01T01:00:00Z"), 1), [time("2026-01-01T02:00:00Z")]);
    assert_eq!(schedule.next(time("2026-01-01T00:59:59.999Z"), 2).len(), 2);
    assert_eq!(
        schedule.first_from(time("2026-01-01T01:00:00.001Z")),
        Some(time("2026-01-01T02:00:00Z"))
    );
}

#[test]
fn the_error_names_the_invalid_field() {
    for (json, field, problem) in [
        (json!({}), "type", "is required"),
        (json!({"type": "daily"}), "type", "must be `fixed` or `cron`, not `daily`"),
        (json!({"type": "fixed"}), "every_seconds", "is required"),
        (
            json!({"type": "fixed", "every_seconds": 0}),
            "every_seconds",
            "must be between 1 and 31622400",
        ),
        (
            json!({"type": "fixed", "every_seconds": -1}),
            "every_seconds",
            "must be between 1 and 31622400",
        ),
        (
            json!({"type": "fixed", "every_seconds": 31_622_401}),
            "every_seconds",
            "must be between 1 and 31622400",
        ),
        (json!({"type": "fixed", "every_seconds": 1.5}), "every_seconds", "must be an integer"),
        (json!({"type": "fixed", "every_seconds": "1"}), "every_seconds", "must be an integer"),
        (
            json!({"type": "fixed", "every_seconds": 1, "timezone": "UTC"}),
            "timezone",
            "is unknown: expected `every_seconds`",
        ),
        (
            json!({"type": "fixed", "every_seconds": 1, "start_at": null}),
            "start_at",
            "must be a string",
        ),
        (
            json!({"type": "fixed", "every_seconds": 1, "end_at": "soon"}),
            "end_at",
            "must be a time such as 2026-11-20T23:20:00Z (RFC 3339)",
        ),
        (
            json!({"type": "fixed", "every_seconds": 1, "misfire": "run"}),
            "misfire",
            "must be `fire_once`, `skip` or `fire_all`, not `run`",
        ),
        (json!({"type": "cron"}), "expression", "is required"),
        (
            json!({"type": "cron", "expression": "0 0 31 2 *"}),
            "expression",
            "never matches: the given months have no such day",
        ),
        (
            json!({"type": "cron", "expression": "@daily", "timezone": ""}),
            "timezone",
            "must be the name of a time zone in the IANA database, such as Europe/Berlin",
        ),
        (
            json!({"type": "cron", "expression": "@daily", "timezone": null}),
            "timezone",
            "must be a string",
        ),
        (
            json!({"type": "cron", "expression": "@daily", "dst": {"gap": null}}),
            "dst.gap",
            "must be `after` or `skip`",
        ),
        (
            json!({"type": "cron", "expression": "@daily", "dst": {"gap": "late"}}),
            "dst.gap",
            "must be `after` or `skip`, not `late`",
        ),
        (
            json!({"type": "cron", "expression": "@daily", "dst": {"fold": "first"}}),
            "dst.fold",
            "is unknown: expected `gap` or `overlap`",
        ),
    ] {
        let expected = (field.to_owned(), problem.to_owned());
        assert_eq!(rejected(&json), expected, "{json}");
    }
}

#[test]
fn equal_start_and_end_have_one_occurrence() {
    let once = json!({"type": "fixed", "every_seconds": 1,
        "start_at": "2026-01-02T10:00:00Z", "end_at": "2026-01-02T10:00:00Z"});
    let schedule = schedule(once, "2026-01-01T00:00:00Z");
    assert_eq!(times(&schedule, "2026-01-01T00:00:00Z", 9), ["2026-01-02T10:00Z"]);
}

#[test]
fn a_schedule_without_a_future_occurrence_is_rejected() {
    for (start, end, problem) in [
        ("2026-01-03T00:00:00Z", "2026-01-02T23:59:59Z", "must not be before start_at"),
        ("2025-01-01T00:00:00Z", "2026-01-01T12:00:00Z", "must be in the future"),
        ("2026-01-03T00:01:00Z", "2026-01-03T23:59:00Z", "must not be before the next occurrence"),
    ] {
        let json = json!({"type": "cron", "expression": "0 0 * * *",
            "start_at": start, "end_at": end});
        assert_eq!(rejected(&json), ("end_at".to_owned(), problem.to_owned()), "{start} {end}");
    }
    let early = json!({"type": "fixed", "every_seconds": 60, "end_at": "2026-01-02T00:00:30Z"});
    assert_eq!(rejected(&early).1, "must not be before the next occurrence");
    let late =
        json!({"type": "cron", "expression": "0 0 * * *", "start_at": "6000-01-01T00:00:00Z"});
    assert_eq!(rejected(&late).0, "start_at");
}

#[test]
fn the_earliest_and_latest_timestamps_are_handled() {
    let (early, late) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    for recurrence in [
        json!({"type": "cron", "expression": "@daily"}),
        json!({"type": "fixed", "every_seconds": 86_400}),
    ] {
        let mut json = recurrence.clone();
        json["start_at"] = json!(early);
        let schedule = schedule(json, "2026-01-01T12:00:00Z");
        assert!(
            schedule.first_from(early).is_some() && schedule.last_before(early).is_none(),
            "{recurrence}"
        );
        assert_eq!(schedule.first_from(late), None, "{recurrence}");
        let last = schedule.last_before(late).expect("the last");
        assert_eq!(schedule.all_from(last).count(), 1, "{recurrence}");
    }
}
