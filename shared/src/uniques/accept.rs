//! Accepting an id: one conditional put, or nothing where the instance knows it for a duplicate.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::RwLock;
use tokio::{sync::Mutex, time::timeout};
use tracing::warn;
use uuid::Uuid;

use super::{
    Duplicates, UniqueId, Uniques,
    shard_config::{REREAD, ShardConfig},
};
use crate::{
    aws::ServiceError,
    time::{Minute, Timestamp},
    webhook::WebhookUrl,
};

/// How long a request waits for others that read how ids are counted, one after the other where they fail. Its own reading
/// takes three seconds at most, and the function ends at six.
const TURN: Duration = Duration::from_secs(2);

/// A request to count an id.
#[derive(Debug)]
pub struct AcceptRequest {
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
    pub verdict: AcceptOutcome,
}

/// New in its minute or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptOutcome {
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
pub(super) struct ConfigCache {
    last: RwLock<Option<Reading>>,
    /// Of those who read it.
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Reading {
    at: Timestamp,
    found: Arc<ShardConfig>,
}

impl ConfigCache {
    /// What was found, if that is not too long ago.
    fn fresh(&self, now: Timestamp) -> Option<Arc<ShardConfig>> {
        let last = self.last.read();
        last.as_ref()
            .filter(|reading| now.since(reading.at) < REREAD)
            .map(|reading| reading.found.clone())
    }

    fn learn(&self, at: Timestamp, found: Arc<ShardConfig>) {
        *self.last.write() = Some(Reading { at, found });
    }
}

impl Uniques {
    /// Counts an id, once a minute.
    pub async fn accept(&self, arrival: &AcceptRequest) -> Result<Accepted, AcceptError> {
        let minute = Minute::of(arrival.at);
        let verdict = match self.look(minute, arrival).await {
            Ok(verdict) => verdict,
            Err(cause) => {
                failed(&cause);
                return Err(cause);
            }
        };
        match verdict {
            AcceptOutcome::New => metrics::counter!("AcceptedIds").increment(1),
            AcceptOutcome::Duplicate => metrics::counter!("DuplicateIds").increment(1),
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
        self.counting(now).await.map(|_| ())
    }

    async fn look(
        &self,
        minute: Minute,
        arrival: &AcceptRequest,
    ) -> Result<AcceptOutcome, AcceptError> {
        if self.seen.knows(minute, arrival.id) {
            return Ok(AcceptOutcome::Duplicate);
        }
        let counting = self.counting(arrival.at).await?;
        let shards = counting.shards(minute).ok_or(AcceptError::BeforeTheFirst(minute))?;
        let verdict = self.store.record(minute, shards, arrival).await?;
        self.seen.learn(minute, arrival.id);
        Ok(verdict)
    }

    /// How ids are counted. It is read by one call for all requests that wait for it; the first instance of all decides it.
    async fn counting(&self, now: Timestamp) -> Result<Arc<ShardConfig>, ServiceError> {
        if let Some(counting) = self.known.fresh(now) {
            return Ok(counting);
        }
        let _turn = timeout(TURN, self.known.turn.lock()).await.map_err(ServiceError::transient)?;
        if let Some(counting) = self.known.fresh(now) {
            return Ok(counting);
        }
        let counting = match self.store.counting().await? {
            Some(counting) => counting,
            None => self.store.begin(ShardConfig::beginning(now, self.shards)).await?,
        };
        let found = Arc::new(counting);
        self.known.learn(now, found.clone());
        Ok(found)
    }
}

/// Every failure is counted, the first and each hundredth logged: a store that is down must not fill the log.
fn failed(cause: &AcceptError) {
    static FAILURES: AtomicU64 = AtomicU64::new(0);
    metrics::counter!("FailedAccepts").increment(1);
    let before = FAILURES.fetch_add(1, Ordering::Relaxed);
    if before.is_multiple_of(100) {
        warn!(%cause, failures = before + 1, "An id could not be recorded");
    }
}
