//! What the answers say about each minute, and what must be published for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
};

/// As in `2026-11-20T23:20:00Z`: these sort by time.
pub type Minute = String;

/// What came of one request.
#[derive(Debug)]
pub struct Outcome {
    /// Whom it was for.
    pub id: i64,
    /// The answer.
    pub verdict: Verdict,
    /// An earlier try may have been carried out, though its answer did not come.
    pub repeated: bool,
}

/// An answer.
#[derive(Debug)]
pub enum Verdict {
    /// `ok`: counted in this minute.
    Counted(Minute),
    /// `failed`: it was already counted in this minute.
    Duplicate(Minute),
    /// Whatever else: there should be none.
    Other(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Counted(_) => f.write_str("200 ok"),
            Verdict::Duplicate(_) => f.write_str("409 failed: counted before"),
            Verdict::Other(said) => f.write_str(said),
        }
    }
}

/// All answers, by minute.
#[derive(Debug, Default)]
pub struct Tally {
    minutes: BTreeMap<Minute, Ids>,
    /// Ids that were sent again after a try whose answer was lost, each with the minute of its last final answer. The lost try may
    /// have been counted in that minute, which the answer then says (409), or unseen in one before it.
    doubtful: BTreeMap<i64, Minute>,
    others: Vec<String>,
}

/// Of one minute.
#[derive(Debug, Default)]
struct Ids {
    /// Answered `ok`, and how often.
    ok: BTreeMap<i64, u32>,
    /// Answered 409.
    duplicates: BTreeSet<i64>,
}

impl Ids {
    /// Said to be counted, one way or the other.
    fn known(&self, id: i64) -> bool {
        self.ok.contains_key(&id) || self.duplicates.contains(&id)
    }

    /// Said to be counted, but by no answer that came.
    fn unseen(&self) -> impl Iterator<Item = i64> {
        self.duplicates.iter().copied().filter(|id| !self.ok.contains_key(id))
    }
}

impl FromIterator<Outcome> for Tally {
    fn from_iter<T: IntoIterator<Item = Outcome>>(outcomes: T) -> Self {
        let mut tally = Self::default();
        for Outcome { id, verdict, repeated } in outcomes {
            let minute = match verdict {
                Verdict::Counted(minute) => {
                    *tally.minutes.entry(minute.clone()).or_default().ok.entry(id).or_default() +=
                        1;
                    minute
                }
                Verdict::Duplicate(minute) => {
                    tally.minutes.entry(minute.clone()).or_default().duplicates.insert(id);
                    minute
                }
                Verdict::Other(said) => {
                    tally.others.push(format!("id {id}: {said}"));
                    continue;
                }
            };
            if repeated {
                let last = tally.doubtful.entry(id).or_default();
                *last = minute.max(std::mem::take(last));
            }
        }
        tally
    }
}

impl Tally {
    /// Those that answers named, oldest first.
    pub fn minutes(&self) -> impl Iterator<Item = &str> {
        self.minutes.keys().map(String::as_str)
    }

    /// Each minute in words.
    pub fn lines(&self, published: &BTreeMap<Minute, u64>) -> impl Iterator<Item = String> {
        self.minutes.iter().map(|(minute, ids)| {
            let (ok, lost) = (ids.ok.len(), ids.unseen().count());
            let perhaps = self.expected(minute, ids).count() - 1;
            let count = published.get(minute).copied().unwrap_or_default();
            let certain = format!("{minute}  {count} ids published, {ok} were answered ok");
            match (lost, perhaps) {
                (0, 0) => certain,
                _ => format!("{certain}, {lost} counted by a try whose answer was lost, {perhaps} more perhaps so"),
            }
        })
    }

    /// How many ids a minute has: those said to be counted, and perhaps lost tries of the doubtful.
    fn expected(&self, minute: &str, ids: &Ids) -> RangeInclusive<u64> {
        let least = ids.ok.len() + ids.unseen().count();
        let perhaps = self
            .doubtful
            .iter()
            .filter(|(id, last)| minute < last.as_str() && !ids.known(**id))
            .count();
        least as u64..=(least + perhaps) as u64
    }

