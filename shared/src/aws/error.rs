//! Failures of AWS services, as opposed to a lost condition, which is an answer.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

/// A service that could not be reached, throttled all attempts, or returned something unreadable.
/// Whether a write was recorded is unknown.
#[derive(Debug)]
pub struct ServiceError {
    cause: Box<dyn Error + Send + Sync>,
    transient: bool,
}

impl ServiceError {
    /// A failure that a retry does not cure, such as an item that this release cannot read.
    #[must_use]
    pub fn permanent(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), transient: false }
    }

    /// A failure that may be gone a moment later.
    #[must_use]
    pub fn transient(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), transient: true }
    }

    /// Returns whether the same call may succeed a moment later: after a timeout, a lost
    /// connection, a throttle, or an error of the server.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AWS service failed: {}", DisplayErrorContext(&*self.cause))
    }
}

impl Error for ServiceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

impl<E> From<SdkError<E, HttpResponse>> for ServiceError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let transient = match &error {
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => true,
            SdkError::ServiceError(service) => {
                service.raw().status().is_server_error()
                    || service.err().code().is_some_and(is_throttle)
            }
            _ => false,
        };
        Self { cause: Box::new(error), transient }
    }
}

fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "RequestThrottled"
            | "LimitExceededException"
    )
}
