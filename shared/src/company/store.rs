//! Companies as items.

use aws_sdk_dynamodb::Client;

use super::{Companies, CompanyId, NewProfile, Profile};
use crate::{
    aws::ServiceError,
    dynamo::{get, keyed, keys},
    time::Timestamp,
};

/// The table, and the client that reaches it.
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

    /// The company, consistently: one read unit.
    pub async fn profile(&self, id: &CompanyId) -> Result<Option<Profile>, ServiceError> {
        self.get(&id.to_string()).await
    }

    async fn get(&self, id: &str) -> Result<Option<Profile>, ServiceError> {
        get(&self.client, &self.table, keys::company(id)).await
    }

    /// Writes the company, or writes it again: one write unit a kilobyte.
    pub async fn put(&self, profile: &Profile) -> Result<(), ServiceError> {
        let item = keyed(keys::company(&profile.id.to_string()), profile)?;
        self.client.put_item().table_name(&self.table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

impl Companies {
    /// What is told of a company from now on. Figures that were computed before hold until they expire.
    pub async fn put(
        &self,
        id: CompanyId,
        profile: NewProfile,
        now: Timestamp,
    ) -> Result<Profile, ServiceError> {
        let profile = Profile { id, profile, updated_at: now };
        self.0.store.put(&profile).await?;
        self.0.memory.learn_of(&profile.id);
        Ok(profile)
    }

    /// The company.
    pub async fn get(&self, id: &CompanyId) -> Result<Option<Profile>, ServiceError> {
        self.0.store.profile(id).await
    }
}
