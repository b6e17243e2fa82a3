//! The source of the webhook secrets.

use std::{sync::Arc, time::Duration};

use aws_sdk_secretsmanager::{
    Client,
    error::{BoxError, DisplayErrorContext},
    operation::get_secret_value::GetSecretValueError as Error,
};
use tokio::sync::Mutex;

use super::{InvalidSecrets, Secrets};
use crate::time::Timestamp;

/// How long a secret is cached, so how long a running instance may not have a new one.
const CACHE_TTL: Duration = Duration::from_mins(5);

/// The source of the secrets: one of Secrets Manager, which holds one or more to sign with.
#[derive(Debug)]
pub struct SecretSource {
    client: Client,
    id: String,
    cache: Mutex<Option<CachedSecrets>>,
}

#[derive(Debug)]
struct CachedSecrets {
    secrets: Arc<Secrets>,
    read_at: Timestamp,
}

/// Why there are no secrets to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager has no such secret.
    #[error("secret {id} does not exist")]
    Missing {
        /// The name or ARN of the secret.
        id: String,
    },
    /// It does not hold valid secrets.
    #[error("secret {id}: {problem}")]
    Invalid {
        /// The name or ARN of the secret.
        id: String,
        /// What is wrong with it.
        problem: InvalidSecrets,
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

impl SecretSource {
    /// Makes a source that reads a secret, by its name or ARN, on first use, and again after 5
    /// minutes.
    #[must_use]
    pub fn new(client: Client, id: impl Into<String>) -> Self {
        Self { client, id: id.into(), cache: Mutex::default() }
    }

    /// Makes a source that has read these secrets.
    #[cfg(test)]
    pub(crate) fn given(secrets: Secrets, read_at: Timestamp) -> Self {
        let cached = CachedSecrets { secrets: Arc::new(secrets), read_at };
        let config = aws_config::SdkConfig::builder()
            .behavior_version(aws_config::BehaviorVersion::latest())
            .build();
        Self { cache: Mutex::new(Some(cached)), ..Self::new(Client::new(&config), "given") }
    }

    /// Returns the current secrets.
    pub async fn secrets(&self, now: Timestamp) -> Result<Arc<Secrets>, SecretError> {
        // Locked while the secret is read, so that concurrent requests read it once.
        let mut cache = self.cache.lock().await;
        // By the wall clock, which goes on while an instance is frozen. A time of the future is
        // from before the clock was set back.
        if let Some(CachedSecrets { secrets, read_at }) = &*cache
            && (*read_at..read_at.plus(CACHE_TTL)).contains(&now)
        {
            return Ok(Arc::clone(secrets));
        }
        let secrets = Arc::new(self.read().await?);
        *cache = Some(CachedSecrets { secrets: Arc::clone(&secrets), read_at: now });
        Ok(secrets)
    }

    async fn read(&self) -> Result<Secrets, SecretError> {
        let id = self.id.clone();
        match self.client.get_secret_value().secret_id(&id).send().await {
            Ok(response) => {
                let text = response.secret_string().unwrap_or_default();
                text.parse().map_err(|problem| SecretError::Invalid { id, problem })
            }
            Err(error)
                if error.as_service_error().is_some_and(Error::is_resource_not_found_exception) =>
            {
                Err(SecretError::Missing { id })
            }
            Err(error) => {
                let cause = error.into_source().unwrap_or_else(Into::into);
                Err(SecretError::Unavailable { id, cause })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{Region, SdkConfig};
    use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        aws::{self, Aws, Transport},
        webhook::receiver::Receiver,
    };

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// Returns a number of seconds after the first read.
    fn time(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_216_800_000 + seconds * 1_000)
    }

    /// A Secrets Manager that answers every call with `answer`, and a source that reads from it.
    async fn store(status: u16, answer: Value) -> (Receiver, SecretSource) {
        let body = answer.to_string();
        let length = body.len();
        let store = Receiver::answering(format!(
            "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
        let config = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(Credentials::for_tests()))
            .http_client(Transport::new(Duration::from_secs(30)))
            .region(Region::new("eu-central-1"))
            .endpoint_url(store.url("/"))
            .build();
        let client = Aws::new(aws::configure(config)).secrets_manager();
        (store, SecretSource::new(client, "webhook-secret"))
    }

    #[tokio::test]
    async fn a_secret_is_read_once_and_cached_for_five_minutes() {
        let (store, source) = store(200, json!({"SecretString": SECRET})).await;
        for _ in 0..3 {
            source.secrets(time(0)).await.expect("secrets");
        }
        let requests = store.requests();
        assert_eq!(requests.len(), 1);
        let (head, body) = requests[0].split_once("\r\n\r\n").expect("a request");
        assert!(head.contains("secretsmanager.GetSecretValue"), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body, json!({"SecretId": "webhook-secret"}));

        source.secrets(time(299)).await.expect("secrets");
        assert_eq!(store.requests().len(), 1);
        source.secrets(time(300)).await.expect("secrets");
        assert_eq!(store.requests().len(), 2);
        source.secrets(time(0)).await.expect("secrets");
        assert_eq!(store.requests().len(), 3, "the clock was set back");
    }

    #[tokio::test]
    async fn concurrent_requests_read_the_secret_once() {
        let (store, source) = store(200, json!({"SecretString": SECRET})).await;
        let (one, other) = tokio::join!(source.secrets(time(0)), source.secrets(time(0)));
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(store.requests().len(), 1);
    }

    #[tokio::test]
    async fn an_error_says_whether_the_secret_is_missing_invalid_or_unavailable() {
        for (status, answer, message) in [
            (
                400,
                json!({"__type": "ResourceNotFoundException"}),
                "secret webhook-secret does not exist",
            ),
            (
                200,
                json!({"SecretString": "hunter2"}),
                "secret webhook-secret: secret 1: must be base64, alone or after whsec_",
            ),
            (200, json!({}), "secret webhook-secret: contains no secret"),
            (
                400,
                json!({"__type": "AccessDeniedException", "message": "no"}),
                "secret webhook-secret could not be read: ",
            ),
        ] {
            let (_store, source) = store(status, answer).await;
            let error = source.secrets(time(0)).await.expect_err(message).to_string();
            assert!(error.starts_with(message) && !error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_not_cached() {
        let (store, source) = store(400, json!({"__type": "ResourceNotFoundException"})).await;
        for reads in 1..=2 {
            assert!(source.secrets(time(0)).await.is_err());
            assert_eq!(store.requests().len(), reads);
        }
    }
}
