//! Requests for figures and their responses: kinds, keys, answers and errors.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::CompanyId;
use crate::{
    aws::ServiceError,
    dynamo::keys::{self, Key},
    time::Timestamp,
};

/// Kind of figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Gross, fees, net and margin.
    Financials,
    /// Number of sales, average ticket, best day and trend.
    Sales,
    /// Revenue and sales per employee.
    Employee,
}

impl Kind {
    /// Returns the kind's name in keys and paths.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Financials => "financials",
            Self::Sales => "sales",
            Self::Employee => "employee",
        }
    }
}

/// Key of figures: a company and a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FiguresKey {
    /// The company.
    pub company: CompanyId,
    /// The kind of figures.
    pub kind: Kind,
}

impl FiguresKey {
    /// Returns the key of the figures' claim.
    #[must_use]
    pub fn claim_key(&self) -> Key {
        keys::figures(&self.company.to_string(), self.kind.name())
    }
}

/// Computed figures: the same bytes for all callers until they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A JSON object.
    pub body: String,
    /// Time of the computation.
    pub computed_at: Timestamp,
    /// End of their lifetime.
    pub expires_at: Timestamp,
}

/// How a response was obtained, in the terms of RFC 9211.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// This request started the computation.
    Miss,
    /// Another request had started it, and this one waited for its result.
    Collapsed,
    /// The result existed.
    Hit,
}

/// Response to a request for figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The figures.
    pub answer: Arc<Answer>,
    /// How they were obtained.
    pub status: CacheStatus,
}

/// Why a request got no figures.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FiguresError {
    /// The company has no profile.
    #[error("company {0} does not exist")]
    CompanyNotFound(CompanyId),
    /// The computation has failed, with this error.
    #[error("{0}")]
    Failed(String),
    /// The computation takes longer than the caller waits. It continues.
    #[error("the figures are still being computed: retry")]
    TimedOut,
    /// A service failed.
    #[error(transparent)]
    Service(#[from] Arc<ServiceError>),
}
