//! The action that refreshes a company's figures, so that later requests do not wait for them.

use serde::{Deserialize, Serialize};

use super::{Attempt, Failure};
use crate::company::{CacheStatus, Companies, CompanyId, FiguresError, FiguresKey, Kind};

/// Computes figures of a company, unless the current ones have not expired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiguresRefresh {
    /// The company.
    pub company_id: CompanyId,
    /// The kind of figures.
    pub kind: Kind,
}

impl FiguresRefresh {
    pub async fn perform(
        &self,
        attempt: Attempt<'_>,
        companies: &Companies,
    ) -> Result<String, Failure> {
        let key = FiguresKey { company: self.company_id.clone(), kind: self.kind };
        match companies.figures(key, attempt.now).await {
            Ok(response) => Ok(match response.status {
                CacheStatus::Miss => "computed",
                CacheStatus::Collapsed => "computed for another",
                CacheStatus::Hit => "there already",
            }
            .to_owned()),
            // Retryable: its profile may just have been put.
            Err(FiguresError::CompanyNotFound(id)) => {
                Err(Failure::retryable(format!("COMPANY_NOT_FOUND: {id}")))
            }
            Err(FiguresError::Failed(cause)) => Err(Failure::retryable(cause)),
            Err(FiguresError::TimedOut) => {
                Err(Failure::retryable("FIGURES_NOT_READY: they are still computed"))
            }
            Err(FiguresError::Service(cause)) => Err(Failure::service(&cause)),
        }
    }
}
