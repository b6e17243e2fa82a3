//! Transactions that happen once.
//!
//! The first item of a transaction is its record: an item with a condition that can hold only once
//! (*it does not exist yet*, *it is still confirmed*). The rest of the transaction happens if and
//! only if the record is written. So a request that is sent again, or whose reply was lost, finds
//! the record, and its work is done.

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use super::Item;
use crate::{aws::ServiceError, invocation};

/// The outcome of a transaction.
#[derive(Debug, PartialEq)]
pub enum Commit {
    /// The transaction is committed.
    Done,
    /// The record exists, with these attributes. This wins over every other reason.
    AlreadyRecorded(Item),
    /// Another transaction held one of the items, or a partition was throttled: it may be retried.
    Conflict,
    /// The condition of an item other than the record failed.
    ConditionFailed,
}

/// Writes `record` and `rest`, all or nothing.
///
/// The record must have `ReturnValuesOnConditionCheckFailure = ALL_OLD`. The retries of the SDK
/// carry one token, so they get the lost reply of an earlier attempt; a new call of this function
/// finds the record.
///
/// # Errors
/// The store failed; whether the transaction was committed is then unknown.
pub async fn commit(
    client: &Client,
    record: TransactWriteItem,
    rest: impl IntoIterator<Item = TransactWriteItem>,
) -> Result<Commit, ServiceError> {
    let items = std::iter::once(record).chain(rest).collect();
    let transact = client.transact_write_items().set_transact_items(Some(items));
    match transact.client_request_token(invocation::token().to_string()).send().await {
        Ok(_) => Ok(Commit::Done),
        Err(error) => outcome(error),
    }
}

fn outcome(error: SdkError<TransactWriteItemsError>) -> Result<Commit, ServiceError> {
    // An earlier attempt of this call is still in progress.
    if error.code() == Some("TransactionInProgressException") {
        return Ok(Commit::Conflict);
    }
    let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        error.as_service_error()
    else {
        return Err(error.into());
    };
    let reasons = canceled.cancellation_reasons();
    if let Some(CancellationReason { item: Some(existing), .. }) = reasons.first() {
        return Ok(Commit::AlreadyRecorded(existing.clone()));
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

    fn canceled(codes: &[&str], mut existing: Option<Item>) -> SdkError<TransactWriteItemsError> {
        let reasons = codes
            .iter()
            .map(|code| CancellationReason::builder().code(*code).set_item(existing.take()).build())
            .collect();
        let exception =
            TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
        SdkError::service_error(
            TransactWriteItemsError::TransactionCanceledException(exception),
            HttpResponse::new(400.try_into().expect("a status"), "".into()),
        )
    }

    #[test]
    fn an_existing_record_wins_over_every_other_reason() {
        let record = Item::from([("pk".to_owned(), AttributeValue::S("ORDER#1".to_owned()))]);
        for other in ["ConditionalCheckFailed", CONFLICT, "ThrottlingError", "None"] {
            let error = canceled(&["ConditionalCheckFailed", other], Some(record.clone()));
            assert_eq!(outcome(error).expect(other), Commit::AlreadyRecorded(record.clone()));
        }
    }

    #[test]
    fn a_conflict_or_a_throttle_is_never_reported_as_a_failed_condition() {
        for code in [CONFLICT, "ThrottlingError", "ProvisionedThroughputExceeded"] {
            let error = canceled(&["None", code, "ConditionalCheckFailed"], None);
            assert_eq!(outcome(error).expect(code), Commit::Conflict);
        }
        let error = canceled(&["None", "None", "ConditionalCheckFailed"], None);
        assert_eq!(outcome(error).expect("an answer"), Commit::ConditionFailed);
    }

    #[test]
    fn a_reason_that_no_retry_can_fix_is_a_permanent_error() {
        for code in ["ValidationError", "ItemCollectionSizeLimitExceeded", "None"] {
            let error = outcome(canceled(&["None", code], None)).expect_err(code);
            assert!(!error.is_transient());
        }
    }
}
