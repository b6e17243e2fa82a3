//! Unique ids, and the counts of their minutes.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use crate::api::{Api, Call};

/// Senders at a time.
const SENDERS: u32 = 3;

/// The answers, and the number of requests without one.
#[derive(Default)]
pub struct Ids {
    next: u64,
    /// Those answered `ok`, each once a minute.
    accepted: BTreeSet<Accepted>,
    /// Those to be checked.
    new: Vec<Accepted>,
    unanswered: u64,
}

/// An id that was answered `ok`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Accepted {
    minute: String,
    id: u64,
}

/// The answers to a sender, in their order. `None`: none came.
type Answers = Vec<Option<(Accepted, bool)>>;

impl Ids {
    /// Sends ids, some of them twice, until the process dies.
    pub async fn run(&mut self, api: &Api) {
        let senders = (0..SENDERS).map(|_| {
            // No sender sends as many.
            self.next += 10_000;
            send(api, self.next)
        });
        let answers: Vec<_> = join_all(senders.collect::<Vec<_>>()).await;
        for answer in answers.into_iter().flatten() {
            self.record(answer);
        }
    }

    /// Sends those that were accepted again: within their minutes they are duplicates.
    pub async fn check(&mut self, api: &Api) {
        for Accepted { id, .. } in std::mem::take(&mut self.new) {
            let answer = accept(api, id).await;
            assert!(answer.is_some(), "the process lives");
            self.record(answer);
        }
        // Accepted in another minute by the check.
        self.new.clear();
    }

    /// Compares the counts of the minutes that are published by now.
    pub async fn end(&self, api: &Api) {
        let mut accepted = BTreeMap::<_, u64>::new();
        for Accepted { minute, .. } in &self.accepted {
            *accepted.entry(minute.as_str()).or_default() += 1;
        }
        let mut published = BTreeSet::new();
        for count in api.list("/api/verve/counts", "counts").await {
            let minute = count["minute"].as_str().expect("a minute");
            assert!(published.insert(minute.to_owned()), "{minute} is published twice");
            let counted = count["unique_ids"].as_u64().expect("a count");
            let answered = accepted.get(minute).copied().unwrap_or_default();
            let possible = answered..=answered + self.unanswered;
            assert!(possible.contains(&counted), "{count}, but accepted {possible:?}");
            assert!(count["corrected"].is_null() && count["incomplete"].is_null(), "{count}");
        }
        let counted = accepted.keys().filter(|minute| published.contains(**minute)).count();
        println!(
            "{} ids in {} minutes, of which {counted} are published",
            self.accepted.len(),
            accepted.len()
        );
    }

    /// Asserts that an id is answered `ok` once a minute.
    fn record(&mut self, answer: Option<(Accepted, bool)>) {
        match answer {
            None => self.unanswered += 1,
            Some((accepted, true)) => {
                assert!(self.accepted.insert(accepted.clone()), "ok twice: {accepted:?}");
                self.new.push(accepted);
            }
            Some((_, false)) => {}
        }
    }
}

/// Sends ids from `first` on until the process dies.
async fn send(api: &Api, first: u64) -> Answers {
    let mut answers = Vec::new();
    for id in first.. {
        let sent = if fastrand::u8(..4) == 0 {
            <[_; 2]>::from(tokio::join!(accept(api, id), accept(api, id))).to_vec()
        } else {
            vec![accept(api, id).await]
        };
        let is_new = sent.iter().flatten().any(|(_, is_ok)| *is_ok);
        let dies = sent.iter().any(Option::is_none);
        assert!(is_new || dies, "{id} is new: {sent:?}");
        answers.extend(sent);
        if dies {
            break;
        }
    }
    answers
}

/// Sends an id, and returns its minute and whether it was answered `ok`.
async fn accept(api: &Api, id: u64) -> Option<(Accepted, bool)> {
    let call = Call::get(format!("/api/verve/accept?id={id}"));
    let answer = api.send(&call).await?;
    let is_ok = match (answer.status, &*answer.body) {
        (200, b"ok") => true,
        (409, b"failed") => false,
        _ => panic!("{call:?}: {answer}"),
    };
    let minute = answer.header("x-minute").to_owned();
    assert!(!minute.is_empty(), "{call:?}");
    Some((Accepted { minute, id }, is_ok))
}
