//! The responses by minute, and the counts that must be published for each minute.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

/// A minute like `2026-11-20T23:20:00Z`. The order of these texts is that of time.
pub type Minute = String;

/// The response to one request.
#[derive(Debug)]
pub struct Response {
    /// Id of the request.
    pub id: i64,
    /// Outcome of the request.
    pub outcome: AcceptOutcome,
    /// An earlier attempt may have been executed, although its answer was lost.
    pub retried: bool,
}

/// The outcome of one request.
#[derive(Debug)]
pub enum AcceptOutcome {
    /// `ok`: counted in this minute.
    Counted(Minute),
    /// `failed`: already counted in this minute.
    Duplicate(Minute),
    /// Any other answer, which is a fault.
    Unexpected(String),
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            AcceptOutcome::Counted(_) => f.write_str("200 ok"),
            AcceptOutcome::Duplicate(_) => f.write_str("409 failed: counted before"),
            AcceptOutcome::Unexpected(text) => f.write_str(text),
        }
    }
}

/// All responses, by minute.
#[derive(Debug, Default)]
pub struct Tally {
    minutes: BTreeMap<Minute, Ids>,
    /// Ids that were retried after an attempt whose answer was lost, each with the minute of its
    /// last final answer. The lost attempt may have been counted in that minute, in which case the
    /// answer is 409, or in an earlier one without any answer.
    uncertain: BTreeMap<i64, Minute>,
    unexpected: Vec<String>,
}

/// The ids of one minute.
#[derive(Debug, Default)]
struct Ids {
    /// Ids answered `ok`, with the number of these answers.
    ok: BTreeMap<i64, u32>,
    /// Ids answered 409.
    duplicates: BTreeSet<i64>,
}

impl Ids {
    /// Returns whether an answer implies that the id is counted.
    fn is_counted(&self, id: i64) -> bool {
        self.ok.contains_key(&id) || self.duplicates.contains(&id)
    }

    /// Returns the ids that are counted although no `ok` arrived.
    fn without_ok(&self) -> impl Iterator<Item = i64> {
        self.duplicates.iter().copied().filter(|id| !self.ok.contains_key(id))
    }
}

impl FromIterator<Response> for Tally {
    fn from_iter<T: IntoIterator<Item = Response>>(responses: T) -> Self {
        let mut tally = Self::default();
        for Response { id, outcome, retried } in responses {
            let minute = match outcome {
                AcceptOutcome::Counted(minute) => {
                    *tally.minutes.entry(minute.clone()).or_default().ok.entry(id).or_default() +=
                        1;
                    minute
                }
                AcceptOutcome::Duplicate(minute) => {
                    tally.minutes.entry(minute.clone()).or_default().duplicates.insert(id);
                    minute
                }
                AcceptOutcome::Unexpected(text) => {
                    tally.unexpected.push(format!("id {id}: {text}"));
                    continue;
                }
            };
            if retried {
                let last = tally.uncertain.entry(id).or_default();
                *last = minute.max(std::mem::take(last));
            }
        }
        tally
    }
}

impl Tally {
    /// Returns the minutes of the answers, oldest first.
    pub fn minutes(&self) -> impl Iterator<Item = &str> {
        self.minutes.keys().map(String::as_str)
    }

    /// Returns a line about each minute.
    pub fn lines(&self, published: &BTreeMap<Minute, u64>) -> impl Iterator<Item = String> {
        self.minutes.iter().map(|(minute, ids)| {
            let (ok, lost) = (ids.ok.len(), ids.without_ok().count());
            let possible = self.expected(minute, ids).count() - 1;
            let count = published.get(minute).copied().unwrap_or_default();
            let line = format!("{minute}  {count} ids published, {ok} were answered ok");
            match (lost, possible) {
                (0, 0) => line,
                _ => format!(
                    "{line}, {lost} were counted by an attempt whose answer was lost, \
                     {possible} more may have been"
                ),
            }
        })
    }

