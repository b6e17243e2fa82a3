//! Work that takes a while: who does it shows now and then that it is at work, and learns that nobody wants it any more.

use parking_lot::Mutex;
use tokio::time::{Duration, Instant};
use tracing::warn;
use uuid::Uuid;

use super::{
    job::{Job, JobId},
    store::{LEASE, Store, Work},
    work::WorkOutcome,
};
use crate::{aws::ServiceError, time::Clock};

/// How often a sign is given.
const EVERY: Duration = Duration::from_secs(LEASE.as_secs() / 6);

/// Work that is held. It lapses by itself when its holder dies, and then `recover` has another take it up.
#[derive(Debug)]
pub struct Lease<'a> {
    store: &'a Store,
    job: JobId,
    work: Work,
    owner: Uuid,
    clock: Clock,
    shown: Mutex<Instant>,
}

impl<'a> Lease<'a> {
    /// Takes the work up, if it is still to be done and nobody else is at it.
    pub async fn take(
        store: &'a Store,
        job: JobId,
        work: Work,
        owner: Uuid,
        clock: Clock,
    ) -> Result<Option<(Job, Self)>, ServiceError> {
        let held = store.hold(job, work, owner, clock.now()).await?;
        Ok(held.map(|held| {
            (held, Self { store, job, work, owner, clock, shown: Mutex::new(Instant::now()) })
        }))
    }

    /// Asked before each step of the work: it goes on, or it has ended. Mostly this costs nothing.
    pub async fn go_on(&self) -> Result<(), WorkOutcome> {
        if !self.is_due() {
            return Ok(());
        }
        let held = self.store.hold(self.job, self.work, self.owner, self.clock.now()).await?;
        held.map(drop).ok_or(WorkOutcome::Unwanted)
    }

    /// Lets go of work that is to be tried again, so that the next one need not wait until it lapses.
    pub async fn end(self, ended: Result<(), WorkOutcome>) -> Result<(), WorkOutcome> {
        if let Err(WorkOutcome::Later(_)) = &ended
            && let Err(cause) = self.store.release(self.job, self.owner).await
        {
            warn!(job.id = %self.job, %cause, "Work could not be let go: it lapses by itself");
        }
        ended
    }

    fn is_due(&self) -> bool {
        let mut shown = self.shown.lock();
        let due = shown.elapsed() >= EVERY;
        if due {
            *shown = Instant::now();
        }
        due
    }
}
