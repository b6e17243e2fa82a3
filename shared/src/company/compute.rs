//! Computing figures: the worker takes what was claimed, gets the company's base, and records what it comes to.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tracing::{error, info, warn};
use uuid::Uuid;

use super::{
    Companies, CompanyId, Inner, Profile,
    base::BaseError,
    figures::{Base, EmployeeFigures, FinancialFigures, SalesFigures},
    query::{FiguresKey, Kind},
};
use crate::{
    aws::ServiceError,
    claim::{Claim, Fence, LeaseLost, Outcome},
    dynamo::keys::{self, Key},
    ledger::TooLarge,
    sqs::Delivery,
    time::{Clock, Day, Timestamp},
};

/// Days of the ledger that figures tell of, today included.
pub const DAYS: i64 = 30;

/// How long a worker is taken to be alive without a sign.
const LEASE: Duration = Duration::from_secs(15);

/// How often a worker looks whether another has the base ready.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What the queue holds: figures that were claimed, and are to be computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    company: CompanyId,
    kind: Kind,
}

impl From<&FiguresKey> for Message {
    fn from(figures: &FiguresKey) -> Self {
        Self { company: figures.company.clone(), kind: figures.kind }
    }
}

/// Why a message is to come again.
#[derive(Debug, thiserror::Error)]
pub enum ComputeError {
    /// It says nothing that this release understands.
    #[error("the message cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The store failed before the work was taken, or did not take what came of it.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Why there are no figures. Everybody who waits is told.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

/// Figures, as they are answered.
#[derive(Serialize)]
struct Body<'a> {
    company_id: &'a CompanyId,
    name: &'a str,
    #[serde(rename = "type")]
    kind: Kind,
    from: Day,
    to: Day,
    computed_at: Timestamp,
    #[serde(flatten)]
    figures: Computed,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Computed {
    Financials(FinancialFigures),
    Sales(SalesFigures),
    Employee(EmployeeFigures),
}

impl Companies {
    /// Does what a message says, if nobody does it yet.
    pub async fn compute(&self, delivery: &Delivery, now: Timestamp) -> Result<(), ComputeError> {
        let Message { company, kind } = serde_json::from_str(&delivery.body)?;
        Box::pin(self.0.compute(&FiguresKey { company, kind }, Clock::starting(now))).await
    }
}

impl Inner {
    async fn compute(&self, figures: &FiguresKey, clock: Clock) -> Result<(), ComputeError> {
        let key = figures.key();
        let Some(fence) = self.claims.take(key.clone(), Uuid::now_v7(), LEASE, clock.now()).await?
        else {
            return Ok(());
        };
        let held = self.claims.hold(key, fence, LEASE, clock);
        let Ok(done) = held.run_while_held(Box::pin(self.figures(figures, clock))).await else {
            warn!(company = %figures.company, kind = figures.kind.name(), "Another worker has taken the figures up");
            return Ok(());
        };
        let (outcome, lifetime) = match done {
            Ok(body) => (Outcome::Done(body), self.settings.api_ttl),
            Err(Failed(cause)) => (Outcome::Failed(cause), self.settings.failure_ttl),
        };
        if held.finish(&outcome, lifetime).await?.is_ok() {
            info!(company = %figures.company, kind = figures.kind.name(), "Computed figures");
            metrics::counter!("FiguresComputed").increment(1);
        }
        Ok(())
    }

    async fn figures(&self, figures: &FiguresKey, clock: Clock) -> Result<String, Failed> {
        let company = &figures.company;
        let profile = self.store.profile(company).await.map_err(unavailable)?;
        let profile =
            profile.ok_or_else(|| Failed("the company does not exist any more".to_owned()))?;
        let base = self.base(company, clock).await?;
        body(&profile, figures.kind, &base, clock.now())
            .map_err(|cause| Failed(format!("FIGURES_TOO_LARGE: {cause}")))
    }

