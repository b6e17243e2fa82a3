//! Failures as callers see them: problem details (RFC 9457) with a stable code, and the one table of which failure has which status.
//!
//! | status | code | when |
//! |---|---|---|
//! | 400 | `INVALID_REQUEST` | something in the request is not as it must be; `field` names it |
//! | 401 | `TOKEN_MISSING` | the endpoint asks for a token: `Authorization: Bearer <token>` |
//! | 403 | `TOKEN_UNKNOWN` | the token is not one of those that are known |
//! | 404 | `PRODUCT_NOT_FOUND`, `ORDER_NOT_FOUND`, `COMPANY_NOT_FOUND`, `JOB_NOT_FOUND`, `SCHEDULE_NOT_FOUND`, `ROUTE_NOT_FOUND` | there is no such thing |
//! | 405 | `METHOD_NOT_ALLOWED` | the path takes other methods, in `Allow` |
//! | 409 | `OUT_OF_STOCK` | fewer units are left than were asked for |
//! | 409 | `DUPLICATE_ID` | the id was counted before in this minute |
//! | 409 | `JOB_NOT_CANCELLABLE`, `JOB_NOT_FAILED`, `JOB_NOT_FINISHED` | the job is in another state, which the message names |
//! | 410 | `JOB_CANCELLED`, `JOB_FAILED`, `FILE_EXPIRED` | the file will never be there, or no more |
//! | 412 | `VERSION_CHANGED` | the job is not at the version that `If-Match` names |
//! | 422 | `IDEMPOTENCY_KEY_REUSED` | the key was used for a request with another body |
//! | 500 | `INTERNAL` | the inside failed; the log says how, under the request's id |
//! | 502 | `COMPUTATION_FAILED` | the figures could not be computed; the message says why |
//! | 503 | `CONTENTION`, `STORE_UNAVAILABLE` | try again after `Retry-After` seconds, with the same idempotency key |
//! | 503 | `SECRET_UNAVAILABLE` | the secret of webhooks cannot be read |
//! | 503 | `NOT_RECORDED` | the id may be counted or not: try again after `Retry-After` seconds |
//! | 504 | `FIGURES_NOT_READY` | they are still computed: ask again after `Retry-After` seconds |

use std::borrow::Cow;

use lambda_http::http::{HeaderName, StatusCode};
use serde::Serialize;
use tracing::{error, warn};

use super::Reply;
use crate::{
    access::Denied,
    aws::ServiceError,
    company::{AskError, CompanyId},
    orders::{CancelError, CreateError, PlaceError, RestockError},
    schedule::{self, EditError, TaskId},
    settlement::{self, DownloadError, JobId, RetryError, State, UnfitDays},
    tagged::Misfit,
    time::Minute,
    uniques::AcceptError,
    webhook::SecretError,
};

/// Why a request was not done, in the caller's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    field: Option<String>,
    /// What else the caller should know: when to come back, which methods there are, …
    header: Option<(&'static str, String)>,
    form: Form,
}

/// How the failure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As a problem document.
    Problem,
    /// As the word `failed`, with the code and the message in a header.
    Word,
}

/// Code and message of a failure whose body is one word.
const ERROR: &str = "x-error";

/// In seconds.
const RETRY_AFTER: &str = "retry-after";

