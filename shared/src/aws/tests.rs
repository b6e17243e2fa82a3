#![expect(clippy::disallowed_types, reason = "a test is never frozen")]

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::{config::Credentials, types::AttributeValue};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;

use super::*;
use crate::{
    dynamo::{Update, keys::Key},
    invocation::Invocation,
    time::Timestamp,
};

/// What a table answers to an attempt.
#[derive(Debug, Clone, Copy)]
enum Answer {
    Done,
    /// 400 with this code.
    Refused(&'static str),
    /// 500.
    Failed,
    /// The connection ended.
    Lost,
}

use Answer::{Done, Failed, Lost, Refused};

const THROTTLE: Answer = Refused("ThrottlingException");

/// A table that answers attempts, by their number from 0.
#[derive(Clone)]
struct Table(Arc<dyn Fn(u32) -> Answer + Send + Sync>, Arc<AtomicU32>);

impl Table {
    fn answering(answer: impl Fn(u32) -> Answer + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer), Arc::default())
    }

    fn attempts(&self) -> u32 {
        self.1.load(Ordering::Relaxed)
    }

    fn client(&self) -> aws_sdk_dynamodb::Client {
        let credentials = SharedCredentialsProvider::new(Credentials::for_tests());
        let config = SdkConfig::builder()
            .credentials_provider(credentials)
            .region(Region::new("eu-central-1"))
            .http_client(self.clone());
        Aws::new(configure(config.build())).dynamo()
    }

    /// Updates an item.
    async fn update(&self) -> Result<(), ServiceError> {
        let key = Key { pk: "a".to_owned(), sk: "b".to_owned() };
        let update = Update::new("table", key).set("n", AttributeValue::N("1".to_owned()));
        update.send(&self.client()).await.map(|result| drop(result.expect("no condition")))
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").finish_non_exhaustive()
    }
}

impl HttpClient for Table {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Table {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let (status, code) = match self.0(self.1.fetch_add(1, Ordering::Relaxed)) {
            Done => (200, ""),
            Refused(code) => (400, code),
            Failed => (500, "InternalServerError"),
            Lost => {
                let lost = std::io::Error::other("lost");
                return HttpConnectorFuture::ready(Err(ConnectorError::io(lost.into())));
            }
        };
        let body = if code.is_empty() { "{}".into() } else { format!("{{\"__type\":\"{code}\"}}") };
        let status = status.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_of_a_few_hundred_milliseconds_is_not_an_error() {
    let started = tokio::time::Instant::now();
    let table = Table::answering(move |_| {
        if started.elapsed() < Duration::from_millis(250) { THROTTLE } else { Done }
    });
    table.update().await.expect("an answer after the throttle");
}

#[tokio::test(start_paused = true)]
async fn whether_a_call_was_executed_is_known_if_all_attempts_were_refused() {
    let all_refused = Table::answering(|_| THROTTLE).update().await.expect_err("a throttle");
    assert!(all_refused.is_refused() && all_refused.is_transient());
    for first in [Lost, Failed] {
        let table = Table::answering(move |attempt| if attempt == 0 { first } else { THROTTLE });
        let error = table.update().await.expect_err("a throttle");
        assert!(!error.is_refused() && error.is_transient(), "{first:?}");
        assert!(!Table::answering(move |_| first).update().await.expect_err("down").is_refused());
    }
    let rejected = Table::answering(|_| Refused("ValidationException")).update().await;
    let rejected = rejected.expect_err("invalid");
    assert!(rejected.is_refused() && !rejected.is_transient());
}

#[tokio::test(start_paused = true)]
async fn each_error_that_passes_is_transient() {
    for code in [
        "TransactionConflictException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "TransactionInProgressException",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    ] {
        let error = Table::answering(move |_| Refused(code)).update().await.expect_err(code);
        assert!(error.is_transient(), "{code}");
    }
}

#[tokio::test]
async fn no_call_begins_after_the_deadline_of_its_invocation() {
    let table = Table::answering(|_| Done);
    // Frozen within the invocation: its timer has not fired, but the wall clock went on.
    let work = async {
        std::thread::sleep(Duration::from_millis(60));
        table.update().await
    };
    let deadline = Timestamp::now().plus(Duration::from_millis(50));
    let result = Invocation::new("1", Some(deadline)).run(work).await;
    assert!(result.is_err() || result.is_ok_and(|update| update.is_err()));
    assert_eq!(table.attempts(), 0);
    table.update().await.expect("without an invocation");
    assert_eq!(table.attempts(), 1);
}

#[tokio::test]
async fn retries_end_at_the_deadline_of_the_invocation() {
    let table = Table::answering(|_| THROTTLE);
    let started = std::time::Instant::now();
    let deadline = Timestamp::now().plus(Duration::from_millis(100));
    let ended = Invocation::new("1", Some(deadline)).run(table.update()).await;
    assert!(!matches!(ended, Ok(Ok(()))));
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
}

#[test]
fn long_timeouts_are_never_shorter_than_the_configured_ones() {
    let timeouts = |aws: &Aws| {
        let config = aws.0.timeout_config().expect("timeouts");
        (config.operation_attempt_timeout(), config.operation_timeout())
    };
    let aws = Aws::new(configure(SdkConfig::builder().build()));
    let expected = (Some(LONG_ATTEMPT_TIMEOUT), Some(LONG_CALL_TIMEOUT));
    assert_eq!(timeouts(&aws.with_long_timeouts()), expected);
    let long = Duration::from_mins(1);
    let slow =
        TimeoutConfig::builder().operation_attempt_timeout(long).operation_timeout(long).build();
    let slow = Aws::new(SdkConfig::builder().timeout_config(slow).build());
    assert_eq!(timeouts(&slow.with_long_timeouts()), (Some(long), Some(long)));
}
