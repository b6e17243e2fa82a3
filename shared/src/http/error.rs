//! Errors as callers see them: problem documents (RFC 9457) with a stable code. This is the one
//! table of which error has which status.
//!
//! | status | code | when |
//! |---|---|---|
//! | 400 | `INVALID_REQUEST` | a part of the request is invalid; `field` names it |
//! | 401 | `TOKEN_MISSING` | the endpoint requires a token: `Authorization: Bearer <token>` |
//! | 401 | `TOKEN_UNKNOWN` | the token is not valid |
//! | 403 | `TOKEN_INSUFFICIENT` | the role of the token does not permit the request |
//! | 403 | `ORDER_TOKEN_INVALID` | the token is not the one of the order, which may not exist |
//! | 404 | `PRODUCT_NOT_FOUND`, `ORDER_NOT_FOUND`, `COMPANY_NOT_FOUND`, `JOB_NOT_FOUND`, `SCHEDULE_NOT_FOUND`, `ROUTE_NOT_FOUND` | no such resource |
//! | 405 | `METHOD_NOT_ALLOWED` | the path takes other methods: see `Allow` |
//! | 409 | `OUT_OF_STOCK` | fewer units are left than the order needs |
//! | 409 | `DUPLICATE_ID` | the id was already counted in this minute |
//! | 409 | `JOB_NOT_CANCELLABLE`, `JOB_NOT_FAILED`, `JOB_NOT_FINISHED` | the job is in another state: see the message |
//! | 410 | `JOB_CANCELLED`, `JOB_FAILED`, `FILE_EXPIRED` | the file will never exist, or has expired |
//! | 412 | `VERSION_CHANGED` | the job has another version than `If-Match` names |
//! | 422 | `IDEMPOTENCY_KEY_REUSED` | the key was used for a request with another body |
//! | 500 | `INTERNAL` | internal error; the log has the cause under the request id |
//! | 502 | `COMPUTATION_FAILED` | the figures could not be computed: see the message |
//! | 503 | `CONTENTION`, `STORE_UNAVAILABLE` | nothing was done: retry after `Retry-After` seconds |
//! | 503 | `OUTCOME_UNKNOWN` | the request may have been done: retry with the same idempotency key |
//! | 503 | `SECRET_UNAVAILABLE` | a secret of the deployment cannot be read; nothing was done |
//! | 503 | `NOT_RECORDED` | the id was not recorded: retry after `Retry-After` seconds |
//! | 504 | `FIGURES_NOT_READY` | the figures are still being computed: retry after `Retry-After` seconds |

use std::borrow::Cow;

use lambda_http::http::{HeaderName, StatusCode};
use serde::Serialize;
use tracing::{error, warn};

use super::Reply;
use crate::{
    access::AccessError,
    aws::ServiceError,
    company::{CompanyId, FiguresError},
    json::FieldError,
    orders::{CancelError, CreateError, PlaceError, RestockError},
    routes::ErrorFormat,
    schedule::{self, EditError, ScheduledJobId},
    secret::SecretError,
    settlement::{self, DownloadError, InvalidDays, JobId, RetryError, State},
    time::Minute,
    uniques::AcceptError,
};

/// An error that a caller can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    field: Option<String>,
    /// A header with what to do next: `Retry-After`, `Allow`, …
    header: Option<(&'static str, String)>,
}

/// Code and message of an error in plain text.
const ERROR: &str = "x-error";

/// The code of a request that may have been done.
const OUTCOME_UNKNOWN: &str = "OUTCOME_UNKNOWN";

/// In seconds.
const RETRY_AFTER: &str = "retry-after";

/// A problem document, `application/problem+json`.
#[derive(Debug, Serialize)]
pub struct Problem<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    error: CodeAndMessage<'a>,
}

