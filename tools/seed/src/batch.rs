//! Writes transactions to the ledger in batches of 25, with retries of throttled items.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{PutRequest, ReturnConsumedCapacity, WriteRequest},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use once::{aws::ServiceError, ledger::Entry};
use tokio::time::sleep;

use crate::stack::Stack;

/// Maximum number of items of a `BatchWriteItem` call.
pub const BATCH: usize = 25;

/// A transaction was not written, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed with an error that a retry does not change.
    #[error(transparent)]
    Store(#[from] ServiceError),
    /// The table throttled every attempt. Without a source, the last call was answered and wrote
    /// nothing.
    #[error(
        "the table wrote none of {left} transactions in {MAX_ATTEMPTS} attempts: \
         increase its write capacity"
    )]
    Throttled {
        /// Number of transactions of the batch that are not known to be written.
        left: usize,
        /// Error of the last call, if it failed.
        source: Option<ServiceError>,
    },
}

/// Consecutive attempts without progress after which a write fails: some four minutes.
const MAX_ATTEMPTS: usize = 40;

/// Returns the backoff: delays that double from 50 ms to 5 s, each with jitter of up to its length.
pub fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(MAX_ATTEMPTS - 1)
        .with_jitter()
}

/// Writes at most [`BATCH`] transactions and returns the consumed write units. A put that is
/// retried because its answer was lost writes the same item again.
///
/// # Errors
/// Some transactions are not written, or not known to be.
pub async fn write(stack: &Stack, entries: &[Entry]) -> Result<f64, WriteError> {
    let mut left = entries.iter().map(put).collect::<Result<Vec<_>, _>>()?;
    let mut units = 0.0;
    let mut delays = backoff().build();
    loop {
        let before = left.len();
        let failure = match attempt(stack, left.clone()).await {
            Ok(answer) => {
                units += answer.units;
                left = answer.unprocessed;
                None
            }
            Err(failure) if failure.is_transient() => Some(failure),
            Err(failure) => return Err(failure.into()),
        };
        if left.is_empty() {
            return Ok(units);
        }
        if left.len() < before {
            delays = backoff().build();
        }
        let Some(delay) = delays.next() else {
            return Err(WriteError::Throttled { left: left.len(), source: failure });
        };
        sleep(delay).await;
    }
}

/// The answer to one call.
struct BatchAnswer {
    unprocessed: Vec<WriteRequest>,
    units: f64,
}

async fn attempt(stack: &Stack, puts: Vec<WriteRequest>) -> Result<BatchAnswer, ServiceError> {
    let answer = stack
        .client
        .batch_write_item()
        .request_items(&stack.ledger, puts)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .send()
        .await?;
    let units = answer.consumed_capacity().iter().filter_map(|table| table.capacity_units).sum();
    let unprocessed = answer
        .unprocessed_items
        .map(HashMap::into_values)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    Ok(BatchAnswer { unprocessed, units })
}

fn put(entry: &Entry) -> Result<WriteRequest, ServiceError> {
    let put: Result<_, BuildError> = PutRequest::builder().set_item(Some(entry.item()?)).build();
    Ok(WriteRequest::builder().put_request(put.map_err(ServiceError::permanent)?).build())
}
