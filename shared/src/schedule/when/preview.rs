//! What a schedule will do, for people who want to see it before they rely on it.

use serde::Serialize;

use super::Schedule;
use crate::{time::Timestamp, validated::Bounded};

/// Times that a preview lists at most.
pub type Count = Bounded<1, 100>;

/// The next times of a schedule, and what changes of the clock do to them.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The schedule in words.
    pub words: String,
    /// Whose clock `local` is.
    pub timezone: String,
    /// The first is the earliest.
    pub times: Vec<Time>,
    /// What does not run up to the last of them, although the schedule names it.
    pub notes: Vec<String>,
}

/// An occurrence.
#[derive(Debug, Serialize)]
pub struct Time {
    /// The moment.
    pub at: Timestamp,
    /// The same on the wall of the zone, `2026-03-29T03:00:00+02:00`.
    pub local: String,
    /// How far the wall is ahead of UTC, `+02:00`.
    pub offset: String,
    /// What is special about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The times of a schedule that has begun, at a moment and after it.
#[must_use]
pub fn preview(schedule: &Schedule, from: Timestamp, count: Count) -> Preview {
    let recurs = schedule.recurrence().rule();
    let time = |at: Timestamp| {
        let shown = recurs.zone().shows(at.instant());
        Time {
            at,
            local: shown.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            offset: shown.strftime("%:z").to_string(),
            note: recurs.note(at),
        }
    };
    let times: Vec<_> = schedule.all_from(from).take(count.to_usize()).map(time).collect();
    let notes = times.last().map(|last| recurs.skipped_times(from, last.at)).unwrap_or_default();
    Preview { words: recurs.describe(), timezone: recurs.zone().to_string(), times, notes }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::schedule::when::sample::{begun, time};

    /// What is shown of a schedule that was never stored.
    fn shown(schedule: Value, from: &str, count: i64) -> Value {
        let count = Count::try_from(count).expect("a count");
        serde_json::to_value(preview(&begun(schedule, from), time(from), count)).expect("JSON")
    }

    fn berlin(expression: &str, gap: &str, overlap: &str) -> Value {
        let dst = json!({"gap": gap, "overlap": overlap});
        json!({"type": "cron", "expression": expression, "timezone": "Europe/Berlin", "dst": dst})
    }

    #[test]
    fn a_time_that_a_gap_moves_is_shown_where_it_runs() {
        assert_eq!(
            shown(berlin("30 2 * * *", "after", "first"), "2026-03-28T00:00:00Z", 3),
            json!({
                "words": "At 02:30, in Europe/Berlin",
                "timezone": "Europe/Berlin",
                "times": [
                    {"at": "2026-03-28T01:30:00.000Z", "local": "2026-03-28T02:30:00+01:00", "offset": "+01:00"},
                    {"at": "2026-03-29T01:00:00.000Z", "local": "2026-03-29T03:00:00+02:00", "offset": "+02:00",
                        "note": "02:30 does not exist on 2026-03-29 in Europe/Berlin: it runs right after the gap"},
                    {"at": "2026-03-30T00:30:00.000Z", "local": "2026-03-30T02:30:00+02:00", "offset": "+02:00"},
                ],
                "notes": [],
            })
        );
        let many = shown(berlin("*/20 2 * * *", "after", "first"), "2026-03-29T00:00:00Z", 1);
        let note = "02:00 to 02:40 do not exist on 2026-03-29 in Europe/Berlin: they run once, right after the gap";
        assert_eq!(many["times"][0]["note"], note);
    }

    #[test]
    fn what_does_not_run_is_said_beneath() {
        let gap = shown(berlin("30 2 * * *", "skip", "first"), "2026-03-28T00:00:00Z", 2);
        assert_eq!(
            gap["notes"],
            json!(["02:30 does not exist on 2026-03-29 in Europe/Berlin: it does not run"])
        );
        let gap = shown(berlin("0,30 2 * * *", "skip", "first"), "2026-03-28T00:00:00Z", 3);
        assert_eq!(
            gap["notes"],
            json!(["02:00 to 02:30 do not exist on 2026-03-29 in Europe/Berlin: they do not run"])
        );
        let twice = shown(berlin("30 2 * * *", "after", "first"), "2026-10-25T00:00:00Z", 2);
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
    fn a_time_that_runs_twice_says_which_it_is() {
        let both = shown(berlin("30 2 * * *", "after", "both"), "2026-10-25T00:00:00Z", 3);
        let twice = "02:30 comes twice on 2026-10-25 in Europe/Berlin: this is the";
        assert_eq!(both["times"][0]["note"], format!("{twice} first time"));
        assert_eq!(both["times"][1]["note"], format!("{twice} second time"));
        assert_eq!(both["times"][1]["local"], "2026-10-25T02:30:00+01:00");
        assert_eq!((both["times"][2].get("note"), &both["notes"]), (None, &json!([])));
    }

    #[test]
    fn a_fixed_schedule_is_shown_from_one_interval_on() {
        assert_eq!(
            shown(json!({"type": "fixed", "every_seconds": 10}), "2026-03-28T00:00:00Z", 2),
            json!({
                "words": "Every 10 seconds",
                "timezone": "UTC",
                "times": [
                    {"at": "2026-03-28T00:00:10.000Z", "local": "2026-03-28T00:00:10+00:00", "offset": "+00:00"},
                    {"at": "2026-03-28T00:00:20.000Z", "local": "2026-03-28T00:00:20+00:00", "offset": "+00:00"},
                ],
                "notes": [],
            })
        );
    }

    #[test]
    fn a_match_at_the_moment_itself_is_shown() {
        let midnight =
            shown(json!({"type": "cron", "expression": "@daily"}), "2026-03-28T00:00:00Z", 1);
        assert_eq!(midnight["times"][0]["at"], "2026-03-28T00:00:00.000Z");
    }
}
