//! Previews of a schedule: its next occurrences, before a job relies on it.

use serde::Serialize;

use super::Schedule;
use crate::{time::Timestamp, validated::Bounded};

/// The requested number of occurrences in a preview, from 1 to 100.
pub type Count = Bounded<1, 100>;

/// The next occurrences of a schedule, and the effect of clock changes on them.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The schedule in words.
    pub words: String,
    /// The time zone of `local`.
    pub timezone: String,
    /// The occurrences, in order.
    pub times: Vec<Time>,
    /// The matching times up to the last occurrence that do not run because of a clock change, in
    /// words.
    pub notes: Vec<String>,
}

/// An occurrence.
#[derive(Debug, Serialize)]
pub struct Time {
    /// The moment.
    pub at: Timestamp,
    /// Its local time in the zone, `2026-03-29T03:00:00+02:00`.
    pub local: String,
    /// The offset of the local time from UTC, `+02:00`.
    pub offset: String,
    /// The effect of a clock change on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Returns the preview of a schedule whose start is set, with occurrences at or after `from`.
#[must_use]
pub fn preview(schedule: &Schedule, from: Timestamp, count: Count) -> Preview {
    let rule = schedule.recurrence().rule();
    let time = |at: Timestamp| {
        let zoned = rule.zone().zoned(at.instant());
        Time {
            at,
            local: zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            offset: zoned.strftime("%:z").to_string(),
            note: rule.note(at),
        }
    };
    let times: Vec<_> = schedule.all_from(from).take(count.to_usize()).map(time).collect();
    let notes = times.last().map(|last| rule.skipped_times(from, last.at)).unwrap_or_default();
    Preview { words: rule.describe(), timezone: rule.zone().to_string(), times, notes }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::when::fixtures::{schedule, time};

    /// The preview of a schedule that is set at `from`.
    fn previewed(json: Value, from: &str, count: i64) -> Value {
        let count = Count::try_from(count).expect("a count");
        serde_json::to_value(preview(&schedule(json, from), time(from), count)).expect("JSON")
    }

    fn berlin(expression: &str, gap: &str, overlap: &str) -> Value {
        let dst = json!({"gap": gap, "overlap": overlap});
        json!({"type": "cron", "expression": expression, "timezone": "Europe/Berlin", "dst": dst})
    }

    #[test]
    fn a_time_that_a_gap_moves_has_a_note() {
        assert_eq!(
            previewed(berlin("30 2 * * *", "after", "first"), "2026-03-28T00:00:00Z", 3),
            json!({
                "words": "At 02:30, in Europe/Berlin",
                "timezone": "Europe/Berlin",
                "times": [
                    {"at": "2026-03-28T01:30:00.000Z",
                        "local": "2026-03-28T02:30:00+01:00", "offset": "+01:00"},
                    {"at": "2026-03-29T01:00:00.000Z",
                        "local": "2026-03-29T03:00:00+02:00", "offset": "+02:00",
                        "note": "02:30 does not exist on 2026-03-29 in Europe/Berlin: \
                                 it runs right after the gap"},
                    {"at": "2026-03-30T00:30:00.000Z",
                        "local": "2026-03-30T02:30:00+02:00", "offset": "+02:00"},
                ],
                "notes": [],
            })
        );
        let many = previewed(berlin("*/20 2 * * *", "after", "first"), "2026-03-29T00:00:00Z", 1);
        let note = "02:00 to 02:40 do not exist on 2026-03-29 in Europe/Berlin: they run once, \
                    right after the gap";
        assert_eq!(many["times"][0]["note"], note);
    }

    #[test]
    fn times_that_do_not_run_are_in_the_notes() {
        let gap = previewed(berlin("30 2 * * *", "skip", "first"), "2026-03-28T00:00:00Z", 2);
        assert_eq!(
            gap["notes"],
            json!(["02:30 does not exist on 2026-03-29 in Europe/Berlin: it does not run"])
        );
        let gap = previewed(berlin("0,30 2 * * *", "skip", "first"), "2026-03-28T00:00:00Z", 3);
        assert_eq!(
            gap["notes"],
            json!(["02:00 to 02:30 do not exist on 2026-03-29 in Europe/Berlin: they do not run"])
        );
        let twice = previewed(berlin("30 2 * * *", "after", "first"), "2026-10-25T00:00:00Z", 2);
        assert_eq!(
            twice["notes"],
            json!([
                "02:30 comes twice on 2026-10-25 in Europe/Berlin: it does not run the second time"
            ])
        );
        assert_eq!(
            twice["times"][0]["note"],
            "02:30 comes twice on 2026-10-25 in Europe/Berlin: it runs the first time only"
        );
        assert_eq!(twice["times"][1].get("note"), None);
    }

    #[test]
    fn the_note_of_a_repeated_time_states_which_one_it_is() {
        let both = previewed(berlin("30 2 * * *", "after", "both"), "2026-10-25T00:00:00Z", 3);
        let twice = "02:30 comes twice on 2026-10-25 in Europe/Berlin: this is the";
        assert_eq!(both["times"][0]["note"], format!("{twice} first time"));
        assert_eq!(both["times"][1]["note"], format!("{twice} second time"));
        assert_eq!(both["times"][1]["local"], "2026-10-25T02:30:00+01:00");
        assert_eq!((both["times"][2].get("note"), &both["notes"]), (None, &json!([])));
    }

    #[test]
    fn a_fixed_schedule_occurs_after_one_interval() {
        assert_eq!(
            previewed(json!({"type": "fixed", "every_seconds": 10}), "2026-03-28T00:00:00Z", 2),
            json!({
                "words": "Every 10 seconds",
                "timezone": "UTC",
                "times": [
                    {"at": "2026-03-28T00:00:10.000Z",
                        "local": "2026-03-28T00:00:10+00:00", "offset": "+00:00"},
                    {"at": "2026-03-28T00:00:20.000Z",
                        "local": "2026-03-28T00:00:20+00:00", "offset": "+00:00"},
                ],
                "notes": [],
            })
        );
    }

    #[test]
    fn an_occurrence_at_the_first_moment_is_included() {
        let midnight =
            previewed(json!({"type": "cron", "expression": "@daily"}), "2026-03-28T00:00:00Z", 1);
        assert_eq!(midnight["times"][0]["at"], "2026-03-28T00:00:00.000Z");
    }
}
