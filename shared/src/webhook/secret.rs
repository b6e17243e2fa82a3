//! Where the secrets come from.

use std::{sync::Arc, time::Duration};

use aws_sdk_ssm::{
    Client,
    error::{BoxError, DisplayErrorContext},
    operation::get_parameter::GetParameterError,
};
use tokio::{sync::Mutex, time::Instant};

use super::{InvalidSecrets, Secrets};

/// How long a parameter is remembered: for so long a new secret may be unknown to an instance that runs.
const REMEMBERED: Duration = Duration::from_mins(5);

/// Where the secrets come from.
#[derive(Debug)]
pub struct SecretSource(Source);

#[derive(Debug)]
enum Source {
    Given(Arc<Secrets>),
    Parameter { client: Client, name: String, seen: Mutex<Option<CachedSecrets>> },
}

#[derive(Debug)]
struct CachedSecrets {
    secrets: Arc<Secrets>,
    until: Instant,
}

/// There are no secrets to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Nobody has set the parameter.
    #[error("parameter {name} does not exist")]
    Missing {
        /// Of the parameter.
        name: String,
    },
    /// The parameter holds something else.
    #[error("parameter {name}: {problem}")]
    Invalid {
        /// Of the parameter.
        name: String,
        /// What is wrong with it.
        problem: InvalidSecrets,
    },
    /// Systems Manager could not be asked, or would not tell.
    #[error("parameter {name} could not be read: {}", DisplayErrorContext(&**cause))]
    Unavailable {
        /// Of the parameter.
        name: String,
        /// As the client has it, without the answer itself, which could hold a secret.
        #[source]
        cause: BoxError,
    },
}

impl SecretSource {
    /// These secrets, for as long as the process runs.
    #[must_use]
    pub fn given(secrets: Secrets) -> Self {
        Self(Source::Given(Arc::new(secrets)))
    }

    /// What the parameter of this name holds, decrypted. It is read when it is needed first, and again after 5 minutes.
    #[must_use]
    pub fn parameter(client: Client, name: impl Into<String>) -> Self {
        Self(Source::Parameter { client, name: name.into(), seen: Mutex::default() })
    }

    /// The secrets to sign with now.
    pub async fn secrets(&self) -> Result<Arc<Secrets>, SecretError> {
        let (client, name, seen) = match &self.0 {
            Source::Given(secrets) => return Ok(secrets.clone()),
            Source::Parameter { client, name, seen } => (client, name, seen),
        };
        // Held while it is read: of those who need it at once, one asks.
        let mut seen = seen.lock().await;
        if let Some(seen) = seen.as_ref().filter(|seen| Instant::now() < seen.until) {
            return Ok(seen.secrets.clone());
        }
        let secrets = Arc::new(read(client, name).await?);
        *seen =
            Some(CachedSecrets { secrets: secrets.clone(), until: Instant::now() + REMEMBERED });
        Ok(secrets)
    }
}

async fn read(client: &Client, name: &str) -> Result<Secrets, SecretError> {
    let answer = client.get_parameter().name(name).with_decryption(true).send().await;
    let answer = answer.map_err(|cause| match cause.as_service_error() {
        Some(GetParameterError::ParameterNotFound(_)) => {
            SecretError::Missing { name: name.to_owned() }
        }
        _ => SecretError::Unavailable {
            name: name.to_owned(),
            cause: cause.into_source().unwrap_or_else(Into::into),
        },
    })?;
    let text = answer.parameter().and_then(|parameter| parameter.value()).unwrap_or_default();
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

    /// A Systems Manager that gives this answer to everything, and a source that asks it.
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
    async fn a_parameter_is_read_decrypted_and_remembered_for_five_minutes() {
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
        tokio::time::advance(REMEMBERED).await;
        tokio::time::resume();
        source.secrets().await.expect("secrets");
        assert_eq!(store.requests().len(), 2);
    }

    #[tokio::test]
    async fn those_who_need_it_at_once_ask_once() {
        let (store, source) = store(200, json!({"Parameter": {"Value": SECRET}})).await;
        let (one, other) = tokio::join!(source.secrets(), source.secrets());
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(store.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_parameter_that_is_missing_unfit_or_out_of_reach_is_said_to_be_so() {
        for (status, answer, message) in [
            (
                400,
                json!({"__type": "ParameterNotFound"}),
                "parameter /once/webhook-secret does not exist",
            ),
            (
                200,
                json!({"Parameter": {"Value": "hunter2"}}),
                "parameter /once/webhook-secret: secret 1 is not whsec_ and base64",
            ),
            (200, json!({"Parameter": {}}), "parameter /once/webhook-secret: holds no secret"),
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
    async fn what_failed_is_not_remembered() {
        let (store, source) = store(400, json!({"__type": "ParameterNotFound"})).await;
        for asked in 1..=2 {
            assert!(source.secrets().await.is_err());
            assert_eq!(store.requests().len(), asked);
        }
    }
}