    /// Returns the possible counts of a minute: at least its counted ids, at most those and the
    /// uncertain ids whose lost attempts may have been counted in it.
    fn expected(&self, minute: &str, ids: &Ids) -> RangeInclusive<u64> {
        let least = ids.ok.len() + ids.without_ok().count();
        let possible = self
            .uncertain
            .iter()
            .filter(|(id, last)| minute < last.as_str() && !ids.is_counted(**id))
            .count();
        least as u64..=(least + possible) as u64
    }

    /// Returns the faults: none if each id was counted once in each minute and published so.
    pub fn faults(&self, published: &BTreeMap<Minute, u64>) -> Vec<String> {
        let mut faults = self.unexpected.clone();
        for (minute, ids) in &self.minutes {
            let repeated = ids.ok.iter().filter(|(_, times)| **times > 1);
            faults.extend(
                repeated
                    .map(|(id, times)| format!("id {id} was counted {times} times in {minute}")),
            );
            let unexplained = ids.without_ok().filter(|id| !self.uncertain.contains_key(id));
            faults.extend(
                unexplained.map(|id| {
                    format!("id {id} was rejected in {minute}, but no request counted it")
                }),
            );
            let (expected, found) = (self.expected(minute, ids), published.get(minute));
            if !found.is_some_and(|count| expected.contains(count)) {
                let (least, most) = expected.into_inner();
                faults.push(format!(
                    "{minute} must have {least} to {most} ids, but {found:?} are published"
                ));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "2026-11-20T23:20:00Z";
    const SECOND: &str = "2026-11-20T23:21:00Z";

    fn ok(id: i64, minute: &str) -> Response {
        Response { id, outcome: AcceptOutcome::Counted(minute.to_owned()), retried: false }
    }

    fn duplicate(id: i64, minute: &str) -> Response {
        Response { id, outcome: AcceptOutcome::Duplicate(minute.to_owned()), retried: false }
    }

    fn retried(response: Response) -> Response {
        Response { retried: true, ..response }
    }

    fn faults(
        responses: impl IntoIterator<Item = Response>,
        published: &[(&str, u64)],
    ) -> Vec<String> {
        let published =
            published.iter().map(|(minute, count)| ((*minute).to_owned(), *count)).collect();
        Tally::from_iter(responses).faults(&published)
    }

    #[test]
    fn an_id_counts_once_in_each_minute() {
        let responses = || [ok(1, FIRST), duplicate(1, FIRST), ok(2, FIRST), ok(1, SECOND)];
        assert_eq!(faults(responses(), &[(FIRST, 2), (SECOND, 1)]), [""; 0]);
        assert_eq!(faults(responses(), &[(FIRST, 3), (SECOND, 1)]).len(), 1);
        assert_eq!(faults(responses(), &[(FIRST, 2)]).len(), 1);
    }

    #[test]
    fn two_oks_in_one_minute_are_a_fault() {
        let faults = faults([ok(1, FIRST), ok(1, FIRST)], &[(FIRST, 1)]);
        assert_eq!(faults, ["id 1 was counted 2 times in 2026-11-20T23:20:00Z"]);
    }

    #[test]
    fn a_duplicate_without_an_ok_is_a_fault_unless_an_answer_was_lost() {
        assert_eq!(faults([duplicate(1, FIRST)], &[(FIRST, 1)]).len(), 1);
        assert_eq!(faults([retried(duplicate(1, FIRST))], &[(FIRST, 1)]), [""; 0]);
        assert_eq!(faults([retried(duplicate(1, FIRST))], &[(FIRST, 0)]).len(), 1);
    }

    #[test]
    fn a_lost_attempt_may_be_counted_in_an_earlier_minute_only() {
        let responses = || [ok(2, FIRST), retried(ok(1, SECOND))];
        assert_eq!(faults(responses(), &[(FIRST, 1), (SECOND, 1)]), [""; 0]);
        assert_eq!(faults(responses(), &[(FIRST, 2), (SECOND, 1)]), [""; 0]);
        assert_eq!(faults(responses(), &[(FIRST, 1), (SECOND, 2)]).len(), 1);
    }

    #[test]
    fn any_other_answer_is_a_fault() {
        let outcome = AcceptOutcome::Unexpected("400 failed".to_owned());
        let other = Response { id: 1, outcome, retried: false };
        assert_eq!(faults([other], &[]), ["id 1: 400 failed"]);
    }
}
