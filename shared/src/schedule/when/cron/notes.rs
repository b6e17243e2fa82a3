//! Notes: the effect of clock changes on a cron schedule, in words.

use std::ops::Range;

use jiff::civil::DateTime;

use super::{Ambiguity, Cron, Gap, search::LocalTimes};
use crate::{schedule::when::Recurrence, time::Timestamp};

/// Returns the note of an occurrence that a clock change moves or whose local time occurs twice.
pub(super) fn for_occurrence(cron: &Cron, at: Timestamp) -> Option<String> {
    let period = cron.zone().offset_period(at.instant());
    let local = period.local_time(at.instant());
    let change_now = period.start.filter(|change| change.at == at.instant());
    if let Some(gap) =
        change_now.and_then(|change| change.gap()).filter(|_| cron.dst().gap == Gap::After)
        && let Some(missing) =
            AffectedTimes::find(cron, &mut LocalTimes::new(cron.expression()), &gap)
    {
        let (verb, runs) = if missing.one { ("does", "it runs") } else { ("do", "they run once,") };
        return Some(format!(
            "{} {verb} not exist on {}: {runs} right after the gap",
            missing.times, missing.place
        ));
    }
    let repeats =
        |overlap: Option<Range<DateTime>>| overlap.is_some_and(|range| range.contains(&local));
    let which = match cron.dst().overlap {
        Ambiguity::Both if repeats(period.start.and_then(|change| change.overlap())) => {
            "this is the second time"
        }
        Ambiguity::Both if repeats(period.end.and_then(|change| change.overlap())) => {
            "this is the first time"
        }
        Ambiguity::First if repeats(period.end.and_then(|change| change.overlap())) => {
            "it runs the first time only"
        }
        _ => return None,
    };
    Some(format!("{} comes twice on {}: {which}", time(local), place(cron, local)))
}

/// Returns the notes of matching local times that do not run, for the clock changes after `from`
/// and up to `to`.
pub(super) fn skipped_times(cron: &Cron, from: Timestamp, to: Timestamp) -> Vec<String> {
    let mut local_times = LocalTimes::new(cron.expression());
    let changes = std::iter::successors(cron.zone().offset_period(from.instant()).end, |change| {
        cron.zone().offset_period(change.at).end
    });
    let mut notes = Vec::new();
    for change in changes.take_while(|change| change.at <= to.instant()) {
        if let Some(gap) = change.gap().filter(|_| cron.dst().gap == Gap::Skip)
            && let Some(missing) = AffectedTimes::find(cron, &mut local_times, &gap)
        {
            let (verb, runs) = if missing.one { ("does", "it does") } else { ("do", "they do") };
            notes.push(format!(
                "{} {verb} not exist on {}: {runs} not run",
                missing.times, missing.place
            ));
        }
        if let Some(overlap) = change.overlap().filter(|_| cron.dst().overlap == Ambiguity::First)
            && let Some(repeated) = AffectedTimes::find(cron, &mut local_times, &overlap)
        {
            let (verb, runs) =
                if repeated.one { ("comes", "it does") } else { ("come", "they do") };
            notes.push(format!(
                "{} {verb} twice on {}: {runs} not run the second time",
                repeated.times, repeated.place
            ));
        }
    }
    notes
}

/// The matching local times that a clock change affects, in words.
struct AffectedTimes {
    /// There is exactly one.
    one: bool,
    times: String,
    place: String,
}

impl AffectedTimes {
    fn find(cron: &Cron, local_times: &mut LocalTimes, range: &Range<DateTime>) -> Option<Self> {
        let first = local_times.first_in(range)?;
        let last = local_times.last_in(range)?;
        let one = first == last;
        let times = if one { time(first) } else { format!("{} to {}", time(first), time(last)) };
        Some(Self { one, times, place: place(cron, first) })
    }
}

fn time(local: DateTime) -> String {
    local.strftime("%H:%M").to_string()
}

fn place(cron: &Cron, local: DateTime) -> String {
    format!("{} in {}", local.date(), cron.zone())
}
