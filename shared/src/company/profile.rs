//! Company profiles.

use serde::{Deserialize, Serialize};

use crate::{
    ledger::MerchantId,
    time::Timestamp,
    validated::{Bounded, Text},
};

/// Id of a company: it is a merchant of the ledger.
pub type CompanyId = MerchantId;

/// Body of `PUT /companies/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// Name, up to 200 characters.
    pub name: Text<200>,
    /// Number of employees, up to ten million.
    pub employees: Bounded<0, 10_000_000>,
}

/// Profile of a company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The company's id in the ledger.
    pub id: CompanyId,
    /// The profile's fields, as the last `PUT` set them.
    #[serde(flatten)]
    pub profile: NewProfile,
    /// Time of the last `PUT`.
    pub updated_at: Timestamp,
}
