use std::sync::Arc;

use lambda_http::Body;
use serde_json::{Value, json};

use super::*;

fn answered(error: ApiError) -> (lambda_http::http::response::Parts, Value) {
    let (parts, body) = error.into_reply(ErrorFormat::Problem, "r-1").into_response().into_parts();
    let Body::Text(body) = body else { panic!("a problem is text") };
    (parts, serde_json::from_str(&body).expect("JSON"))
}

#[test]
fn an_error_is_a_problem_document_with_its_code_and_the_request_id() {
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
fn a_500_does_not_reveal_its_cause() {
    let inside = ServiceError::permanent(std::io::Error::other("table once-OrdersTable-1X"));
    let (parts, body) = answered(inside.into());
    assert_eq!(parts.status, 500);
    assert!(!body.to_string().contains("OrdersTable"), "{body}");
}

#[test]
fn an_error_in_plain_text_has_its_code_and_message_in_a_header() {
    let error = ApiError::invalid("id", "must not be empty");
    let (parts, body) =
        error.into_reply(ErrorFormat::PlainText, "r-1").into_response().into_parts();
    assert_eq!((parts.status.as_u16(), body), (400, Body::Text("failed".to_owned())));
    assert_eq!(parts.headers["x-error"], "INVALID_REQUEST id: must not be empty");
    assert_eq!(parts.headers["content-type"], "text/plain; charset=utf-8");
}

#[test]
fn contention_says_when_to_retry() {
    let (parts, body) = answered(PlaceError::Contended.into());
    assert_eq!(
        (parts.status.as_u16(), parts.headers["retry-after"].as_bytes()),
        (503, b"1".as_slice())
    );
    assert_eq!(body["error"]["code"], "CONTENTION");
}

#[test]
fn figures_fail_with_the_error_of_their_computation() {
    let message = "LEDGER_UNREADABLE: invalid ledger entry m#t: bad `kind`";
    let (parts, body) = answered(FiguresError::Failed(message.to_owned()).into());
    assert_eq!(parts.status, 502);
    assert_eq!(body["error"], json!({"code": "COMPUTATION_FAILED", "message": message}));
}

#[test]
fn figures_that_take_longer_say_when_to_retry() {
    let (parts, body) = answered(FiguresError::TimedOut.into());
    assert_eq!(
        (parts.status.as_u16(), parts.headers["retry-after"].as_bytes()),
        (504, b"1".as_slice())
    );
    assert_eq!(body["error"]["code"], "FIGURES_NOT_READY");
}

#[test]
fn a_store_failure_while_waiting_is_a_store_failure() {
    let inside = || ServiceError::permanent(std::io::Error::other("table once-CompaniesTable-1X"));
    assert_eq!(ApiError::from(FiguresError::from(Arc::new(inside()))), inside().into());
    let passing = ServiceError::transient(std::io::Error::other("reset"));
    assert_eq!(answered(FiguresError::from(Arc::new(passing)).into()).0.status, 503);
}
