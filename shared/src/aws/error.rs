//! A service failed, as opposed to: it answered no.

use std::{error::Error, fmt};

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

/// A service could not be reached, throttled past every retry, or gave what cannot be read.
/// Whether a write was recorded is not known.
#[derive(Debug)]
pub struct ServiceError {
    cause: Box<dyn Error + Send + Sync>,
    passing: bool,
}

impl ServiceError {
    /// An item that this release cannot read: the table holds something that nobody here wrote.
    #[must_use]
    pub fn undecodable(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), passing: false }
    }

    /// A fault that may be gone a moment later.
    #[must_use]
    pub fn passing(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), passing: true }
    }

    /// The same call may succeed a moment later: a time-out, a lost connection, a throttle, a fault of the server.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.passing
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a service of AWS failed: {}", DisplayErrorContext(&*self.cause))
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
        let passing = match &error {
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => true,
            SdkError::ServiceError(service) => {
                service.raw().status().is_server_error()
                    || service.err().code().is_some_and(is_throttle)
            }
            _ => false,
        };
        Self { cause: Box::new(error), passing }
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
