//! What a job does at its times. A new action is one file, and a line in each table below.

mod company;
mod settlement;
mod webhook;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::run::Occurrence;
use crate::{
    company::Companies,
    settlement::Settlement,
    tagged::{FieldError, Tagged},
    time::Timestamp,
    webhook::{Guard, Webhooks},
};

pub use self::{company::Refresh, settlement::Settle, webhook::Call};

/// What a job does: `{"type":"webhook","url":…,"body":…}`, `{"type":"settlement","range":"yesterday"}` or
/// `{"type":"company","company_id":…,"kind":"sales"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Tagged", tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Calls a receiver.
    Webhook(Call),
    /// Begins a settlement.
    Settlement(Settle),
    /// Has a company's figures computed.
    Company(Refresh),
}

/// What actions reach.
#[derive(Debug, Clone, Copy)]
pub struct ActionContext<'a> {
    /// The sender of webhooks.
    pub webhooks: &'a Webhooks,
    /// Settlements.
    pub settlement: &'a Settlement,
    /// Companies.
    pub companies: &'a Companies,
}

/// One attempt at an occurrence.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The occurrence.
    pub occurrence: &'a Occurrence,
    /// The job's name.
    pub name: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// Why an attempt has failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failed {
    /// It may succeed later, not before this pause is over.
    ForNow {
        /// In a line.
        cause: String,
        /// What the other side asked for.
        pause: Option<Duration>,
    },
    /// It will not.
    ForGood(String),
}

impl Failed {
    /// What a service's failure means: it passes.
    fn passing(cause: &impl std::fmt::Display) -> Self {
        tracing::warn!(%cause, "An action could not be done");
        Self::ForNow {
            cause: "SERVICE_UNAVAILABLE: a service did not answer".to_owned(),
            pause: None,
        }
    }
}

impl Action {
    const KINDS: [&str; 3] = ["webhook", "settlement", "company"];

    /// Does it. What has come of it, in a line.
    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        reach: ActionContext<'_>,
    ) -> Result<String, Failed> {
        // On the heap: each is as large as all that it may call.
        match self {
            Self::Webhook(call) => Box::pin(call.perform(attempt, reach.webhooks)).await,
            Self::Settlement(settle) => Box::pin(settle.perform(attempt, reach.settlement)).await,
            Self::Company(refresh) => Box::pin(refresh.perform(attempt, reach.companies)).await,
        }
    }

    /// Refuses what may never be done.
    pub fn check(&self, guard: Guard) -> Result<(), FieldError> {
        match self {
            Self::Webhook(call) => call.check(guard),
            Self::Settlement(_) | Self::Company(_) => Ok(()),
        }
    }
}

impl TryFrom<Tagged> for Action {
    type Error = FieldError;

    fn try_from(action: Tagged) -> Result<Self, FieldError> {
        match action.kind() {
            "webhook" => action.rest().map(Self::Webhook),
            "settlement" => action.rest().map(Self::Settlement),
            "company" => action.rest().map(Self::Company),
            _ => Err(action.unknown_type(&Self::KINDS)),
        }
    }
}