/// The body of a failure, `application/problem+json`.
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
        Self { status, code, message: message.into(), field: None, header: None, form: Form::Problem }
    }

    /// 400: what is wrong with which field of the request.
    #[must_use]
    pub fn invalid(field: &str, problem: impl std::fmt::Display) -> Self {
        let error = Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", format!("{field}: {problem}"));
        Self { field: Some(field.to_owned()), ..error }
    }

    /// 404: no product has this id.
    #[must_use]
    pub fn product_not_found(id: u32) -> Self {
        Self::new(StatusCode::NOT_FOUND, "PRODUCT_NOT_FOUND", format!("Product {id} does not exist"))
    }

    /// 404: no order has this id.
    #[must_use]
    pub fn order_not_found(id: uuid::Uuid) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ORDER_NOT_FOUND", format!("Order {id} does not exist"))
    }

    /// 404: no company has this id.
    #[must_use]
    pub fn company_not_found(id: &CompanyId) -> Self {
        Self::new(StatusCode::NOT_FOUND, "COMPANY_NOT_FOUND", format!("Company {id} does not exist"))
    }

    /// 404: no job has this id.
    #[must_use]
    pub fn job_not_found(id: JobId) -> Self {
        Self::new(StatusCode::NOT_FOUND, "JOB_NOT_FOUND", format!("Job {id} does not exist"))
    }

    /// 404: no scheduled job has this id.
    #[must_use]
    pub fn task_not_found(id: TaskId) -> Self {
        Self::new(StatusCode::NOT_FOUND, "JOB_NOT_FOUND", format!("Scheduled job {id} does not exist"))
    }

    /// 404: the job has no schedule.
    #[must_use]
    pub fn schedule_not_found(id: TaskId) -> Self {
        Self::new(StatusCode::NOT_FOUND, "SCHEDULE_NOT_FOUND", format!("Scheduled job {id} has no schedule"))
    }

    /// 404: no endpoint has this path.
    #[must_use]
    pub fn route_not_found(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ROUTE_NOT_FOUND", format!("There is nothing at {path}"))
    }

    /// 405: the path takes other methods.
    #[must_use]
    pub fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("{method} is not allowed here; {allowed} is");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message).with("allow", allowed)
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
        let message = "This idempotency key was used for a request with another body";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "IDEMPOTENCY_KEY_REUSED", message)
    }

    fn contended() -> Self {
        let message = "Too many requests want the same thing at once; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "CONTENTION", message).with(RETRY_AFTER, "1")
    }

    fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Something went wrong on our side")
    }

    /// 409: the id was counted before in this minute.
    #[must_use]
    pub fn duplicate_id(minute: Minute) -> Self {
        Self::new(StatusCode::CONFLICT, "DUPLICATE_ID", "The id was counted before in this minute")
            .with(super::answer::MINUTE, minute.to_string())
    }

    /// The same failure as the word `failed`; `X-Error` has the code and the message.
    #[must_use]
    pub fn in_one_word(self) -> Self {
        Self { form: Form::Word, ..self }
    }

    fn with(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    /// The answer that tells the caller.
    pub(super) fn into_reply(self, request_id: &str) -> Reply {
        if self.status.is_server_error() {
            metrics::counter!("ServerErrors").increment(1);
        }
        let reply = match self.form {
            Form::Problem => self.problem(request_id),
            Form::Word => Reply::text(self.status, "failed")
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
        Reply::new(self.status, "application/problem+json", &problem)
    }
}

impl From<&ServiceError> for ApiError {
    fn from(cause: &ServiceError) -> Self {
        if !cause.is_passing() {
            error!(%cause, "The store refused a request of ours");
            return Self::internal();
        }
        warn!(%cause, "The store is unavailable");
        let message = "The store is unavailable; try again with the same idempotency key";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE", message).with(RETRY_AFTER, "1")
    }
}

impl From<ServiceError> for ApiError {
    fn from(cause: ServiceError) -> Self {
        (&cause).into()
    }
}

impl From<AcceptError> for ApiError {
    /// Whatever the cause: an id that is not known to be recorded is to be sent again. Uniques log and count it.
    fn from(_: AcceptError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_RECORDED", "The id may not be recorded; try again")
            .with(RETRY_AFTER, "1")
    }
}

impl From<SecretError> for ApiError {
    fn from(cause: SecretError) -> Self {
        error!(%cause, "There is no secret to check a signature with");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "SECRET_UNAVAILABLE", "Signatures cannot be checked now; try again")
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

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::CompanyNotFound(id) => Self::company_not_found(&id),
            AskError::Failed(cause) => Self::new(StatusCode::BAD_GATEWAY, "COMPUTATION_FAILED", cause),
            AskError::TakesLonger => {
                let message = "The figures are still being computed; ask again";
                Self::new(StatusCode::GATEWAY_TIMEOUT, "FIGURES_NOT_READY", message).with(RETRY_AFTER, "1")
            }
            AskError::Service(cause) => cause.as_ref().into(),
        }
    }
}

impl From<UnfitDays> for ApiError {
    fn from(unfit: UnfitDays) -> Self {
        Self::invalid(unfit.field(), unfit)
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Missing => Self::new(StatusCode::UNAUTHORIZED, "TOKEN_MISSING", denied.to_string())
                .with("www-authenticate", "Bearer"),
            Denied::Unknown => Self::new(StatusCode::FORBIDDEN, "TOKEN_UNKNOWN", denied.to_string()),
        }
    }
}

impl From<Misfit> for ApiError {
    fn from(misfit: Misfit) -> Self {
        Self::invalid(misfit.field(), misfit.problem())
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
            EditError::TaskNotFound(id) => Self::task_not_found(id),
            EditError::VersionChanged(version) => {
                let message = format!("The job is at version {version}: look at it and change it again");
                Self::new(StatusCode::PRECONDITION_FAILED, "VERSION_CHANGED", message)
            }
            EditError::Unfit(misfit) => misfit.into(),
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
            settlement::CancelError::TooLate(state) => {
                Self::conflict("JOB_NOT_CANCELLABLE", format!("The job is {state}: it cannot be cancelled any more"))
            }
            settlement::CancelError::Store(cause) => cause.into(),
        }
    }
}

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::JobNotFound(id) => Self::job_not_found(id),
            RetryError::NotFailed(state) => {
                Self::conflict("JOB_NOT_FAILED", format!("The job is {state}: only a failed one is tried again"))
            }
            RetryError::Store(cause) => cause.into(),
        }
    }
}

