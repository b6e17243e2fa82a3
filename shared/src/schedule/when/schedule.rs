//! A schedule: how it recurs, from when to when, and what becomes of times that were missed or come too soon.

use std::{iter, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Misfire, Overlap, ScheduleKind};
use crate::{
    tagged::{FieldError, Tagged},
    time::Timestamp,
};

/// The resolution of [`Timestamp`].
const MILLISECOND: Duration = Duration::from_millis(1);

/// When something is due, what becomes of times that were missed, and of times that come while the last one still runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Tagged")]
pub struct Schedule {
    #[serde(flatten)]
    recurrence: ScheduleKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_at: Option<Timestamp>,
    misfire: Misfire,
    overlap: Overlap,
}

impl TryFrom<Tagged> for Schedule {
    type Error = FieldError;

    fn try_from(mut tagged: Tagged) -> Result<Self, FieldError> {
        let start_at = tagged.take("start_at")?;
        let end_at = tagged.take("end_at")?;
        let misfire: Misfire = tagged.take("misfire")?.unwrap_or_default();
        let overlap = tagged.take("overlap")?.unwrap_or(misfire.overlap());
        Ok(Self { recurrence: tagged.try_into()?, start_at, end_at, misfire, overlap })
    }
}

impl Schedule {
    /// As it is stored: with a start, if need be one that counts from now in whole seconds. Refuses a schedule that
    /// ends before it begins, and one that has no occurrence from now on.
    pub fn begin(self, now: Timestamp) -> Result<Self, FieldError> {
        let second = Timestamp::from_millis(now.as_millis().div_euclid(1000) * 1000);
        let (given, end_at) = (self.start_at, self.end_at);
        let start = given.unwrap_or_else(|| self.recurrence.rule().start(second));
        let begun = Self { start_at: Some(start), ..self };
        let comes = begun.first_from(now).is_some();
        match (given, end_at) {
            (Some(start), Some(end)) if end < start => {
                Err(FieldError::new("end_at", "must not be before start_at"))
            }
            (_, Some(end)) if end <= now => Err(FieldError::new("end_at", "must be in the future")),
            (_, Some(_)) if !comes => {
                Err(FieldError::new("end_at", "is too early: nothing is due up to then"))
            }
            (_, None) if !comes => {
                Err(FieldError::new("start_at", "is too late: nothing is known to be due after it"))
            }
            _ => Ok(begun),
        }
    }

    /// The first occurrence at a moment or after it.
    #[must_use]
    pub fn first_from(&self, at: Timestamp) -> Option<Timestamp> {
        let first = self.recurrence.rule().first_from(self.start(), at.max(self.start()));
        first.filter(|time| self.end_at.is_none_or(|end| *time <= end))
    }

    /// The last occurrence before a moment.
    #[must_use]
    pub fn last_before(&self, at: Timestamp) -> Option<Timestamp> {
        let after_end = self.end_at.map(|end| end.plus(MILLISECOND));
        let last = self
            .recurrence
            .rule()
            .last_before(self.start(), after_end.map_or(at, |end| at.min(end)));
        last.filter(|time| *time >= self.start())
    }

    /// All occurrences at a moment and after it.
    pub fn all_from(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        iter::successors(self.first_from(at), |time| {
            // At the end of time, nothing is later.
            self.first_from(time.plus(MILLISECOND)).filter(|next| next > time)
        })
    }

    /// The next occurrences after a moment, so many if there are.
    #[must_use]
    pub fn next(&self, after: Timestamp, count: usize) -> Vec<Timestamp> {
        self.all_from(after.plus(MILLISECOND)).take(count).collect()
    }

    /// How it recurs.
    #[must_use]
    pub fn recurrence(&self) -> &ScheduleKind {
        &self.recurrence
    }

    /// What becomes of times that have passed without a run.
    #[must_use]
    pub fn misfire(&self) -> Misfire {
        self.misfire
    }

    /// What becomes of a time that comes while the last run still goes on.
    #[must_use]
    pub fn overlap(&self) -> Overlap {
        self.overlap
    }

