//! The actions of jobs. A new one is a file of its own, and a line in each `match` below.

mod company;
mod settlement;
mod webhook;

use std::time::Duration;

use serde::Serialize;

use super::occurrence::Occurrence;
use crate::{
    company::Companies,
    json::{FieldError, FromJson, Object, Value},
    settlement::Settlement,
    time::Timestamp,
    webhook::{Guard, Webhooks},
};

pub use self::{company::FiguresRefresh, settlement::SettlementStart, webhook::WebhookCall};

/// The action of a job: `{"type":"webhook","url":…,"body":…}`,
/// `{"type":"settlement","range":"yesterday"}` or
/// `{"type":"company","company_id":…,"kind":"sales"}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Action {
    /// Calls a webhook.
    Webhook(WebhookCall),
    /// Starts a settlement.
    Settlement(SettlementStart),
    /// Refreshes a company's figures.
    Company(FiguresRefresh),
}

/// The features that actions use.
#[derive(Debug, Clone, Copy)]
pub struct ActionContext<'a> {
    /// The sender of webhooks.
    pub webhooks: &'a Webhooks,
    /// Settlements.
    pub settlement: &'a Settlement,
    /// Companies.
    pub companies: &'a Companies,
}

/// One attempt at a run.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The occurrence.
    pub occurrence: &'a Occurrence,
    /// The job's name.
    pub name: &'a str,
    /// When it starts.
    pub now: Timestamp,
}

/// Why an attempt failed.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// A later attempt may succeed.
    Retryable {
        /// The cause, in one line.
        cause: String,
        /// The shortest time until the next attempt that the receiver accepts.
        retry_after: Option<Duration>,
    },
    /// No attempt can succeed, for this cause.
    Permanent(String),
}

impl Failure {
    /// A failure that does not limit the time until the next attempt.
    fn retryable(cause: impl Into<String>) -> Self {
        Self::Retryable { cause: cause.into(), retry_after: None }
    }

    /// The failure of a service, which is retryable. Its details are logged, not stored.
    fn service(cause: &impl std::fmt::Display) -> Self {
        tracing::warn!(%cause, "Action failed: a service is unavailable");
        Self::retryable("SERVICE_UNAVAILABLE: a service did not answer")
    }
}

impl Action {
    const KINDS: [&str; 3] = ["webhook", "settlement", "company"];

    /// Performs the action, and returns its result in one line.
    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        context: ActionContext<'_>,
    ) -> Result<String, Failure> {
        // Boxed: each future is as large as the feature that it calls.
        match self {
            Self::Webhook(call) => Box::pin(call.perform(attempt, context.webhooks)).await,
            Self::Settlement(start) => Box::pin(start.perform(attempt, context.settlement)).await,
            Self::Company(refresh) => Box::pin(refresh.perform(attempt, context.companies)).await,
        }
    }

    /// Rejects an action that must not be performed.
    pub fn check(&self, guard: Guard) -> Result<(), FieldError> {
        match self {
            Self::Webhook(call) => call.check(guard),
            Self::Settlement(_) | Self::Company(_) => Ok(()),
        }
    }
}

impl FromJson for Action {
    fn from_json(value: Value<'_>) -> Result<Self, FieldError> {
        let mut action = Object::read(value)?;
        match action.kind()?.as_str() {
            "webhook" => WebhookCall::read(action).map(Self::Webhook),
            "settlement" => action.rest().map(Self::Settlement),
            "company" => action.rest().map(Self::Company),
            unknown => Err(Object::unknown_kind(unknown, &Self::KINDS)),
        }
    }
}
