//! Asking for figures: from memory, from the table, or by waiting for them with all others.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Companies, CompanyId, singleflight::Resolved};
use crate::{
    aws::ServiceError,
    dynamo::keys::{self, Key},
    time::{Clock, Timestamp},
};

/// Which figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What came in, and what is left of it.
    Financials,
    /// What was sold, and when.
    Sales,
    /// What each employee stands for.
    Employee,
}

impl Kind {
    /// As keys and paths spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Financials => "financials",
            Self::Sales => "sales",
            Self::Employee => "employee",
        }
    }
}

/// Which figures of which company.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FiguresKey {
    /// The company.
    pub company: CompanyId,
    /// The figures.
    pub kind: Kind,
}

impl FiguresKey {
    /// Where their claim is.
    #[must_use]
    pub fn key(&self) -> Key {
        keys::figures(&self.company.to_string(), self.kind.name())
    }
}

/// Figures as they were computed: the same for everybody until they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// A JSON object.
    pub body: String,
    /// When.
    pub computed_at: Timestamp,
    /// Until when they hold.
    pub expires_at: Timestamp,
}

/// How an answer came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// This request has asked for the work.
    Miss,
    /// Another one had.
    Collapsed,
    /// It was there.
    Hit,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The figures.
    pub answer: Arc<Answer>,
    /// How they came about.
    pub status: CacheStatus,
}

/// Why there are no figures.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FiguresError {
    /// No company has this id.
    #[error("company {0} does not exist")]
    CompanyNotFound(CompanyId),
    /// The work was done and has failed.
    #[error("{0}")]
    Failed(String),
    /// The work goes on.
    #[error("the figures are not ready yet")]
    TimedOut,
    /// A service failed.
    #[error(transparent)]
    Service(#[from] Arc<ServiceError>),
}

impl Companies {
    /// The figures, within the time that a caller waits.
    pub async fn figures(
        &self,
        figures: FiguresKey,
        now: Timestamp,
    ) -> Result<Response, FiguresError> {
        if let Some(answer) = self.0.memory.fresh(&figures, now) {
            return Ok(Response { answer, status: CacheStatus::Hit });
        }
        if self.0.memory.is_unknown(&figures.company, now) {
            return Err(FiguresError::CompanyNotFound(figures.company));
        }
        let wait = self.wait();
        let (poll, own) = self.poll(figures, Clock::starting(now));
        let Resolved { answer, at_once, won } =
            timeout(wait, poll.ended()).await.map_err(|_| FiguresError::TimedOut)??;
        let status = match (at_once, own && won) {
            (true, _) => CacheStatus::Hit,
            (false, true) => CacheStatus::Miss,
            (false, false) => CacheStatus::Collapsed,
        };
        Ok(Response { answer, status })
    }

    fn wait(&self) -> Duration {
        self.0.settings.wait
    }
}
