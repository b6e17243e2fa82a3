//! The DynamoDB client, as a Lambda function needs it.

use std::{env, time::Duration};

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_sdk_dynamodb::{
    Client, Config,
    config::{Builder, Region, retry::RetryConfig, timeout::TimeoutConfig},
};

use super::Transport;

/// How long a connection to the store may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Lambda hands credentials, region and endpoint over in the environment, so nothing is looked up anywhere else:
/// no profile files, no instance metadata, no single sign-on (`docs/STARTUP.md`).
#[must_use]
pub fn client() -> Client {
    let mut config = configure(Config::builder())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .http_client(Transport::new(CONNECT_TIMEOUT));
    config.set_region(variable("AWS_REGION").map(Region::new));
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| variable("AWS_ENDPOINT_URL")));
    Client::from_conf(config.build())
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
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
                .operation_attempt_timeout(Duration::from_secs(1))
                .operation_timeout(Duration::from_secs(3))
                .build(),
        )
}
