//! The border to AWS: how every client of a service is made.

mod error;
mod transport;

use std::{env, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};

pub use error::ServiceError;
pub use transport::Transport;

/// How long a connection to a service may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one attempt, and one call with all of its attempts, may take where nobody waits for it.
const PATIENT_ATTEMPT: Duration = Duration::from_secs(5);
const PATIENT_CALL: Duration = Duration::from_secs(20);

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
            .credentials_provider(SharedCredentialsProvider::new(
                EnvironmentVariableCredentialsProvider::new(),
            ))
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

    /// For work that nobody waits for: calls may take longer. A page of a megabyte or a file takes its time on a small function.
    #[must_use]
    pub fn patient(&self) -> Self {
        let told = self.0.timeout_config();
        let longer =
            |told: Option<Duration>, least| told.map_or(least, |told: Duration| told.max(least));
        let times = TimeoutConfig::builder()
            .operation_attempt_timeout(longer(
                told.and_then(TimeoutConfig::operation_attempt_timeout),
                PATIENT_ATTEMPT,
            ))
            .operation_timeout(longer(
                told.and_then(TimeoutConfig::operation_timeout),
                PATIENT_CALL,
            ));
        Self(self.0.to_builder().timeout_config(times.build()).build())
    }

    /// A client of CloudWatch, for its metrics.
    #[must_use]
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.0)
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

    /// A client of S3.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.0)
            // An endpoint that is not AWS has no name for each bucket.
            .force_path_style(self.0.endpoint_url().is_some())
            // TLS and the signature vouch for what is sent; what is read is held against a hash of our own.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        aws_sdk_s3::Client::from_conf(config.build())
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
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(3)
                .with_initial_backoff(Duration::from_millis(25)),
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
mod tests {
    use super::*;

    #[test]
    fn patience_is_never_less_than_it_was() {
        let times = |aws: &Aws| {
            let times = aws.0.timeout_config().expect("time-outs");
            (times.operation_attempt_timeout(), times.operation_timeout())
        };
        let aws = Aws::new(configure(SdkConfig::builder().build()));
        assert_eq!(times(&aws.patient()), (Some(PATIENT_ATTEMPT), Some(PATIENT_CALL)));
        let long = Duration::from_mins(1);
        let slow = TimeoutConfig::builder()
            .operation_attempt_timeout(long)
            .operation_timeout(long)
            .build();
        let slow = Aws::new(SdkConfig::builder().timeout_config(slow).build());
        assert_eq!(times(&slow.patient()), (Some(long), Some(long)));
    }
}
