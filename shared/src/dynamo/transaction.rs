//! A transaction that happens once.
//!
//! Its first item is its record: an item with a condition that can hold only once (*it does not exist yet*, *it is
//! still confirmed*). Everything else in the transaction happens if and only if the record is written, so a request
//! that comes again, or whose reply was lost, finds the record and knows that its work is done.

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use super::Item;
use crate::aws::ServiceError;

/// How a transaction ended.
#[derive(Debug, PartialEq)]
pub enum Commit {
    /// All of it is recorded.
    Done,
    /// Its record was there before: what the record holds. Wins over every other reason.
    AlreadyRecorded(Item),
    /// Another transaction held one of the items, or a partition was throttled: it may be tried again.
    Conflict,
    /// The condition of an item behind the record did not hold.
    ConditionFailed,
}

/// Writes `record` and `rest`, all or nothing.
///
/// The record's condition must ask for `ReturnValuesOnConditionCheckFailure = ALL_OLD`. The SDK's own retries carry one
/// token, so that a reply that was lost is found again; a new call of this function finds the record.
///
/// # Errors
/// The store failed; whether the transaction was recorded is then not known.
pub async fn commit(
    client: &Client,
    record: TransactWriteItem,
    rest: impl IntoIterator<Item = TransactWriteItem>,
) -> Result<Commit, ServiceError> {
    let items = std::iter::once(record).chain(rest).collect();
    match client.transact_write_items().set_transact_items(Some(items)).send().await {
        Ok(_) => Ok(Commit::Done),
        Err(error) => verdict(error),
    }
}

fn verdict(error: SdkError<TransactWriteItemsError>) -> Result<Commit, ServiceError> {
    // An earlier attempt of this same call is still at work on the items.
    if error.code() == Some("TransactionInProgressException") {
        return Ok(Commit::Conflict);
    }
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Err(error.into());
    };
    let reasons = cancelled.cancellation_reasons();
    if let Some(CancellationReason { item: Some(before), .. }) = reasons.first() {
        return Ok(Commit::AlreadyRecorded(before.clone()));
    }
    let codes: Vec<_> = reasons.iter().filter_map(CancellationReason::code).collect();
    if codes
        .iter()
        .any(|code| matches!(*code, CONFLICT | "ThrottlingError" | "ProvisionedThroughputExceeded"))
    {
        return Ok(Commit::Conflict);
    }
    if codes.contains(&"ConditionalCheckFailed") {
        return Ok(Commit::ConditionFailed);
    }
    Err(error.into())
}

const CONFLICT: &str = "TransactionConflict";

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        config::http::HttpResponse,
        types::{AttributeValue, error::TransactionCanceledException},
    };

    use super::*;

    fn cancelled(codes: &[&str], before: Option<Item>) -> SdkError<TransactWriteItemsError> {
        let mut before = before;
        let reasons = codes
            .iter()
            .map(|code| CancellationReason::builder().code(*code).set_item(before.take()).build())
            .collect();
        let exception =
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
        SdkError::service_error(
            TransactWriteItemsError::TransactionCanceledException(exception),
            HttpResponse::new(400.try_into().expect("a status"), "".into()),
        )
    }

    #[test]
    fn a_record_from_before_wins_over_every_other_reason() {
        let record = Item::from([("pk".to_owned(), AttributeValue::S("ORDER#1".to_owned()))]);
        for other in ["ConditionalCheckFailed", CONFLICT, "ThrottlingError", "None"] {
            let error = cancelled(&["ConditionalCheckFailed", other], Some(record.clone()));
            assert_eq!(verdict(error).expect(other), Commit::AlreadyRecorded(record.clone()));
        }
    }

    #[test]
    fn a_conflict_or_a_throttle_is_never_taken_for_a_refusal() {
        for code in [CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"] {
            let error = cancelled(&["None", code, "ConditionalCheckFailed"], None);
            assert_eq!(verdict(error).expect(code), Commit::Conflict);
        }
        let error = cancelled(&["None", "None", "ConditionalCheckFailed"], None);
        assert_eq!(verdict(error).expect("an answer"), Commit::ConditionFailed);
    }

    #[test]
    fn a_reason_that_nobody_can_mend_is_an_error() {
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "None"] {
            let error = verdict(cancelled(&["None", code], None)).expect_err(code);
            assert!(!error.is_transient());
        }
    }
}
