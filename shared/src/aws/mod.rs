//! The border to AWS: how every client of a service is made.

mod error;
mod transport;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;

pub use error::ServiceError;
pub use transport::Transport;

/// How long a connection to a service may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// What the clients of all services share: credentials, region, connections, time-outs, retries.
///
/// A client is made when it is asked for, so that a function carries no service that it does not use.
#[derive(Debug, Clone)]
pub struct Aws(SdkConfig);

impl Aws {
    /// Lambda hands credentials, region and endpoint over in the environment, so nothing is looked up anywhere else:
    /// no profile files, no instance metadata, no single sign-on (`docs/STARTUP.md`).
    #[must_use]
    pub fn from_env() -> Self {
        let mut config = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
            .http_client(Transport::new(CONNECT_TIMEOUT))
            .region(variable("AWS_REGION").map(Region::new));
        config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
        Self(configure(config.build()))
    }

    /// Clients of this configuration.
    #[must_use]
    pub fn new(config: SdkConfig) -> Self {
        Self(config)
    }

    /// A client of DynamoDB.
    #[must_use]
    pub fn dynamo(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.0)
    }

    /// A client of Kinesis Data Streams.
    #[must_use]
    pub fn kinesis(&self) -> aws_sdk_kinesis::Client {
        aws_sdk_kinesis::Client::new(&self.0)
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.0)
    }

    /// A client of Systems Manager, for its parameters.
    #[must_use]
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.0)
    }
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Time-outs and retries, the same in production and in tests.
///
/// One attempt may take a second, and a call with its three attempts three. Throttles, dropped connections and 5xx answers
/// are retried here; cancelled transactions are not, since only the caller knows what its conditions mean.
#[must_use]
pub fn configure(config: SdkConfig) -> SdkConfig {
    config
        .into_builder()
        .behavior_version(BehaviorVersion::latest())
        // A clock that is wrong by five minutes is refused by every service: better that than wrong times in the tables.
        .disable_clock_skew_correction(true)
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25)))
        .timeout_config(
            TimeoutConfig::builder()
                .operation_attempt_timeout(Duration::from_secs(1))
                .operation_timeout(Duration::from_secs(3))
                .build(),
        )
        .build()
}
