//! Clients of AWS services, with one configuration for all.

mod doubt;
mod error;
mod transport;
mod until_deadline;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};

pub use error::ServiceError;
pub use transport::Transport;

use self::{doubt::Attempts, until_deadline::UntilDeadline};

/// The longest time to establish a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Attempts of a call: the time ends before them, unless a service refuses at once.
const MAX_ATTEMPTS: u32 = 12;

/// The longer timeouts: of one attempt, and of one call with all of its attempts.
const LONG_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const LONG_CALL_TIMEOUT: Duration = Duration::from_secs(20);

/// What the clients of all services share: credentials, region, connections, timeouts, retries.
///
/// Each client is made on demand, so that the binary of a function contains only the services that
/// it uses.
#[derive(Debug, Clone)]
pub struct Aws(SdkConfig);

impl Aws {
    /// Reads credentials, region and endpoint from the environment, where Lambda puts them, and
    /// from nowhere else: no profile files, no instance metadata, no single sign-on
    /// (`docs/STARTUP.md`).
    #[must_use]
    pub fn from_env() -> Self {
        let mut config = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(
                EnvironmentVariableCredentialsProvider::new(),
            ))
            .http_client(Transport::new(CONNECT_TIMEOUT))
            .region(variable("AWS_REGION").map(Region::new));
        config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
        Self::new(configure(config.build()))
    }

    /// Makes clients with this configuration. Their calls end with the invocation
    /// ([`crate::invocation`]).
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        let Some(http) = config.http_client() else { return Self(config) };
        let http = UntilDeadline(http);
        Self(config.into_builder().http_client(http).build())
    }

    /// The same with longer timeouts, for calls that no user waits for: a page of a megabyte or a
    /// file takes longer on a function with little memory.
    #[must_use]
    pub fn with_long_timeouts(&self) -> Self {
        let configured = self.0.timeout_config();
        let at_least = |configured: Option<Duration>, least: Duration| {
            configured.map_or(least, |configured| configured.max(least))
        };
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(at_least(
                configured.and_then(TimeoutConfig::operation_attempt_timeout),
                LONG_ATTEMPT_TIMEOUT,
            ))
            .operation_timeout(at_least(
                configured.and_then(TimeoutConfig::operation_timeout),
                LONG_CALL_TIMEOUT,
            ));
        Self(self.0.to_builder().timeout_config(timeouts.build()).build())
    }

    /// Makes a client of CloudWatch, for its metrics.
    #[must_use]
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.0)
    }

    /// Makes a client of DynamoDB.
    #[must_use]
    pub fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.0).interceptor(Attempts);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// Makes a client of Kinesis Data Streams.
    #[must_use]
    pub fn kinesis(&self) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::new(&self.0)
    }

    /// Makes a client of S3.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.0)
            // An endpoint other than AWS has no host name for each bucket.
            .force_path_style(self.0.endpoint_url().is_some())
            // TLS and the signature protect uploads; downloads are compared with a hash of our own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Makes a client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.0)
    }

    /// Makes a client of Secrets Manager.
    #[must_use]
    pub fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        aws_sdk_secretsmanager::Client::new(&self.0)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Sets timeouts and retries, the same in production and in tests.
///
/// An attempt may take 1 s, and a call with all of its attempts 3 s, or until the deadline of its
/// invocation. Throttles, dropped connections and 5xx responses are retried here, after 25 ms at
/// first and half a second at last, less a random part. Cancelled transactions are not, since only
/// the caller knows what its conditions mean.
#[must_use]
pub fn configure(config: SdkConfig) -> SdkConfig {
    config
        .into_builder()
        .behavior_version(BehaviorVersion::latest())
        // Services refuse an instance whose clock is wrong by 5 minutes: better than wrong
        // timestamps in the tables.
        .disable_clock_skew_correction(true)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(MAX_ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(25))
                .with_max_backoff(Duration::from_millis(500)),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(1))
                .operation_timeout(Duration::from_secs(3))
                .build(),
        )
        .build()
}

#[cfg(test)]
mod tests;
