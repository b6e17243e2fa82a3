//! Failures of AWS services, as opposed to a lost condition, which is an answer.

use std::{error::Error, fmt};

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{DisplayErrorContext, ProvideErrorMetadata, SdkError},
};

use super::doubt;

/// A service that could not be reached, throttled all attempts, or returned something unreadable.
#[derive(Debug)]
pub struct ServiceError {
    cause: Box<dyn Error + Send + Sync>,
    transient: bool,
    refused: bool,
}

impl ServiceError {
    /// A failure that a retry does not cure, such as an item that this release cannot read.
    #[must_use]
    pub fn permanent(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), transient: false, refused: false }
    }

    /// A failure that may be gone a moment later.
    #[must_use]
    pub fn transient(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { cause: Box::new(cause), transient: true, refused: false }
    }

    /// Returns whether the same call may succeed a moment later: after a timeout, a lost
    /// connection, a throttle, or an error of the server.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Returns whether the call was certainly not executed: the service refused all of its
    /// attempts. Otherwise it is unknown whether a write was recorded.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// The failure of a call that was also made before, with an unknown outcome if `doubt` is set.
    #[must_use]
    pub fn doubted_if(self, doubt: bool) -> Self {
        Self { refused: self.refused && !doubt, ..self }
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
        let (transient, refused) = match &error {
            SdkError::TimeoutError(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_) => (true, false),
            SdkError::ServiceError(service) => {
                let is_passing = service.raw().status().is_server_error()
                    || service.err().code().is_some_and(is_passing);
                (is_passing, doubt::is_refused(service.raw()))
            }
            _ => (false, true),
        };
        Self { cause: Box::new(error), transient, refused }
    }
}

/// Returns whether the same call may succeed a moment later: the SDK's own lists, and a conflict
/// with a transaction, which the SDK leaves to the caller.
fn is_passing(code: &str) -> bool {
    THROTTLING_ERRORS.contains(&code)
        || TRANSIENT_ERRORS.contains(&code)
        || matches!(code, "TransactionConflictException" | "InternalServerError")
}
