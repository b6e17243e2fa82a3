//! Secrets of the deployment: read from Secrets Manager on first use, and cached.
//!
//! While Secrets Manager does not answer, an instance keeps the secret that it has. A secret that
//! is missing or invalid is not used any more.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client,
    error::{BoxError, DisplayErrorContext},
    operation::get_secret_value::GetSecretValueError as Error,
};
use tokio::sync::Mutex;
use tracing::warn;

use crate::time::Timestamp;

/// How long a secret is cached, so how long a running instance may not have a new one.
const CACHE_TTL: Duration = Duration::from_mins(5);

/// How long an instance waits after a failed read while it has a secret.
const RETRY_INTERVAL: Duration = Duration::from_mins(1);

/// The label of the version before the current one.
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret, parsed from the text of its current version and perhaps of the one before.
pub trait Secret: Sized {
    /// Why a text is not one. Its message does not repeat the text.
    type Invalid: std::error::Error;

    /// Whether the previous version is read, too.
    const HAS_PREVIOUS: bool;

    /// Parses the versions. `previous` is `None` where there is none or it is not read.
    ///
    /// # Errors
    /// The current version is not a secret of this kind.
    fn parse(current: &str, previous: Option<&str>) -> Result<Self, Self::Invalid>;
}

/// The source of one secret of Secrets Manager.
#[derive(Debug)]
pub struct SecretSource<T> {
    client: Client,
    id: String,
    cache: Mutex<Option<CachedSecret<T>>>,
}

#[derive(Debug)]
struct CachedSecret<T> {
    secret: Arc<T>,
    read_at: Timestamp,
    /// The last read after it, which failed.
    failed_at: Option<Timestamp>,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager has no such secret.
    #[error("secret {id} does not exist")]
    Missing {
        /// The name or ARN of the secret.
        id: String,
    },
    /// It does not hold what it should.
    #[error("secret {id}: {problem}")]
    Invalid {
        /// The name or ARN of the secret.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Secrets Manager could not be reached, or refused the call.
    #[error("secret {id} could not be read: {}", DisplayErrorContext(&**cause))]
    Unavailable {
        /// The name or ARN of the secret.
        id: String,
        /// The error of the client, without the response, which could contain a secret.
        #[source]
        cause: BoxError,
    },
}

impl<T: Secret> SecretSource<T> {
    /// Makes a source that reads a secret, by its name or ARN, on first use, and again after 5
    /// minutes.
    #[must_use]
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        Self { client, id: id.into(), cache: Mutex::default() }
    }

    /// Makes a source that has this secret and reads none for as long as it is cached.
    #[cfg(test)]
    pub(crate) fn given(secret: T) -> Self {
        let secret = Arc::new(secret);
        let cached = CachedSecret { secret, read_at: Timestamp::now(), failed_at: None };
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .build();
        Self { cache: Mutex::new(Some(cached)), ..Self::new(Client::new(&config), "given") }
    }

    /// Returns the secret, as it was at most 5 minutes ago.
    ///
    /// # Errors
    /// There is none.
    pub async fn get(&self, now: Timestamp) -> Result<Arc<T>, SecretError> {
        self.get_within(CACHE_TTL, now).await
    }

    /// Returns the secret, as it was at most `max_age` ago.
    ///
    /// # Errors
    /// There is none.
    pub async fn get_within(
        &self,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<Arc<T>, SecretError> {
        // Locked while the secret is read, so that concurrent requests read it once.
        let mut cache = self.cache.lock().await;
        if let Some(cached) = cache.as_ref().filter(|cached| cached.is_usable(max_age, now)) {
            return Ok(cached.secret.clone());
        }
        match (self.read().await, &mut *cache) {
            (Ok(secret), cache) => {
                let secret = Arc::new(secret);
                let cached = CachedSecret { secret: secret.clone(), read_at: now, failed_at: None };
                *cache = Some(cached);
                Ok(secret)
            }
            (Err(cause @ SecretError::Unavailable { .. }), Some(cached)) => {
                warn!(%cause, "Secret unavailable: the cached one stays in use");
                cached.failed_at = Some(now);
                Ok(cached.secret.clone())
            }
            (Err(error), cache) => {
                *cache = None;
                Err(error)
            }
        }
    }

    async fn read(&self) -> Result<T, SecretError> {
        let previous =
            async { if T::HAS_PREVIOUS { self.version(Some(PREVIOUS)).await } else { Ok(None) } };
        let (current, previous) = tokio::try_join!(self.version(None), previous)?;
        let current = current.ok_or_else(|| SecretError::Missing { id: self.id.clone() })?;
        T::parse(&current, previous.as_deref()).map_err(|error| SecretError::Invalid {
            id: self.id.clone(),
            problem: error.to_string(),
        })
    }

    /// Reads the version with a label, the current one by default. `None`: there is none.
    async fn version(&self, label: Option<&str>) -> Result<Option<String>, SecretError> {
        let id = self.id.clone();
        let get = self.client.get_secret_value().secret_id(&id);
        match get.set_version_stage(label.map(str::to_owned)).send().await {
            Ok(response) => Ok(Some(response.secret_string.unwrap_or_default())),
            Err(error)
                if error.as_service_error().is_some_and(Error::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => {
                let cause = error.into_source().unwrap_or_else(Into::into);
                Err(SecretError::Unavailable { id, cause })
            }
        }
    }
}

impl<T> CachedSecret<T> {
    fn is_usable(&self, max_age: Duration, now: Timestamp) -> bool {
        // A clock that was set back says nothing about an age.
        let is_within = |since: Timestamp, time: Duration| since <= now && now < since.plus(time);
        is_within(self.read_at, max_age)
            || self.failed_at.is_some_and(|failed_at| is_within(failed_at, RETRY_INTERVAL))
    }
}

#[cfg(test)]
mod tests;
