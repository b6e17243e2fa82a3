//! Stores company profiles as items.

use aws_sdk_dynamodb::Client;

use super::{Companies, CompanyId, NewProfile, Profile};
use crate::{
    aws::ServiceError,
    dynamo::{get, keys, to_item},
    time::Timestamp,
};

/// The table of companies, and its client.
#[derive(Debug)]
pub struct Store {
    client: Client,
    table: String,
}

impl Store {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.get("-").await.map(drop)
    }

    /// Reads the profile, strongly consistent: one read unit.
    pub async fn profile(&self, id: &CompanyId) -> Result<Option<Profile>, ServiceError> {
        self.get(&id.to_string()).await
    }

    async fn get(&self, id: &str) -> Result<Option<Profile>, ServiceError> {
        get(&self.client, &self.table, keys::company(id)).await
    }

    /// Creates or replaces the profile: one write unit per kilobyte.
    pub async fn put(&self, profile: &Profile) -> Result<(), ServiceError> {
        let item = to_item(keys::company(&profile.id.to_string()), profile)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

impl Companies {
    /// Creates or replaces a company's profile and returns it. Figures that were computed before
    /// stay until they expire.
    pub async fn put(
        &self,
        id: CompanyId,
        profile: NewProfile,
        now: Timestamp,
    ) -> Result<Profile, ServiceError> {
        let profile = Profile { id, profile, updated_at: now };
        self.0.store.put(&profile).await?;
        self.0.cache.remove_missing(&profile.id);
        Ok(profile)
    }

    /// Returns a company's profile.
    pub async fn get(&self, id: &CompanyId) -> Result<Option<Profile>, ServiceError> {
        self.0.store.profile(id).await
    }
}
