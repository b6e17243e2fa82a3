//! Single flight: one poll per key and instance, shared by all requests that wait for the figures.
//!
//! A poll is a task of its own, so that no request carries it; it ends when no request waits for it
//! any more. It reads the claim at growing intervals. If the key is free, it claims the key and
//! sends a message that requests the computation.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use parking_lot::Mutex;
use tokio::{sync::watch, time::sleep};
use tracing::warn;
use uuid::Uuid;

use super::{
    Companies, CompanyId, Inner,
    message::Message,
    query::{Answer, FiguresError, FiguresKey},
};
use crate::{
    claim::{Claim, Completion, Fence, Outcome},
    time::{Clock, Timestamp},
};

/// How long a claim waits for a worker to take it over: long enough to deliver its message and to
/// start an instance.
const REQUEST_LEASE: Duration = Duration::from_secs(10);

/// Number of polls at which those without a waiting request are removed from the map.
const MAX_ENTRIES: usize = 10_000;

/// Result of a poll.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub answer: Arc<Answer>,
    /// The answer existed at the first read.
    pub existed: bool,
    /// This poll requested the computation.
    pub started_work: bool,
}

/// `None` while the poll goes on.
type PollState = Option<Result<Resolved, FiguresError>>;

/// Handle of waiting requests on their poll, which ends when the last one drops it.
#[derive(Debug)]
pub struct Waiter(watch::Receiver<PollState>);

impl Waiter {
    /// Waits for the poll's result.
    pub async fn resolved(&self) -> Result<Resolved, FiguresError> {
        let mut state = self.0.clone();
        match state.wait_for(Option::is_some).await {
            Ok(state) => state.clone().unwrap_or(Err(FiguresError::TimedOut)),
            Err(_) => Err(FiguresError::TimedOut),
        }
    }

    fn is_pending(&self) -> bool {
        self.0.borrow().is_none()
    }
}

/// The polls of an instance.
#[derive(Debug, Default)]
pub struct Singleflight(Mutex<HashMap<FiguresKey, Weak<Waiter>>>);

impl Companies {
    /// Joins the poll for this key, or starts one. Returns whether it was started.
    pub(super) fn join_poll(&self, key: FiguresKey, clock: Clock) -> (Arc<Waiter>, bool) {
        let mut polls = self.0.singleflight.0.lock();
        if let Some(waiter) =
            polls.get(&key).and_then(Weak::upgrade).filter(|waiter| waiter.is_pending())
        {
            return (waiter, false);
        }
        if polls.len() >= MAX_ENTRIES {
            polls.retain(|_, waiter| waiter.strong_count() > 0);
        }
        let (sender, receiver) = watch::channel(None);
        let waiter = Arc::new(Waiter(receiver));
        polls.insert(key.clone(), Arc::downgrade(&waiter));
        drop(polls);
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            // Of no invocation, since later ones may join it: it goes on as long as one waits.
            tokio::select! {
                biased;
                () = sender.closed() => {}
                result = inner.poll(&key, clock) => drop(sender.send(Some(result))),
            }
        });
        (waiter, true)
    }
}

impl Inner {
    /// Reads the claim until it has an outcome. Claims the key and requests the computation
    /// whenever the key is free.
    async fn poll(&self, key: &FiguresKey, clock: Clock) -> Result<Resolved, FiguresError> {
        let mut intervals = poll_intervals();
        let (mut existed, mut started_work) = (true, false);
        loop {
            let now = clock.now();
            let record = self.claims.read(key.claim_key()).await.map_err(Arc::new)?;
            let record = match record {
                Some(record) if record.is_occupied(now) => record,
                _ => {
                    self.require_company(&key.company, now).await?;
                    match self
                        .claims
                        .claim(key.claim_key(), Uuid::now_v7(), REQUEST_LEASE, now)
                        .await
                        .map_err(Arc::new)?
                    {
                        Claim::Occupied(record) => record,
                        Claim::Acquired(fence) => {
                            self.request_computation(key, fence, clock).await?;
                            (started_work, existed) = (true, false);
                            continue;
                        }
                    }
                }
            };
            if let Some(completion) = record.fresh(now) {
                let answer = Arc::new(answer(completion)?);
                self.cache.insert(key.clone(), Arc::clone(&answer), now);
                return Ok(Resolved { answer, existed, started_work });
            }
            existed = false;
            sleep(intervals.next().unwrap_or_default()).await;
        }
    }

    /// Sends the message for a claim. If that fails, releases the claim, so that the next request
    /// need not wait until its lease expires.
    async fn request_computation(
        &self,
        key: &FiguresKey,
        fence: Fence,
        clock: Clock,
    ) -> Result<(), FiguresError> {
        let Err(cause) = self.queue().send([Message::from(key)]).await else { return Ok(()) };
        // A reader whose clock is behind may still find it.
        let failure =
            Outcome::Failed("QUEUE_UNAVAILABLE: the computation was not requested".to_owned());
        let release =
            self.claims.finish(key.claim_key(), fence, &failure, Duration::ZERO, clock.now()).await;
        if let Err(cause) = release {
            // It then expires with its lease.
            warn!(%cause, "Claim release failed");
        }
        Err(Arc::new(cause).into())
    }

    async fn require_company(
        &self,
        company: &CompanyId,
        now: Timestamp,
    ) -> Result<(), FiguresError> {
        if self.store.profile(company).await.map_err(Arc::new)?.is_some() {
            return Ok(());
        }
        self.cache.insert_missing(company.clone(), now.plus(self.settings.failure_ttl), now);
        Err(FiguresError::CompanyNotFound(company.clone()))
    }
}

/// From 20 ms to half a second, each lengthened by up to itself at random.
fn poll_intervals() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(20))
        .with_factor(1.5)
        .with_max_delay(Duration::from_millis(500))
        .with_jitter()
        .without_max_times()
        .build()
}

fn answer(completion: &Completion) -> Result<Answer, FiguresError> {
    match &completion.outcome {
        Outcome::Failed(error) => Err(FiguresError::Failed(error.clone())),
        Outcome::Done(body) => {
            let (computed_at, expires_at) = (completion.completed_at, completion.expires_at);
            Ok(Answer { body: body.clone(), computed_at, expires_at })
        }
    }
}