    /// The company's base: found, waited for, or computed.
    async fn base(&self, company: &CompanyId, clock: Clock) -> Result<Base, Failed> {
        let key = keys::base(&company.to_string());
        loop {
            let now = clock.now();
            // To look costs a fraction of a claim that is refused.
            let seen = self.claims.read(key.clone()).await.map_err(unavailable)?;
            let Some(seen) = seen.filter(|seen| seen.stands(now)) else {
                let claimed = self.claims.claim(key.clone(), Uuid::now_v7(), LEASE, now).await;
                if let Claim::Acquired(fence) = claimed.map_err(unavailable)?
                    && let Ok(base) = self.record_base(company, key.clone(), fence, clock).await
                {
                    return base;
                }
                continue;
            };
            match seen.fresh(now).map(|finished| &finished.outcome) {
                Some(Outcome::Done(base)) => return read(base),
                Some(Outcome::Failed(cause)) => return Err(Failed(cause.clone())),
                None => sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Computes a base that was claimed, and records it for all who wait for it.
    async fn record_base(
        &self,
        company: &CompanyId,
        key: Key,
        fence: Fence,
        clock: Clock,
    ) -> Result<Result<Base, Failed>, LeaseLost> {
        let held = self.claims.hold(key, fence, LEASE, clock);
        let base = held.run_while_held(self.compute_base(company, clock.now())).await?;
        let (outcome, lifetime) = match &base {
            Ok(base) => (Outcome::Done(written(base)), self.settings.base_ttl),
            Err(Failed(cause)) => (Outcome::Failed(cause.clone()), self.settings.failure_ttl),
        };
        match held.finish(&outcome, lifetime).await {
            Ok(finished) => finished?,
            Err(cause) => return Ok(Err(unavailable(cause))),
        }
        metrics::counter!("BasesComputed").increment(1);
        Ok(base)
    }

    async fn compute_base(&self, company: &CompanyId, now: Timestamp) -> Result<Base, Failed> {
        let today = Day::of(now);
        let days = (1 - DAYS..=0).map(move |days| today.plus(days));
        self.ledger().base(company, days).await.map_err(|cause| match cause {
            BaseError::Store(cause) => unavailable(cause),
            BaseError::Unreadable(cause) => Failed(format!("LEDGER_UNREADABLE: {cause}")),
            BaseError::TooLarge(cause) => Failed(format!("FIGURES_TOO_LARGE: {cause}")),
        })
    }
}

/// The log has the cause; callers are told no more than that it may pass.
#[expect(clippy::needless_pass_by_value, reason = "as map_err gives it")]
fn unavailable(cause: ServiceError) -> Failed {
    error!(%cause, "FiguresKey could not be computed");
    Failed("STORE_UNAVAILABLE: the store did not answer".to_owned())
}

fn written(base: &Base) -> String {
    serde_json::to_string(base).expect("text keys and whole numbers")
}

fn read(base: &str) -> Result<Base, Failed> {
    serde_json::from_str(base).map_err(|cause| unavailable(ServiceError::permanent(cause)))
}

fn body(
    profile: &Profile,
    kind: Kind,
    base: &Base,
    computed_at: Timestamp,
) -> Result<String, TooLarge> {
    let figures = match kind {
        Kind::Financials => Computed::Financials(base.financials()?),
        Kind::Sales => Computed::Sales(base.sales()?),
        Kind::Employee => Computed::Employee(base.employees(profile.profile.employees.get())?),
    };
    let today = Day::of(computed_at);
    let (from, to) = (base.days.keys().next().copied(), base.days.keys().next_back().copied());
    let body = Body {
        company_id: &profile.id,
        name: profile.profile.name.as_ref(),
        kind,
        from: from.unwrap_or(today),
        to: to.unwrap_or(today),
        computed_at,
        figures,
    };
    Ok(serde_json::to_string(&body).expect("text keys and whole numbers"))
}
