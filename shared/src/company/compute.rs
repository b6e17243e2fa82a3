//! The worker: takes over claimed figures, finds or computes the company's base, and records the
//! result.

use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{
    Companies, CompanyId, Inner, Profile,
    base::BaseError,
    figures::{EmployeeFigures, FinancialFigures, SalesFigures},
    message::Message,
    query::{FiguresKey, Kind},
    sums::Base,
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Fence, LeaseLost, Outcome},
    dynamo::keys::{self, Key},
    ledger::TooLarge,
    sqs::Delivery,
    time::{Clock, Day, Timestamp},
};

/// Number of days of the ledger that figures cover, including today.
pub const DAYS: i64 = 30;

/// How long a worker is presumed alive without a renewal.
const LEASE: Duration = Duration::from_secs(15);

/// Interval at which a worker checks whether another worker has computed the base.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Why a message is redelivered.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// This release cannot parse the message.
    #[error("invalid message: {0}")]
    InvalidMessage(#[from] serde_json::Error),
    /// The store failed before the work was taken over, or did not record its outcome.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Error of a computation. It is recorded as the outcome, so all waiting callers get it.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Failure(String);

/// Body of a response with figures.
#[derive(Serialize)]
struct FiguresBody<'a> {
    company_id: &'a CompanyId,
    name: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
    from: Day,
    to: Day,
    computed_at: Timestamp,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Figures {
    Financials(FinancialFigures),
    Sales(SalesFigures),
    Employee(EmployeeFigures),
}

impl Companies {
    /// Computes the figures of a message, unless they are computed or another worker has taken
    /// them over.
    pub async fn compute(&self, delivery: &Delivery, now: Timestamp) -> Result<(), ComputeError> {
        let message: Message = serde_json::from_str(&delivery.body)?;
        Box::pin(self.0.compute(&message.into(), Clock::starting(now))).await
    }
}

impl Inner {
    async fn compute(&self, key: &FiguresKey, clock: Clock) -> Result<(), ComputeError> {
        let claim_key = key.claim_key();
        let takeover = self.claims.take_over(claim_key.clone(), Uuid::now_v7(), LEASE, clock.now());
        let Some(fence) = takeover.await? else { return Ok(()) };
        let lease = self.claims.guard(claim_key, fence, LEASE, clock);
        let Ok(result) = lease.run_while_held(Box::pin(self.figures(key, clock))).await else {
            warn!(company = %key.company, kind = key.kind.name(), "Figures lease lost");
            return Ok(());
        };
        let (outcome, lifetime) = match result {
            Ok(body) => (Outcome::Done(body), self.settings.api_ttl),
            Err(Failure(cause)) => (Outcome::Failed(cause), self.settings.failure_ttl),
        };
        if lease.finish(&outcome, lifetime).await?.is_ok() {
            info!(company = %key.company, kind = key.kind.name(), "Figures computed");
            metrics::counter!("FiguresComputed").increment(1);
        }
        Ok(())
    }

    async fn figures(&self, key: &FiguresKey, clock: Clock) -> Result<String, Failure> {
        let company = &key.company;
        let profile = self.store.profile(company).await.map_err(unavailable)?;
        let profile = profile.ok_or_else(|| Failure("the company no longer exists".to_owned()))?;
        let base = self.base(company, clock).await?;
        body(&profile, key.kind, &base, clock.now())
            .map_err(|cause| Failure(format!("FIGURES_TOO_LARGE: {cause}")))
    }

    /// Returns the company's base: one that is recorded, or that another worker is computing, or
    /// else one that it claims and computes.
    async fn base(&self, company: &CompanyId, clock: Clock) -> Result<Base, Failure> {
        let key = keys::base(&company.to_string());
        loop {
            let now = clock.now();
            // A read costs a fraction of a rejected claim.
            let record = self.claims.read(key.clone()).await.map_err(unavailable)?;
            let Some(record) = record.filter(|record| record.is_occupied(now)) else {
                let claim = self.claims.claim(key.clone(), Uuid::now_v7(), LEASE, now).await;
                if let Claim::Acquired(fence) = claim.map_err(unavailable)?
                    && let Ok(base) = self.record_base(company, key.clone(), fence, clock).await
                {
                    return base;
                }
                continue;
            };
            match record.fresh(now).map(|completion| &completion.outcome) {
                Some(Outcome::Done(base)) => return decode(base),
                Some(Outcome::Failed(cause)) => return Err(Failure(cause.clone())),
                None => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Computes a claimed base, and records it for all workers that wait for it.
    async fn record_base(
        &self,
        company: &CompanyId,
        key: Key,
        fence: Fence,
        clock: Clock,
    ) -> Result<Result<Base, Failure>, LeaseLost> {
        let lease = self.claims.guard(key, fence, LEASE, clock);
        let base = lease.run_while_held(self.compute_base(company, clock.now())).await?;
        let (outcome, lifetime) = match &base {
            Ok(base) => (Outcome::Done(encode(base)), self.settings.base_ttl),
            Err(Failure(cause)) => (Outcome::Failed(cause.clone()), self.settings.failure_ttl),
        };
        match lease.finish(&outcome, lifetime).await {
            Ok(recorded) => recorded?,
            Err(cause) => return Ok(Err(unavailable(cause))),
        }
        metrics::counter!("BasesComputed").increment(1);
        Ok(base)
    }

    async fn compute_base(&self, company: &CompanyId, now: Timestamp) -> Result<Base, Failure> {
        let today = Day::of(now);
        let days = (1 - DAYS..=0).map(move |offset| today.plus(offset));
        self.ledger().base(company, days).await.map_err(|cause| match cause {
            BaseError::Store(cause) => unavailable(cause),
            BaseError::InvalidEntry(cause) => Failure(format!("LEDGER_UNREADABLE: {cause}")),
            BaseError::TooLarge(cause) => Failure(format!("FIGURES_TOO_LARGE: {cause}")),
        })
    }
}

/// Logs the cause. Callers get a general error.
#[expect(clippy::needless_pass_by_value, reason = "map_err passes it by value")]
fn unavailable(cause: ServiceError) -> Failure {
    error!(%cause, "Computation failed");
    Failure("STORE_UNAVAILABLE: the store did not answer".to_owned())
}

fn encode(base: &Base) -> String {
    serde_json::to_string(base).expect("string keys and integers")
}

fn decode(base: &str) -> Result<Base, Failure> {
    serde_json::from_str(base).map_err(|cause| unavailable(ServiceError::permanent(cause)))
}

fn body(
    profile: &Profile,
    kind: Kind,
    base: &Base,
    computed_at: Timestamp,
) -> Result<String, TooLarge> {
    let figures = match kind {
        Kind::Financials => Figures::Financials(base.financials()?),
        Kind::Sales => Figures::Sales(base.sales()?),
        Kind::Employee => Figures::Employee(base.employees(profile.profile.employees.get())?),
    };
    let today = Day::of(computed_at);
    let (from, to) = (base.days.keys().next().copied(), base.days.keys().next_back().copied());
    let body = FiguresBody {
        company_id: &profile.id,
        name: profile.profile.name.as_ref(),
        kind,
        from: from.unwrap_or(today),
        to: to.unwrap_or(today),
        computed_at,
        figures,
    };
    Ok(serde_json::to_string(&body).expect("string keys and integers"))
}
