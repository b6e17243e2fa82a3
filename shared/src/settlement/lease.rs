//! [`Lease`]: at most one worker at a time plans or finishes a settlement.
//!
//! A lease lasts one minute and is renewed every ten seconds while its worker is active. If the
//! worker dies, the lease expires, and `settlement-recover` sends the work again. A lease only
//! saves effort: correctness does not depend on it.

#![expect(clippy::disallowed_types, reason = "the lease ends with its invocation")]

use aws_sdk_dynamodb::types::AttributeValue;
use parking_lot::Mutex;
use tokio::time::{Duration, Instant};
use tracing::warn;
use uuid::Uuid;

use super::{
    job::{Job, JobId, State},
    store::Store,
    work::WorkOutcome,
};
use crate::{
    aws::ServiceError,
    dynamo::{from_item, number, text, to_attribute},
    time::{Clock, Timestamp},
};

/// Duration of a lease that is not renewed.
const DURATION: Duration = Duration::from_mins(1);

/// Time between renewals.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(DURATION.as_secs() / 6);

/// No lease is active, or it is this owner's.
const FREE: &str =
    "(attribute_not_exists(lease_until) OR lease_until < :now OR lease_owner = :owner)";

/// Work that a lease covers.
#[derive(Debug, Clone, Copy)]
pub enum LeasedWork {
    /// Planning this run.
    Plan { run: u32 },
    /// Finishing this plan.
    Finish { plan: Uuid },
}

impl LeasedWork {
    /// Returns what holds while the work is needed: a state, and the value of an attribute.
    fn condition(self) -> (State, &'static str, AttributeValue) {
        match self {
            Self::Plan { run } => (State::Queued, "run", number(run)),
            Self::Finish { plan } => (State::Finishing, "plan", text(plan.to_string())),
        }
    }
}

/// A lease that this process holds.
#[derive(Debug)]
pub struct Lease<'a> {
    store: &'a Store,
    job: JobId,
    work: LeasedWork,
    owner: Uuid,
    clock: Clock,
    renewed: Mutex<Instant>,
}

impl<'a> Lease<'a> {
    /// Acquires the lease, if the work is still needed and no other worker holds it.
    pub async fn acquire(
        store: &'a Store,
        job: JobId,
        work: LeasedWork,
        owner: Uuid,
        clock: Clock,
    ) -> Result<Option<(Job, Self)>, ServiceError> {
        let leased = store.acquire_lease(job, work, owner, clock.now()).await?;
        let renewed = Mutex::new(Instant::now());
        Ok(leased.map(|leased| (leased, Self { store, job, work, owner, clock, renewed })))
    }

    /// Renews the lease if that is due; free of cost otherwise. Called before each step of the
    /// work.
    ///
    /// # Errors
    /// [`WorkOutcome::Skipped`] if the work is no longer needed or another worker has taken it
    /// over.
    pub async fn renew_if_due(&self) -> Result<(), WorkOutcome> {
        if !self.is_due() {
            return Ok(());
        }
        let now = self.clock.now();
        let leased = self.store.acquire_lease(self.job, self.work, self.owner, now).await?;
        leased.map(drop).ok_or(WorkOutcome::Skipped)
    }

    /// Ends the lease and returns the result of the work. Work that is to be retried is released,
    /// so that the next attempt need not wait until the lease expires.
    pub async fn end(self, result: Result<(), WorkOutcome>) -> Result<(), WorkOutcome> {
        if let Err(WorkOutcome::Retry(_)) = &result
            && let Err(cause) = self.store.release_lease(self.job, self.owner).await
        {
            warn!(job.id = %self.job, %cause, "Lease not released");
        }
        result
    }

    fn is_due(&self) -> bool {
        let mut renewed = self.renewed.lock();
        let is_due = renewed.elapsed() >= RENEWAL_INTERVAL;
        if is_due {
            *renewed = Instant::now();
        }
        is_due
    }
}

impl Store {
    /// Acquires a lease, or renews it if `owner` holds it. `None`: another worker holds it, or the
    /// work is no longer needed.
    async fn acquire_lease(
        &self,
        id: JobId,
        work: LeasedWork,
        owner: Uuid,
        now: Timestamp,
    ) -> Result<Option<Job>, ServiceError> {
        let (state, name, same) = work.condition();
        let update = self
            .update(id)
            .set("lease_owner", text(owner))
            .set("lease_until", text(now.plus(DURATION)))
            .condition(format!("#state = :state AND #same = :same AND {FREE}"))
            .name("state", "state")
            .value("state", to_attribute(&state)?)
            .name("same", name)
            .value("same", same)
            .value("owner", text(owner))
            .value("now", text(now));
        update.send(&self.client).await?.ok().map(from_item).transpose()
    }

    /// Ends the lease of any worker.
    pub async fn revoke_lease(&self, id: JobId) -> Result<(), ServiceError> {
        let update = self.update(id).remove("lease_owner").remove("lease_until");
        update.condition("attribute_exists(lease_owner)").send(&self.client).await.map(drop)
    }

    /// Releases a lease that `owner` holds.
    async fn release_lease(&self, id: JobId, owner: Uuid) -> Result<(), ServiceError> {
        let update = self
            .update(id)
            .remove("lease_owner")
            .remove("lease_until")
            .condition("#lease_owner = :owner")
            .value("owner", text(owner));
        update.send(&self.client).await.map(drop)
    }
}