#[derive(Debug, Serialize)]
struct CodeAndMessage<'a> {
    code: &'a str,
    message: &'a str,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), field: None, header: None }
    }

    /// 400: a field of the request is invalid.
    #[must_use]
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        let error =
            Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", format!("{field}: {problem}"));
        Self { field: Some(field.to_owned()), ..error }
    }

    /// 404: no product has this id.
    #[must_use]
    pub fn product_not_found(id: u32) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "PRODUCT_NOT_FOUND",
            format!("Product {id} does not exist"),
        )
    }

    /// 404: no order has this id.
    #[must_use]
    pub fn order_not_found(id: uuid::Uuid) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ORDER_NOT_FOUND", format!("Order {id} does not exist"))
    }

    /// 404: no company has this id.
    #[must_use]
    pub fn company_not_found(id: &CompanyId) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "COMPANY_NOT_FOUND",
            format!("Company {id} does not exist"),
        )
    }

    /// 404: no job has this id.
    #[must_use]
    pub fn job_not_found(id: JobId) -> Self {
        Self::new(StatusCode::NOT_FOUND, "JOB_NOT_FOUND", format!("Job {id} does not exist"))
    }

    /// 404: no scheduled job has this id.
    #[must_use]
    pub fn scheduled_job_not_found(id: ScheduledJobId) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "JOB_NOT_FOUND",
            format!("Scheduled job {id} does not exist"),
        )
    }

    /// 404: the job has no schedule.
    #[must_use]
    pub fn schedule_not_found(id: ScheduledJobId) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "SCHEDULE_NOT_FOUND",
            format!("Scheduled job {id} has no schedule"),
        )
    }

    /// 404: no endpoint has this path.
    #[must_use]
    pub fn route_not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND", format!("No endpoint at {path}"))
    }

    /// 405: the path takes other methods.
    #[must_use]
    pub fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("{method} is not allowed here: use {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message)
            .with("allow", allowed)
    }

    fn conflict(code: &'static str, message: String) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    fn gone(code: &'static str, message: &'static str) -> Self {
        Self::new(StatusCode::GONE, code, message)
    }

    fn out_of_stock() -> Self {
        Self::new(StatusCode::CONFLICT, "OUT_OF_STOCK", "Insufficient stock")
    }

    fn key_reused() -> Self {
        let message = "The idempotency key was already used for a request with another body";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", message)
    }

    fn contended() -> Self {
        let message = "Too many concurrent requests: retry with the same idempotency key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "CONTENTION", message).with(RETRY_AFTER, "1")
    }

    /// 503: the request was not done before its deadline.
    pub(super) fn timed_out() -> Self {
        warn!("Request not done before its deadline");
        Self::outcome_unknown()
    }

    fn store_unavailable() -> Self {
        let message = "The store is unavailable, and nothing was done: retry";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE", message)
            .with(RETRY_AFTER, "1")
    }

    /// The same error of a request that only reads: nothing can have been done.
    pub(super) fn of_read(self) -> Self {
        if self.code == OUTCOME_UNKNOWN { Self::store_unavailable() } else { self }
    }

    fn outcome_unknown() -> Self {
        let message =
            "Whether the request was done is unknown: retry with the same idempotency key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, OUTCOME_UNKNOWN, message).with(RETRY_AFTER, "1")
    }

    fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Internal error: see the log under the request id",
        )
    }

    /// 409: the id was counted before in this minute.
    #[must_use]
    pub fn duplicate_id(minute: Minute) -> Self {
        Self::new(StatusCode::CONFLICT, "DUPLICATE_ID", "The id was already counted in this minute")
            .with(super::reply::MINUTE, minute.to_string())
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// Writes the error for the caller.
    pub(super) fn into_reply(self, format: ErrorFormat, request_id: &str) -> Reply {
        if self.status.is_server_error() {
            metrics::counter!("ServerErrors").increment(1);
        }
        let reply = match format {
            ErrorFormat::Problem => self.problem(request_id),
            ErrorFormat::PlainText => Reply::plain(self.status, "failed")
                .header(HeaderName::from_static(ERROR), &format!("{} {}", self.code, self.message)),
        };
        match self.header {
            Some((name, value)) => reply.header(HeaderName::from_static(name), &value),
            None => reply,
        }
    }

    fn problem(&self, request_id: &str) -> Reply {
        let problem = Problem {
            kind: format!("urn:once:problem:{}", self.code.to_lowercase().replace('_', "-")),
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: &self.message,
            request_id,
            field: self.field.as_deref(),
            error: CodeAndMessage { code: self.code, message: &self.message },
        };
        Reply::json_as(self.status, "application/problem+json", &problem)
    }
}

impl From<&ServiceError> for ApiError {
    fn from(cause: &ServiceError) -> Self {
        if !cause.is_transient() {
            error!(%cause, "Store request rejected");
            return Self::internal();
        }
        warn!(%cause, "Store unavailable");
        if !cause.is_refused() {
            return Self::outcome_unknown();
        }
        Self::store_unavailable()
    }
}

impl From<ServiceError> for ApiError {
    fn from(cause: ServiceError) -> Self {
        (&cause).into()
    }
}

impl From<AcceptError> for ApiError {
    /// The caller must send the id again, whatever the cause. Uniques log and count it.
    fn from(error: AcceptError) -> Self {
        let (code, message) = if error.is_refused() {
            ("NOT_RECORDED", "The id was not recorded: retry")
        } else {
            (OUTCOME_UNKNOWN, "Whether the id was recorded is unknown: retry")
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message).with(RETRY_AFTER, "1")
    }
}

impl From<SecretError> for ApiError {
    fn from(cause: SecretError) -> Self {
        error!(%cause, "Secret unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SECRET_UNAVAILABLE",
            "A secret of the deployment cannot be read: retry later",
        )
        .with(RETRY_AFTER, "60")
    }
}

impl From<PlaceError> for ApiError {
    fn from(error: PlaceError) -> Self {
        match error {
            PlaceError::ProductNotFound(id) => Self::product_not_found(id),
            PlaceError::OutOfStock => Self::out_of_stock(),
            PlaceError::KeyReused => Self::key_reused(),
            PlaceError::Contended => Self::contended(),
            PlaceError::Store(cause) => cause.into(),
        }
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::OrderNotFound(id) => Self::order_not_found(id),
            CancelError::Contended => Self::contended(),
            CancelError::Store(cause) => cause.into(),
        }
    }
}

