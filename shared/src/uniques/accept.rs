//! Accepting an id: one conditional put, or nothing where the instance knows it for a duplicate.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::RwLock;
use tracing::warn;
use uuid::Uuid;

use super::{
    Duplicates, UniqueId, Uniques,
    counting::{Counting, REREAD},
};
use crate::{
    aws::ServiceError,
    time::{Minute, Timestamp},
    webhook::WebhookUrl,
};

/// A request to count an id.
#[derive(Debug)]
pub struct Arrival {
    /// What is to be counted.
    pub id: UniqueId,
    /// When it came: this decides on its minute, however long the rest takes.
    pub at: Timestamp,
    /// Names this request and no other: a put that is tried again knows its own record by it.
    pub token: Uuid,
    /// Who is told the minute's count.
    pub callback: Option<WebhookUrl>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The minute in which it was looked for.
    pub minute: Minute,
    /// What was found.
    pub verdict: Verdict,
}

/// New in its minute or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is counted, by this request.
    New,
    /// It was counted before.
    Duplicate,
}

/// Why it is not known to be counted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// Counting began after this minute: the instance's clock is behind by more than a minute.
    #[error("minute {0} is before the first that is counted")]
    BeforeTheFirst(Minute),
    /// The store failed; the id may be counted.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

/// What an instance knows of how ids are counted, and since when it knows it.
#[derive(Debug, Default)]
pub(super) struct Known(RwLock<Option<(Timestamp, Counting)>>);

impl Known {
    /// The number of shards in a minute, if what is known is fresh; `None` asks for another reading.
    async fn shards(&self, minute: Minute, now: Timestamp) -> Option<Result<u32, AcceptError>> {
        match &*self.0.read().await {
            Some((read_at, counting)) if now.since(*read_at) < REREAD => {
                Some(counting.shards(minute).ok_or(AcceptError::BeforeTheFirst(minute)))
            }
            _ => None,
        }
    }
}

impl Uniques {
    /// Counts an id, once a minute.
    pub async fn accept(&self, arrival: &Arrival) -> Result<Accepted, AcceptError> {
        let minute = Minute::of(arrival.at);
        let verdict = match self.look(minute, arrival).await {
            Ok(verdict) => verdict,
            Err(cause) => {
                self.failed(&cause);
                return Err(cause);
            }
        };
        match verdict {
            Verdict::New => metrics::counter!("AcceptedIds").increment(1),
            Verdict::Duplicate => metrics::counter!("DuplicateIds").increment(1),
        }
        Ok(Accepted { minute, verdict })
    }

    /// A duplicate is answered like a new id.
    #[must_use]
    pub fn accepts_duplicates(&self) -> bool {
        self.duplicates == Duplicates::Accept
    }

    /// One cheap call, so that the connection stands, TLS is set up, and it is known how ids are counted, before the first
    /// request.
    pub async fn warm(&self, now: Timestamp) -> Result<(), ServiceError> {
        self.learn(now).await
    }

    async fn look(&self, minute: Minute, arrival: &Arrival) -> Result<Verdict, AcceptError> {
        if self.seen.knows(minute, arrival.id) {
            return Ok(Verdict::Duplicate);
        }
        let shards = match self.known.shards(minute, arrival.at).await {
            Some(shards) => shards?,
            None => {
                self.learn(arrival.at).await?;
                let known = self.known.shards(minute, arrival.at).await;
                known.unwrap_or(Err(AcceptError::BeforeTheFirst(minute)))?
            }
        };
        let verdict = self.store.record(minute, shards, arrival).await?;
        self.seen.learn(minute, arrival.id);
        Ok(verdict)
    }

    /// Reads how ids are counted: one call for all requests that wait for it. The first of all instances decides it.
    async fn learn(&self, now: Timestamp) -> Result<(), ServiceError> {
        let mut known = self.known.0.write().await;
        if known.as_ref().is_some_and(|(read_at, _)| now.since(*read_at) < REREAD) {
            return Ok(());
        }
        let counting = match self.store.counting().await? {
            Some(counting) => counting,
            None => self.store.begin(Counting::beginning(now, self.shards)).await?,
        };
        *known = Some((now, counting));
        Ok(())
    }

    /// Every failure is counted, the first and each hundredth logged: a store that is down must not fill the log.
    fn failed(&self, cause: &AcceptError) {
        static FAILURES: AtomicU64 = AtomicU64::new(0);
        metrics::counter!("FailedAccepts").increment(1);
        let before = FAILURES.fetch_add(1, Ordering::Relaxed);
        if before % 100 == 0 {
            warn!(%cause, failures = before + 1, "An id could not be recorded");
        }
    }
}
