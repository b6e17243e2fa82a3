//! The DynamoDB client, as a Lambda function needs it.

use std::{env, time::Duration};

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{Builder, Region, retry::RetryConfig, timeout::TimeoutConfig},
};

/// Lambda hands credentials, region and endpoint over in the environment, so nothing is looked up anywhere else:
/// no profile files, no instance metadata, no single sign-on. That is a third of the binary and of the start (`docs/STARTUP.md`).
#[must_use]
pub fn client() -> Client {
    let mut config = configure(Config::builder())
        .region(env::var("AWS_REGION").ok().map(Region::new))
        .credentials_provider(EnvironmentVariableCredentialsProvider::new());
    if let Ok(endpoint) = env::var("AWS_ENDPOINT_URL_DYNAMODB").or_else(|_| env::var("AWS_ENDPOINT_URL")) {
        config = config.endpoint_url(endpoint);
    }
    Client::from_conf(config.build())
}

/// Time-outs and retries, the same in production and in tests.
///
/// One attempt may take a second, and a call with its three attempts three. Throttles, dropped connections and 5xx answers
/// are retried here; cancelled transactions are not, since only the caller knows what its conditions mean.
#[must_use]
pub fn configure(builder: Builder) -> Builder {
    builder
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(25)))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_millis(500))
                .operation_attempt_timeout(Duration::from_secs(1))
                .operation_timeout(Duration::from_secs(3))
                .build(),
        )
}