    /// The first moment that may be an occurrence; 1970 for a schedule that has not begun.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.start_at.unwrap_or(Timestamp::from_millis(0))
    }

    /// The last moment that may be an occurrence.
    #[must_use]
    pub fn end(&self) -> Option<Timestamp> {
        self.end_at
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::when::sample::{begun, time, times};

    /// The field and the problem of what cannot be read or begun at the end of 2026-01-01.
    fn refused(json: &Value) -> (String, String) {
        let misfit = serde_json::from_value::<Tagged>(json.clone())
            .map_err(|error| FieldError::from_serde("", &error.to_string()))
            .and_then(Schedule::try_from)
            .and_then(|schedule| schedule.begin(time("2026-01-01T23:59:59.999Z")))
            .expect_err(&json.to_string());
        (misfit.field().to_owned(), misfit.problem().to_owned())
    }

    #[test]
    fn what_a_request_leaves_out_is_spelled_out_from_then_on() {
        for (request, stored) in [
            (
                json!({"type": "fixed", "every_seconds": 10}),
                json!({"type": "fixed", "every_seconds": 10,
                    "start_at": "2026-01-01T00:00:10.000Z", "misfire": "fire_once", "overlap": "skip"}),
            ),
            (
                json!({"type": "cron", "expression": " 30 2 * * * "}),
                json!({"type": "cron", "expression": "30 2 * * *", "timezone": "UTC",
                    "dst": {"gap": "after", "overlap": "first"},
                    "start_at": "2026-01-01T00:00:00.000Z", "misfire": "fire_once", "overlap": "skip"}),
            ),
            (
                json!({"type": "cron", "expression": "@hourly", "timezone": "europe/berlin", "dst": {"gap": "after"},
                    "start_at": "2026-01-01T00:00:00+01:00", "end_at": "2027-01-01T00:00:00Z", "misfire": "fire_all"}),
                json!({"type": "cron", "expression": "@hourly", "timezone": "Europe/Berlin",
                    "dst": {"gap": "after", "overlap": "both"},
                    "start_at": "2025-12-31T23:00:00.000Z", "end_at": "2027-01-01T00:00:00.000Z",
                    "misfire": "fire_all", "overlap": "allow"}),
            ),
        ] {
            let schedule = begun(request, "2026-01-01T00:00:00.750Z");
            assert_eq!(serde_json::to_value(&schedule).expect("JSON"), stored);
            assert_eq!(
                begun(stored, "2026-01-02T00:00:00Z"),
                schedule,
                "begun again, it is the same"
            );
            let item =
                serde_dynamo::to_attribute_value::<_, serde_dynamo::AttributeValue>(&schedule)
                    .expect("an attribute");
            assert_eq!(
                serde_dynamo::from_attribute_value::<_, Schedule>(item).expect("a schedule"),
                schedule
            );
        }
    }

    #[test]
    fn a_policy_that_is_given_is_kept() {
        for misfire in ["fire_once", "skip", "fire_all"] {
            for overlap in ["skip", "allow", "queue_one"] {
                let request = json!({"type": "fixed", "every_seconds": 1, "misfire": misfire, "overlap": overlap});
                let stored =
                    serde_json::to_value(begun(request, "2026-01-01T00:00:00Z")).expect("JSON");
                assert_eq!(
                    (&stored["misfire"], &stored["overlap"]),
                    (&json!(misfire), &json!(overlap))
                );
            }
        }
    }

    #[test]
    fn both_ends_of_its_window_belong_to_a_schedule() {
        let window = json!({"type": "cron", "expression": "*/30 * * * *",
            "start_at": "2026-01-02T10:00:00Z", "end_at": "2026-01-02T11:00:00Z"});
        let schedule = begun(window, "2026-01-01T00:00:00Z");
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
    fn the_next_times_are_after_a_moment() {
        let schedule =
            begun(json!({"type": "cron", "expression": "0 * * * *"}), "2026-01-01T00:00:00Z");
        assert_eq!(schedule.next(time("2026-01-01T01:00:00Z"), 1), [time("2026-01-01T02:00:00Z")]);
        assert_eq!(schedule.next(time("2026-01-01T00:59:59.999Z"), 2).len(), 2);
        assert_eq!(
            schedule.first_from(time("2026-01-01T01:00:00.001Z")),
            Some(time("2026-01-01T02:00:00Z"))
        );
    }

    #[test]
    fn a_refusal_names_the_field_at_fault() {
        for (json, field, problem) in [
            (json!({}), "type", "missing field `type`"),
            (json!({"type": "daily"}), "type", "must be `fixed` or `cron`, not `daily`"),
            (json!({"type": "fixed"}), "every_seconds", "missing field `every_seconds`"),
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
            (
                json!({"type": "fixed", "every_seconds": 1.5}),
                "every_seconds",
                "invalid type: floating point `1.5`, expected i64",
            ),
            (
                json!({"type": "fixed", "every_seconds": "1"}),
                "every_seconds",
                "invalid type: string \"1\", expected i64",
            ),
            (
                json!({"type": "fixed", "every_seconds": 1, "timezone": "UTC"}),
                "timezone",
                "unknown field `timezone`, expected `every_seconds`",
            ),
            (
                json!({"type": "fixed", "every_seconds": 1, "start_at": null}),
                "start_at",
                "invalid type: null, expected a string",
            ),
            (
                json!({"type": "fixed", "every_seconds": 1, "end_at": "soon"}),
                "end_at",
                "must be a time such as 2026-11-20T23:20:00Z (RFC 3339)",
            ),
            (
                json!({"type": "fixed", "every_seconds": 1, "misfire": "run"}),
                "misfire",
                "unknown variant `run`, expected one of `fire_once`, `skip`, `fire_all`",
            ),
            (json!({"type": "cron"}), "expression", "missing field `expression`"),
            (
                json!({"type": "cron", "expression": "0 0 31 2 *"}),
                "expression",
                "never comes: there is no such day in those months",
            ),
            (
                json!({"type": "cron", "expression": "@daily", "timezone": ""}),
                "timezone",
                "is not a time zone like Europe/Berlin (a name of the IANA database)",
            ),
            (
                json!({"type": "cron", "expression": "@daily", "timezone": null}),
                "timezone",
                "invalid type: null, expected a string",
            ),
            (
                json!({"type": "cron", "expression": "@daily", "dst": {"gap": null}}),
                "dst.gap",
                "invalid type: null, expected string or map",
            ),
            (
                json!({"type": "cron", "expression": "@daily", "dst": {"gap": "late"}}),
                "dst.gap",
                "unknown variant `late`, expected `after` or `skip`",
            ),
            (
                json!({"type": "cron", "expression": "@daily", "dst": {"fold": "first"}}),
                "dst.fold",
                "unknown field `fold`, expected `gap` or `overlap`",
            ),
        ] {
            let expected = (field.to_owned(), problem.to_owned());
            assert_eq!(refused(&json), expected, "{json}");
        }
    }

    #[test]
    fn a_window_of_one_moment_has_one_occurrence() {
        let once = json!({"type": "fixed", "every_seconds": 1,
            "start_at": "2026-01-02T10:00:00Z", "end_at": "2026-01-02T10:00:00Z"});
        let schedule = begun(once, "2026-01-01T00:00:00Z");
        assert_eq!(times(&schedule, "2026-01-01T00:00:00Z", 9), ["2026-01-02T10:00Z"]);
    }

    #[test]
    fn what_cannot_occur_any_more_does_not_begin() {
        for (start, end, problem) in [
            ("2026-01-03T00:00:00Z", "2026-01-02T23:59:59Z", "must not be before start_at"),
            ("2025-01-01T00:00:00Z", "2026-01-01T12:00:00Z", "must be in the future"),
            (
                "2026-01-03T00:01:00Z",
                "2026-01-03T23:59:00Z",
                "is too early: nothing is due up to then",
            ),
        ] {
            let json = json!({"type": "cron", "expression": "0 0 * * *", "start_at": start, "end_at": end});
            assert_eq!(refused(&json), ("end_at".to_owned(), problem.to_owned()), "{start} {end}");
        }
        let early = json!({"type": "fixed", "every_seconds": 60, "end_at": "2026-01-02T00:00:30Z"});
        assert_eq!(refused(&early).1, "is too early: nothing is due up to then");
        let late =
            json!({"type": "cron", "expression": "0 0 * * *", "start_at": "6000-01-01T00:00:00Z"});
        assert_eq!(refused(&late).0, "start_at");
    }

    #[test]
    fn moments_at_either_end_of_time_do_no_harm() {
        let (early, late) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        for recurrence in [
            json!({"type": "cron", "expression": "@daily"}),
            json!({"type": "fixed", "every_seconds": 86_400}),
        ] {
            let mut json = recurrence.clone();
            json["start_at"] = json!(early);
            let schedule = begun(json, "2026-01-01T12:00:00Z");
            assert!(
                schedule.first_from(early).is_some() && schedule.last_before(early).is_none(),
                "{recurrence}"
            );
            assert_eq!(schedule.first_from(late), None, "{recurrence}");
            let last = schedule.last_before(late).expect("the last");
            assert_eq!(schedule.all_from(last).count(), 1, "{recurrence}");
        }
    }
}
