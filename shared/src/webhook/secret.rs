//! The source of the webhook secrets.

use std::{sync::Arc, time::Duration};

use aws_sdk_ssm::{
    Client,
    error::{BoxError, DisplayErrorContext},
    operation::get_parameter::GetParameterError,
};
use tokio::{sync::Mutex, time::Instant};

use super::{InvalidSecrets, Secrets};

/// How long a parameter is cached, so how long a running instance may not have a new secret.
const CACHE_TTL: Duration = Duration::from_mins(5);

/// The source of the secrets: given ones, or a parameter of Systems Manager.
#[derive(Debug)]
pub struct SecretSource(Source);

#[derive(Debug)]
enum Source {
    Given(Arc<Secrets>),
    Parameter { client: Client, name: String, cache: Mutex<Option<CachedSecrets>> },
}

#[derive(Debug)]
struct CachedSecrets {
    secrets: Arc<Secrets>,
    expires_at: Instant,
}

/// Why there are no secrets to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The parameter does not exist.
    #[error("parameter {name} does not exist")]
    Missing {
        /// The name of the parameter.
        name: String,
    },
    /// The parameter does not hold valid secrets.
    #[error("parameter {name}: {problem}")]
    Invalid {
        /// The name of the parameter.
        name: String,
        /// What is wrong with it.
        problem: InvalidSecrets,
    },
    /// Systems Manager could not be reached, or refused the call.
    #[error("parameter {name} could not be read: {}", DisplayErrorContext(&**cause))]
    Unavailable {
        /// The name of the parameter.
        name: String,
        /// The error of the client, without the response, which could contain a secret.
        #[source]
        cause: BoxError,
    },
}

impl SecretSource {
    /// Makes a source of fixed secrets.
    #[must_use]
    pub fn given(secrets: Secrets) -> Self {
        Self(Source::Given(Arc::new(secrets)))
    }

    /// Makes a source that reads and decrypts a parameter on first use, and again after 5 minutes.
    #[must_use]
    pub fn parameter(client: Client, name: impl Into<String>) -> Self {
        Self(Source::Parameter { client, name: name.into(), cache: Mutex::default() })
    }

    /// Returns the current secrets.
    pub async fn secrets(&self) -> Result<Arc<Secrets>, SecretError> {
        let (client, name, cache) = match &self.0 {
            Source::Given(secrets) => return Ok(secrets.clone()),
            Source::Parameter { client, name, cache } => (client, name, cache),
        };
        // Locked while the parameter is read, so that concurrent requests read it once.
        let mut cache = cache.lock().await;
        if let Some(cached) = cache.as_ref().filter(|cached| Instant::now() < cached.expires_at) {
            return Ok(cached.secrets.clone());
        }
        let secrets = Arc::new(read(client, name).await?);
        let expires_at = Instant::now() + CACHE_TTL;
        *cache = Some(CachedSecrets { secrets: secrets.clone(), expires_at });
        Ok(secrets)
    }
}

async fn read(client: &Client, name: &str) -> Result<Secrets, SecretError> {
    let response = client.get_parameter().name(name).with_decryption(true).send().await;
    let response = response.map_err(|cause| match cause.as_service_error() {
        Some(GetParameterError::ParameterNotFound(_)) => {
            SecretError::Missing { name: name.to_owned() }
        }
        _ => SecretError::Unavailable {
            name: name.to_owned(),
            cause: cause.into_source().unwrap_or_else(Into::into),
        },
    })?;
    let text = response.parameter().and_then(|parameter| parameter.value()).unwrap_or_default();
    text.parse().map_err(|problem| SecretError::Invalid { name: name.to_owned(), problem })
}

#[cfg(test)]
mod tests {
    use aws_config::{Region, SdkConfig};
    use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        aws::{self, Aws, Transport},
        webhook::receiver::Receiver,
    };

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    /// A Systems Manager that answers every call with `answer`, and a source that reads from it.
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
        let client = Aws::new(aws::configure(config)).ssm();
        (store, SecretSource::parameter(client, "/once/webhook-secret"))
    }

    #[tokio::test]
    async fn a_parameter_is_read_decrypted_and_cached_for_five_minutes() {
        let (store, source) = store(200, json!({"Parameter": {"Value": SECRET}})).await;
        for _ in 0..3 {
            source.secrets().await.expect("secrets");
        }
        let requests = store.requests();
        assert_eq!(requests.len(), 1);
        let (head, body) = requests[0].split_once("\r\n\r\n").expect("a request");
        assert!(head.contains("AmazonSSM.GetParameter"), "{head}");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(body, json!({"Name": "/once/webhook-secret", "WithDecryption": true}));

        tokio::time::pause();
        tokio::time::advance(CACHE_TTL).await;
        tokio::time::resume();
        source.secrets().await.expect("secrets");
        assert_eq!(store.requests().len(), 2);
    }

    #[tokio::test]
    async fn concurrent_requests_read_the_parameter_once() {
        let (store, source) = store(200, json!({"Parameter": {"Value": SECRET}})).await;
        let (one, other) = tokio::join!(source.secrets(), source.secrets());
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(store.requests().len(), 1);
    }

    #[tokio::test]
    async fn an_error_says_whether_the_parameter_is_missing_invalid_or_unavailable() {
        for (status, answer, message) in [
            (
                400,
                json!({"__type": "ParameterNotFound"}),
                "parameter /once/webhook-secret does not exist",
            ),
            (
                200,
                json!({"Parameter": {"Value": "hunter2"}}),
                "parameter /once/webhook-secret: secret 1: must be whsec_ followed by base64",
            ),
            (200, json!({"Parameter": {}}), "parameter /once/webhook-secret: contains no secret"),
            (
                400,
                json!({"__type": "AccessDeniedException", "message": "no"}),
                "parameter /once/webhook-secret could not be read: ",
            ),
        ] {
            let (_store, source) = store(status, answer).await;
            let error = source.secrets().await.expect_err(message).to_string();
            assert!(error.starts_with(message) && !error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_not_cached() {
        let (store, source) = store(400, json!({"__type": "ParameterNotFound"})).await;
        for reads in 1..=2 {
            assert!(source.secrets().await.is_err());
            assert_eq!(store.requests().len(), reads);
        }
    }
}
