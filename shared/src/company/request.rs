//! Asking for figures: from memory, from the table, or by waiting for them with all others.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{Companies, CompanyId, poll::Found};
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
pub struct Figures {
    /// The company.
    pub company: CompanyId,
    /// The figures.
    pub kind: Kind,
}

impl Figures {
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
pub enum How {
    /// This request has asked for the work.
    Computed,
    /// Another one had.
    Joined,
    /// It was there.
    Cached,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The figures.
    pub answer: Arc<Answer>,
    /// How they came about.
    pub how: How,
}

/// Why there are no figures.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AskError {
    /// No company has this id.
    #[error("company {0} does not exist")]
    CompanyNotFound(CompanyId),
    /// The work was done and has failed.
    #[error("{0}")]
    Failed(String),
    /// The work goes on.
    #[error("the figures are not ready yet")]
    TakesLonger,
    /// A service failed.
    #[error(transparent)]
    Service(#[from] Arc<ServiceError>),
}

impl Companies {
    /// The figures, within the time that a caller waits.
    pub async fn ask(&self, figures: Figures, now: Timestamp) -> Result<Asked, AskError> {
        if let Some(answer) = self.0.memory.fresh(&figures, now) {
            return Ok(Asked { answer, how: How::Cached });
        }
        if self.0.memory.is_unknown(&figures.company, now) {
            return Err(AskError::CompanyNotFound(figures.company));
        }
        let wait = self.wait();
        let (poll, own) = self.poll(figures, Clock::starting(now));
        let Found { answer, at_once, won } = timeout(wait, poll.ended()).await.map_err(|_| AskError::TakesLonger)??;
        let how = match (at_once, own && won) {
            (true, _) => How::Cached,
            (false, true) => How::Computed,
            (false, false) => How::Joined,
        };
        Ok(Asked { answer, how })
    }

    fn wait(&self) -> Duration {
        self.0.settings.wait
    }
}
