//! Waiting for figures: one poll for each key and instance, however many requests wait for it.
//!
//! A poll is a task of its own, so that no request carries it; it ends when nobody waits any more. It looks at the claim with growing
//! pauses, claims what nobody holds, and asks for the work by a message.

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
    Companies, Inner,
    compute::Message,
    query::{Answer, FiguresError, FiguresKey},
};
use crate::{
    claim::{Claim, Fence, Finished, Outcome},
    time::{Clock, Timestamp},
};

/// How long a claim waits for a worker to take it: a message's way, and the start of an instance.
pub const ASK_LEASE: Duration = Duration::from_secs(10);

/// Keys of polls that are kept although nobody waits any more; then they are swept.
const MAX_ENTRIES: usize = 10_000;

/// What a poll has found.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub answer: Arc<Answer>,
    /// It was there at the first look.
    pub at_once: bool,
    /// The poll itself has asked for the work.
    pub won: bool,
}

type End = Option<Result<Resolved, FiguresError>>;

/// A poll, as those who wait for it hold it. It ends with the last of them.
#[derive(Debug)]
pub struct Waiter(watch::Receiver<End>);

impl Waiter {
    pub async fn ended(&self) -> Result<Resolved, FiguresError> {
        let mut end = self.0.clone();
        match end.wait_for(Option::is_some).await {
            Ok(end) => end.clone().unwrap_or(Err(FiguresError::TimedOut)),
            Err(_) => Err(FiguresError::TimedOut),
        }
    }

    /// It has not ended yet.
    fn goes_on(&self) -> bool {
        self.0.borrow().is_none()
    }
}

/// The polls of an instance.
#[derive(Debug, Default)]
pub struct Singleflight(Mutex<HashMap<FiguresKey, Weak<Waiter>>>);

impl Companies {
    /// Joins the poll for these figures, or begins one; answers whether it was begun.
    pub(super) fn poll(&self, figures: FiguresKey, clock: Clock) -> (Arc<Waiter>, bool) {
        let mut polls = self.0.polls.0.lock();
        if let Some(poll) =
            polls.get(&figures).and_then(Weak::upgrade).filter(|poll| poll.goes_on())
        {
            return (poll, false);
        }
        if polls.len() >= MAX_ENTRIES {
            polls.retain(|_, poll| poll.strong_count() > 0);
        }
        let (sender, receiver) = watch::channel(None);
        let waiting = Arc::new(Waiter(receiver));
        polls.insert(figures.clone(), Arc::downgrade(&waiting));
        drop(polls);
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            tokio::select! {
                end = inner.find(&figures, clock) => drop(sender.send(Some(end))),
                () = sender.closed() => {}
            }
        });
        (waiting, true)
    }
}

impl Inner {
    async fn find(&self, figures: &FiguresKey, clock: Clock) -> Result<Resolved, FiguresError> {
        let mut pauses = pauses();
        let (mut at_once, mut won) = (true, false);
        loop {
            let now = clock.now();
            let seen = self.claims.read(figures.key()).await.map_err(Arc::new)?;
            let seen = match seen {
                Some(seen) if seen.stands(now) => seen,
                _ => {
                    self.check_company(figures, now).await?;
                    match self
                        .claims
                        .claim(figures.key(), Uuid::now_v7(), ASK_LEASE, now)
                        .await
                        .map_err(Arc::new)?
                    {
                        Claim::Occupied(seen) => seen,
                        Claim::Acquired(fence) => {
                            self.ask_worker(figures, fence, clock).await?;
                            (won, at_once) = (true, false);
                            continue;
                        }
                    }
                }
            };
            if let Some(finished) = seen.fresh(now) {
                let answer = Arc::new(answer(finished)?);
                self.memory.remember(figures.clone(), Arc::clone(&answer), now);
                return Ok(Resolved { answer, at_once, won });
            }
            at_once = false;
            sleep(pauses.next().unwrap_or_default()).await;
        }
    }

    /// Asks for the work that was claimed. If that fails the claim is let go, so that whoever asks next need not wait until it lapses.
    async fn ask_worker(
        &self,
        figures: &FiguresKey,
        fence: Fence,
        clock: Clock,
    ) -> Result<(), FiguresError> {
        let Err(cause) = self.queue().send([Message::from(figures)]).await else { return Ok(()) };
        // Whose clock is behind may find it.
        let unasked =
            Outcome::Failed("QUEUE_UNAVAILABLE: the work could not be asked for".to_owned());
        let let_go =
            self.claims.finish(figures.key(), fence, &unasked, Duration::ZERO, clock.now()).await;
        if let Err(cause) = let_go {
            warn!(%cause, "A claim could not be let go: it lapses by itself");
        }
        Err(Arc::new(cause).into())
    }

    async fn check_company(
        &self,
        figures: &FiguresKey,
        now: Timestamp,
    ) -> Result<(), FiguresError> {
        let company = &figures.company;
        if self.store.profile(company).await.map_err(Arc::new)?.is_some() {
            return Ok(());
        }
        self.memory.remember_unknown(company.clone(), now.plus(self.settings.failure_ttl), now);
        Err(FiguresError::CompanyNotFound(company.clone()))
    }
}

/// From 20 ms to half a second, each lengthened by up to itself at random.
fn pauses() -> ExponentialBackoff {
    let pauses = ExponentialBuilder::new().with_min_delay(Duration::from_millis(20));
    pauses
        .with_factor(1.5)
        .with_max_delay(Duration::from_millis(500))
        .with_jitter()
        .without_max_times()
        .build()
}

fn answer(finished: &Finished) -> Result<Answer, FiguresError> {
    match &finished.outcome {
        Outcome::Failed(error) => Err(FiguresError::Failed(error.clone())),
        Outcome::Done(body) => {
            let (computed_at, expires_at) = (finished.completed_at, finished.expires_at);
            Ok(Answer { body: body.clone(), computed_at, expires_at })
        }
    }
}
