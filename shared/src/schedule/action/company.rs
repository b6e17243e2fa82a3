//! Having a company's figures computed, so that who asks for them later need not wait. Those that hold still are left as they are.

use serde::{Deserialize, Serialize};

use super::{Attempt, Failed};
use crate::company::{CacheStatus, Companies, CompanyId, FiguresError, FiguresKey, Kind};

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
    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        companies: &Companies,
    ) -> Result<String, Failed> {
        let figures = FiguresKey { company: self.company_id.clone(), kind: self.kind };
        match companies.figures(figures, attempt.now).await {
            Ok(asked) => Ok(match asked.status {
                CacheStatus::Miss => "computed",
                CacheStatus::Collapsed => "computed for another",
                CacheStatus::Hit => "there already",
            }
            .to_owned()),
            // It may have been told of a moment ago.
            Err(FiguresError::CompanyNotFound(id)) => {
                Err(Failed::ForNow { cause: format!("COMPANY_NOT_FOUND: {id}"), pause: None })
            }
            Err(FiguresError::Failed(cause)) => Err(Failed::ForNow { cause, pause: None }),
            Err(FiguresError::TimedOut) => Err(Failed::ForNow {
                cause: "FIGURES_NOT_READY: they are still computed".to_owned(),
                pause: None,
            }),
            Err(FiguresError::Service(cause)) => Err(Failed::passing(&cause)),
        }
    }
}
