//! Having a company's figures computed, so that who asks for them later need not wait. Those that hold still are left as they are.

use serde::{Deserialize, Serialize};

use super::{Attempt, Failed};
use crate::company::{AskError, Companies, CompanyId, Figures, How, Kind};

/// A company's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// Whose.
    pub company_id: CompanyId,
    /// Which.
    pub kind: Kind,
}

impl Refresh {
    pub async fn perform(&self, attempt: Attempt<'_>, companies: &Companies) -> Result<String, Failed> {
        let figures = Figures { company: self.company_id.clone(), kind: self.kind };
        match companies.ask(figures, attempt.now).await {
            Ok(asked) => Ok(match asked.how {
                How::Computed => "computed",
                How::Joined => "computed for another",
                How::Cached => "there already",
            }
            .to_owned()),
            // It may have been told of a moment ago.
            Err(AskError::CompanyNotFound(id)) => {
                Err(Failed::ForNow { cause: format!("COMPANY_NOT_FOUND: {id}"), pause: None })
            }
            Err(AskError::Failed(cause)) => Err(Failed::ForNow { cause, pause: None }),
            Err(AskError::TakesLonger) => {
                Err(Failed::ForNow { cause: "FIGURES_NOT_READY: they are still computed".to_owned(), pause: None })
            }
            Err(AskError::Service(cause)) => Err(Failed::passing(&cause)),
        }
    }
}
