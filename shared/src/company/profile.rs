//! A company, as it is told to us.

use serde::{Deserialize, Serialize};

use crate::{
    ledger::MerchantId,
    time::Timestamp,
    validated::{Bounded, Text},
};

/// A company is a merchant of the ledger.
pub type CompanyId = MerchantId;

/// `PUT /companies/{id}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// Up to 200 characters.
    pub name: Text<200>,
    /// Up to ten million.
    pub employees: Bounded<0, 10_000_000>,
}

/// A company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its name in the ledger.
    pub id: CompanyId,
    /// What was told of it.
    #[serde(flatten)]
    pub profile: NewProfile,
    /// When it was told last.
    pub updated_at: Timestamp,
}
