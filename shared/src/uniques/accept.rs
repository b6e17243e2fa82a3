//! Accepting an id: one conditional put, or no call if the instance knows the id as a duplicate.

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
    CLOCK_SKEW, Duplicates, UniqueId, Uniques, WRITE_TIME,
    shard_config::{MAX_AGE, ShardConfig},
};
use crate::{
    aws::ServiceError,
    invocation::{self, DeadlineReached},
    time::{Minute, Timestamp},
    webhook::WebhookUrl,
};

/// How long a request waits for its turn to read the shard configuration: if reads fail, the
/// waiting requests read one after another. Its own read takes at most 3 s, and the function ends
/// after 6 s.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// A request to count an id.
#[derive(Debug)]
pub struct AcceptRequest {
    /// The id to count.
    pub id: UniqueId,
    /// Arrival of the request at the gateway. It alone determines the minute, however long the rest
    /// takes.
    pub received_at: Timestamp,
    /// The time by the clock of this instance.
    pub now: Timestamp,
    /// Identifies this request: a retried put recognizes the record of an earlier attempt by it.
    pub token: Uuid,
    /// The URL that the minute's count is sent to.
    pub callback: Option<WebhookUrl>,
}

/// The result of a request that was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The minute of the request.
    pub minute: Minute,
    /// Whether the id was new in it.
    pub outcome: AcceptOutcome,
}

/// Whether an id was new in its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// Counted by this request.
    New,
    /// Counted before, by another request.
    Duplicate,
}

/// Why it is unknown whether an id is counted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The request is older than the first counted minute: the instance's clock is behind by more
    /// than a minute.
    #[error("minute {0} is before the first counted minute")]
    BeforeFirstMinute(Minute),
    /// The request came late, or the clock of the instance differs from the gateway's.
    #[error("the request was received {0:?} from the instance's time")]
    Late(Duration),
    /// The put did not end in time; the id may be counted.
    #[error(transparent)]
    Deadline(#[from] DeadlineReached),
    /// The store failed; the id may be counted.
    #[error(transparent)]
    Store(#[from] ServiceError),
}

impl AcceptError {
    /// Returns whether the id was certainly not counted by this request.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        match self {
            Self::BeforeFirstMinute(_) | Self::Late(_) => true,
            Self::Deadline(_) => false,
            Self::Store(cause) => cause.is_refused(),
        }
    }
}

/// An instance's cache of the shard configuration.
#[derive(Debug, Default)]
pub(super) struct ConfigCache {
    entry: RwLock<Option<CachedConfig>>,
    /// Held by the request that reads the configuration.
    refresh: Mutex<()>,
}

#[derive(Debug)]
struct CachedConfig {
    read_at: Timestamp,
    config: Arc<ShardConfig>,
}

impl ConfigCache {
    /// Returns the configuration if it was read less than [`MAX_AGE`] ago.
    fn get(&self, now: Timestamp) -> Option<Arc<ShardConfig>> {
        let entry = self.entry.read();
        entry
            .as_ref()
            .filter(|entry| now.since(entry.read_at) < MAX_AGE)
            .map(|entry| entry.config.clone())
    }

    fn set(&self, read_at: Timestamp, config: Arc<ShardConfig>) {
        *self.entry.write() = Some(CachedConfig { read_at, config });
    }
}

impl Uniques {
    /// Counts an id, once per minute.
    pub async fn accept(&self, request: &AcceptRequest) -> Result<Accepted, AcceptError> {
        let minute = Minute::of(request.received_at);
        let outcome = match self.record_in_time(minute, request).await {
            Ok(outcome) => outcome,
            Err(error) => {
                report(&error);
                return Err(error);
            }
        };
        match outcome {
            AcceptOutcome::New => metrics::counter!("AcceptedIds").increment(1),
            AcceptOutcome::Duplicate => metrics::counter!("DuplicateIds").increment(1),
        }
        Ok(Accepted { minute, outcome })
    }

    /// Returns whether a duplicate is answered like a new id.
    #[must_use]
    pub fn accepts_duplicates(&self) -> bool {
        self.duplicates == Duplicates::Accept
    }

    /// Reads the shard configuration, so that it is cached and the connection with its TLS session
    /// is established before the first request.
    pub async fn warm(&self, now: Timestamp) -> Result<(), ServiceError> {
        self.shard_config(now).await.map(|_| ())
    }

    /// Records an id while its minute cannot be closed ([`WRITE_TIME`]).
    async fn record_in_time(
        &self,
        minute: Minute,
        request: &AcceptRequest,
    ) -> Result<AcceptOutcome, AcceptError> {
        let AcceptRequest { received_at, now, .. } = *request;
        let difference = now.since(received_at).max(received_at.since(now));
        if difference > CLOCK_SKEW {
            return Err(AcceptError::Late(difference));
        }
        let left = received_at.plus(WRITE_TIME).since(now);
        // Boxed: the future of an SDK call is large, and would be copied.
        invocation::within(left, Box::pin(self.record(minute, request))).await?
    }

    async fn record(
        &self,
        minute: Minute,
        request: &AcceptRequest,
    ) -> Result<AcceptOutcome, AcceptError> {
        if self.recent_ids.contains(minute, request.id) {
            return Ok(AcceptOutcome::Duplicate);
        }
        let config = self.shard_config(request.received_at).await?;
        let shards = config.shards(minute).ok_or(AcceptError::BeforeFirstMinute(minute))?;
        let outcome = self.store.record(minute, shards, request).await?;
        self.recent_ids.insert(minute, request.id);
        Ok(outcome)
    }

    /// Returns the shard configuration. One call reads it for all requests that wait for it; the
    /// first instance of all creates it.
    async fn shard_config(&self, now: Timestamp) -> Result<Arc<ShardConfig>, ServiceError> {
        if let Some(config) = self.config_cache.get(now) {
            return Ok(config);
        }
        let refresh = self.config_cache.refresh.lock();
        let _refresh = timeout(MAX_WAIT, refresh).await.map_err(ServiceError::transient)?;
        if let Some(config) = self.config_cache.get(now) {
            return Ok(config);
        }
        let config = match self.store.shard_config().await? {
            Some(config) => config,
            None => self.store.create_shard_config(ShardConfig::new(now, self.shards)).await?,
        };
        let config = Arc::new(config);
        self.config_cache.set(now, config.clone());
        Ok(config)
    }
}

/// Counts every failure, and logs the first and then one in a hundred: a store that is down must
/// not fill the log.
fn report(cause: &AcceptError) {
    static FAILURES: AtomicU64 = AtomicU64::new(0);
    metrics::counter!("FailedAccepts").increment(1);
    let before = FAILURES.fetch_add(1, Ordering::Relaxed);
    if before.is_multiple_of(100) {
        warn!(%cause, failures = before + 1, "Id not recorded");
    }
}