    /// What should not be; nothing, if each id was counted once in each minute and published so.
    pub fn faults(&self, published: &BTreeMap<Minute, u64>) -> Vec<String> {
        let mut faults = self.others.clone();
        for (minute, ids) in &self.minutes {
            let twice = ids.ok.iter().filter(|(_, times)| **times > 1);
            faults.extend(
                twice.map(|(id, times)| format!("id {id} was counted {times} times in {minute}")),
            );
            let unexplained = ids.unseen().filter(|id| !self.doubtful.contains_key(id));
            faults.extend(
                unexplained.map(|id| {
                    format!("id {id} was refused in {minute}, but no request counted it")
                }),
            );
            let (expected, found) = (self.expected(minute, ids), published.get(minute));
            if !found.is_some_and(|count| expected.contains(count)) {
                let (least, most) = expected.into_inner();
                faults.push(format!(
                    "{minute} should have {least} to {most} ids, and {found:?} are published"
                ));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "2026-11-20T23:20:00Z";
    const TWO: &str = "2026-11-20T23:21:00Z";

    fn ok(id: i64, minute: &str) -> Outcome {
        Outcome { id, verdict: Verdict::Counted(minute.to_owned()), repeated: false }
    }

    fn duplicate(id: i64, minute: &str) -> Outcome {
        Outcome { id, verdict: Verdict::Duplicate(minute.to_owned()), repeated: false }
    }

    fn again(outcome: Outcome) -> Outcome {
        Outcome { repeated: true, ..outcome }
    }

    fn faults(
        outcomes: impl IntoIterator<Item = Outcome>,
        published: &[(&str, u64)],
    ) -> Vec<String> {
        let published =
            published.iter().map(|(minute, count)| ((*minute).to_owned(), *count)).collect();
        Tally::from_iter(outcomes).faults(&published)
    }

    #[test]
    fn an_id_counts_once_in_each_minute() {
        let outcomes = || [ok(1, ONE), duplicate(1, ONE), ok(2, ONE), ok(1, TWO)];
        assert_eq!(faults(outcomes(), &[(ONE, 2), (TWO, 1)]), [""; 0]);
        assert_eq!(faults(outcomes(), &[(ONE, 3), (TWO, 1)]).len(), 1);
        assert_eq!(faults(outcomes(), &[(ONE, 2)]).len(), 1);
    }

    #[test]
    fn two_oks_in_one_minute_are_a_fault() {
        let faults = faults([ok(1, ONE), ok(1, ONE)], &[(ONE, 1)]);
        assert_eq!(faults, ["id 1 was counted 2 times in 2026-11-20T23:20:00Z"]);
    }

    #[test]
    fn a_duplicate_of_nothing_is_a_fault_unless_an_answer_was_lost() {
        assert_eq!(faults([duplicate(1, ONE)], &[(ONE, 1)]).len(), 1);
        assert_eq!(faults([again(duplicate(1, ONE))], &[(ONE, 1)]), [""; 0]);
        assert_eq!(faults([again(duplicate(1, ONE))], &[(ONE, 0)]).len(), 1);
    }

    #[test]
    fn a_lost_try_may_be_counted_in_an_earlier_minute_only() {
        let outcomes = || [ok(2, ONE), again(ok(1, TWO))];
        assert_eq!(faults(outcomes(), &[(ONE, 1), (TWO, 1)]), [""; 0]);
        assert_eq!(faults(outcomes(), &[(ONE, 2), (TWO, 1)]), [""; 0]);
        assert_eq!(faults(outcomes(), &[(ONE, 1), (TWO, 2)]).len(), 1);
    }

    #[test]
    fn any_other_answer_is_a_fault() {
        let other =
            Outcome { id: 1, verdict: Verdict::Other("400 failed".to_owned()), repeated: false };
        assert_eq!(faults([other], &[]), ["id 1: 400 failed"]);
    }
}