impl From<RestockError> for ApiError {
    fn from(error: RestockError) -> Self {
        match error {
            RestockError::ProductNotFound(id) => Self::product_not_found(id),
            RestockError::KeyReused => Self::key_reused(),
            RestockError::Contended => Self::contended(),
            RestockError::Store(cause) => cause.into(),
        }
    }
}

impl From<CreateError> for ApiError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::KeyReused => Self::key_reused(),
            CreateError::Contended => Self::contended(),
            CreateError::Store(cause) => cause.into(),
        }
    }
}

impl From<FiguresError> for ApiError {
    fn from(error: FiguresError) -> Self {
        match error {
            FiguresError::CompanyNotFound(id) => Self::company_not_found(&id),
            FiguresError::Failed(cause) => {
                Self::new(StatusCode::BAD_GATEWAY, "COMPUTATION_FAILED", cause)
            }
            FiguresError::TimedOut => {
                let message = "The figures are still being computed: retry";
                Self::new(StatusCode::GATEWAY_TIMEOUT, "FIGURES_NOT_READY", message)
                    .with(RETRY_AFTER, "1")
            }
            FiguresError::Service(cause) => cause.as_ref().into(),
        }
    }
}

impl From<InvalidDays> for ApiError {
    fn from(invalid: InvalidDays) -> Self {
        Self::invalid(invalid.field(), invalid)
    }
}

impl From<AccessError> for ApiError {
    /// The challenges are those of RFC 6750.
    fn from(error: AccessError) -> Self {
        let (status, code, challenge) = match error {
            AccessError::Missing | AccessError::MissingForOrder => {
                (StatusCode::UNAUTHORIZED, "TOKEN_MISSING", r#"Bearer realm="once""#.to_owned())
            }
            AccessError::Unknown => {
                let challenge = r#"Bearer error="invalid_token""#.to_owned();
                (StatusCode::UNAUTHORIZED, "TOKEN_UNKNOWN", challenge)
            }
            AccessError::Insufficient(role) => {
                let challenge = format!(r#"Bearer error="insufficient_scope", scope="{role}""#);
                (StatusCode::FORBIDDEN, "TOKEN_INSUFFICIENT", challenge)
            }
            AccessError::NotOfOrder => {
                return Self::new(StatusCode::FORBIDDEN, "ORDER_TOKEN_INVALID", error.to_string());
            }
        };
        Self::new(status, code, error.to_string()).with("www-authenticate", challenge)
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::invalid(error.field(), error.problem())
    }
}

impl From<schedule::CreateError> for ApiError {
    fn from(error: schedule::CreateError) -> Self {
        match error {
            schedule::CreateError::KeyReused => Self::key_reused(),
            schedule::CreateError::Store(cause) => cause.into(),
        }
    }
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::JobNotFound(id) => Self::scheduled_job_not_found(id),
            EditError::VersionChanged(version) => {
                let message = format!(
                    "The job was modified since (now version {version}): fetch it and retry"
                );
                Self::new(StatusCode::PRECONDITION_FAILED, "VERSION_CHANGED", message)
            }
            EditError::Invalid(error) => error.into(),
            EditError::Contended => Self::contended(),
            EditError::Store(cause) => cause.into(),
        }
    }
}

impl From<settlement::CreateError> for ApiError {
    fn from(error: settlement::CreateError) -> Self {
        match error {
            settlement::CreateError::Contended => Self::contended(),
            settlement::CreateError::Store(cause) => cause.into(),
        }
    }
}

impl From<settlement::CancelError> for ApiError {
    fn from(error: settlement::CancelError) -> Self {
        match error {
            settlement::CancelError::JobNotFound(id) => Self::job_not_found(id),
            settlement::CancelError::NotCancellable(state) => Self::conflict(
                "JOB_NOT_CANCELLABLE",
                format!("The job is {state}: it can no longer be cancelled"),
            ),
            settlement::CancelError::Store(cause) => cause.into(),
        }
    }
}

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::JobNotFound(id) => Self::job_not_found(id),
            RetryError::NotFailed(state) => Self::conflict(
                "JOB_NOT_FAILED",
                format!("The job is {state}: only a failed job can be retried"),
            ),
            RetryError::Store(cause) => cause.into(),
        }
    }
}

impl From<DownloadError> for ApiError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::JobNotFound(id) => Self::job_not_found(id),
            DownloadError::NotFinished(state) => Self::conflict(
                "JOB_NOT_FINISHED",
                format!("The job is {state}: its file does not exist yet"),
            )
            .with(RETRY_AFTER, "5"),
            DownloadError::Ended(State::Cancelled) => {
                Self::gone("JOB_CANCELLED", "The job was cancelled: it has no file")
            }
            DownloadError::Ended(_) => Self::gone("JOB_FAILED", "The job failed: it has no file"),
            DownloadError::Expired => {
                Self::gone("FILE_EXPIRED", "The file has expired: settle the days again")
            }
            DownloadError::ChecksumMismatch { .. } => {
                error!(cause = %error, "Settlement file changed");
                Self::internal()
            }
            DownloadError::Service(cause) => cause.into(),
        }
    }
}

#[cfg(test)]
mod tests;