impl From<DownloadError> for ApiError {
    fn from(error: DownloadError) -> Self {
        match error {
            DownloadError::JobNotFound(id) => Self::job_not_found(id),
            DownloadError::NotFinished(state) => {
                Self::conflict("JOB_NOT_FINISHED", format!("The job is {state}: its file is not there yet"))
                    .with(RETRY_AFTER, "5")
            }
            DownloadError::Ended(State::Cancelled) => {
                Self::gone("JOB_CANCELLED", "The job was cancelled: it has no file")
            }
            DownloadError::Ended(_) => Self::gone("JOB_FAILED", "The job has failed: it has no file"),
            DownloadError::Expired => {
                Self::gone("FILE_EXPIRED", "The file is not kept any more; settle the days again")
            }
            DownloadError::Changed { .. } => {
                error!(cause = %error, "A finished file was changed");
                Self::internal()
            }
            DownloadError::Service(cause) => cause.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lambda_http::Body;
    use serde_json::{Value, json};

    use super::*;

    fn answered(error: ApiError) -> (lambda_http::http::response::Parts, Value) {
        let (parts, body) = error.into_reply("r-1").into_response().into_parts();
        let Body::Text(body) = body else { panic!("a problem is text") };
        (parts, serde_json::from_str(&body).expect("JSON"))
    }

    #[test]
    fn a_failure_is_a_problem_with_its_code_and_the_request_id() {
        let (parts, body) = answered(PlaceError::OutOfStock.into());
        assert_eq!(
            (parts.status.as_u16(), &parts.headers["content-type"]),
            (409, &"application/problem+json".parse().expect("ascii"))
        );
        assert_eq!(
            body,
            json!({
                "type": "urn:once:problem:out-of-stock",
                "title": "Conflict",
                "status": 409,
                "detail": "Insufficient stock",
                "request_id": "r-1",
                "error": {"code": "OUT_OF_STOCK", "message": "Insufficient stock"},
            })
        );
    }

    #[test]
    fn a_500_says_nothing_of_the_inside() {
        let inside = ServiceError::undecodable(std::io::Error::other("table once-OrdersTable-1X"));
        let (parts, body) = answered(inside.into());
        assert_eq!(parts.status, 500);
        assert!(!body.to_string().contains("OrdersTable"), "{body}");
    }

    #[test]
    fn a_failure_in_one_word_tells_its_reason_in_a_header() {
        let error = ApiError::invalid("id", "must not be empty").in_one_word();
        let (parts, body) = error.into_reply("r-1").into_response().into_parts();
        assert_eq!((parts.status.as_u16(), body), (400, Body::Text("failed".to_owned())));
        assert_eq!(parts.headers["x-error"], "INVALID_REQUEST id: must not be empty");
        assert_eq!(parts.headers["content-type"], "text/plain; charset=utf-8");
    }

    #[test]
    fn contention_says_when_to_come_back() {
        let (parts, body) = answered(PlaceError::Contended.into());
        assert_eq!((parts.status.as_u16(), parts.headers["retry-after"].as_bytes()), (503, b"1".as_slice()));
        assert_eq!(body["error"]["code"], "CONTENTION");
    }

    #[test]
    fn figures_fail_with_the_words_of_their_job() {
        let (parts, body) = answered(AskError::Failed("LEDGER_UNREADABLE: entry m#t".to_owned()).into());
        assert_eq!(parts.status, 502);
        let error = json!({"code": "COMPUTATION_FAILED", "message": "LEDGER_UNREADABLE: entry m#t"});
        assert_eq!(body["error"], error);
    }

    #[test]
    fn figures_that_take_longer_say_when_to_come_back() {
        let (parts, body) = answered(AskError::TakesLonger.into());
        assert_eq!((parts.status.as_u16(), parts.headers["retry-after"].as_bytes()), (504, b"1".as_slice()));
        assert_eq!(body["error"]["code"], "FIGURES_NOT_READY");
    }

    #[test]
    fn a_store_that_fails_those_who_wait_is_a_store_that_fails() {
        let inside = || ServiceError::undecodable(std::io::Error::other("table once-CompaniesTable-1X"));
        assert_eq!(ApiError::from(AskError::from(Arc::new(inside()))), inside().into());
        let passing = ServiceError::passing(std::io::Error::other("reset"));
        assert_eq!(answered(AskError::from(Arc::new(passing)).into()).0.status, 503);
    }
}
