//! What a change of the clock does to a schedule, in plain sentences.

use std::ops::Range;

use jiff::civil::DateTime;

use super::{
    Recurrence,
    cron::Cron,
    dst::{Ambiguity, Gap},
    search::LocalTimes,
};
use crate::time::Timestamp;

/// Of an occurrence, if a change moves it or if its wall time comes twice.
pub(super) fn of(cron: &Cron, at: Timestamp) -> Option<String> {
    let stretch = cron.zone().stretch(at.instant());
    let wall = stretch.wall(at.instant());
    let begun = stretch.began.filter(|change| change.at == at.instant());
    if let Some(gap) =
        begun.and_then(|change| change.gap()).filter(|_| cron.dst().gap == Gap::After)
        && let Some(missing) = all(cron, &mut LocalTimes::of(cron.expression()), &gap)
    {
        let (verb, runs) = if missing.one { ("does", "it runs") } else { ("do", "they run once,") };
        return Some(format!(
            "{} {verb} not exist on {}: {runs} right after the gap",
            missing.times, missing.place
        ));
    }
    let twice =
        |overlap: Option<Range<DateTime>>| overlap.is_some_and(|walls| walls.contains(&wall));
    let which = match cron.dst().overlap {
        Ambiguity::Both if twice(stretch.began.and_then(|change| change.overlap())) => {
            "this is the second time"
        }
        Ambiguity::Both if twice(stretch.ends.and_then(|change| change.overlap())) => {
            "this is the first time"
        }
        Ambiguity::First if twice(stretch.ends.and_then(|change| change.overlap())) => {
            "it runs the first time only"
        }
        _ => return None,
    };
    Some(format!("{} comes twice on {}: {which}", time(wall), place(cron, wall)))
}

/// Of wall times that do not occur although the expression names them, at the changes after a moment and up to another.
pub(super) fn skipped_times(cron: &Cron, from: Timestamp, to: Timestamp) -> Vec<String> {
    let mut walls = LocalTimes::of(cron.expression());
    let changes = std::iter::successors(cron.zone().stretch(from.instant()).ends, |change| {
        cron.zone().stretch(change.at).ends
    });
    let mut skipped_times = Vec::new();
    for change in changes.take_while(|change| change.at <= to.instant()) {
        if let Some(gap) = change.gap().filter(|_| cron.dst().gap == Gap::Skip)
            && let Some(missing) = all(cron, &mut walls, &gap)
        {
            let (verb, runs) = if missing.one { ("does", "it does") } else { ("do", "they do") };
            skipped_times.push(format!(
                "{} {verb} not exist on {}: {runs} not run",
                missing.times, missing.place
            ));
        }
        if let Some(overlap) = change.overlap().filter(|_| cron.dst().overlap == Ambiguity::First)
            && let Some(twice) = all(cron, &mut walls, &overlap)
        {
            let (verb, runs) = if twice.one { ("comes", "it does") } else { ("come", "they do") };
            skipped_times.push(format!(
                "{} {verb} twice on {}: {runs} not run the second time",
                twice.times, twice.place
            ));
        }
    }
    skipped_times
}

/// All wall times of an expression that a change concerns, in words.
struct Concerned {
    one: bool,
    times: String,
    place: String,
}

fn all(cron: &Cron, walls: &mut LocalTimes, range: &Range<DateTime>) -> Option<Concerned> {
    let first = walls.first_in(range)?;
    let last = walls.last_in(range)?;
    let one = first == last;
    let times = if one { time(first) } else { format!("{} to {}", time(first), time(last)) };
    Some(Concerned { one, times, place: place(cron, first) })
}

fn time(wall: DateTime) -> String {
    wall.strftime("%H:%M").to_string()
}

fn place(cron: &Cron, wall: DateTime) -> String {
    format!("{} in {}", wall.date(), cron.zone())
}
