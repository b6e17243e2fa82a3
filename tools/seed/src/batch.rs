//! Transactions in the ledger, 25 at a time, whatever the table turns away meanwhile.

use std::{collections::HashMap, time::Duration};

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{PutRequest, ReturnConsumedCapacity, WriteRequest},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use once::{aws::ServiceError, ledger::Entry};
use tokio::time::sleep;

use crate::stack::Stack;

/// Items that `BatchWriteItem` takes at most.
pub const BATCH: usize = 25;

/// Why a transaction was not written, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The store failed for a reason that does not pass.
    #[error(transparent)]
    Store(#[from] ServiceError),
    /// The table throttled, try after try. No source means that it answered each time, and took nothing.
    #[error(
        "the table took none of {left} transactions in {TRIES} tries; it may need more write capacity"
    )]
    TurnedAway {
        /// Transactions of the batch that are not known to be written.
        left: usize,
        /// How the last call failed, if it did.
        source: Option<ServiceError>,
    },
}

/// Tries in a row that achieve nothing before a write is given up: some four minutes.
const TRIES: usize = 40;

/// Pauses that double from 50 ms to 5 s, each lengthened by up to itself at random.
pub fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_max_times(TRIES - 1)
        .with_jitter()
}

/// Writes at most [`BATCH`] transactions; answers the write units that the table told. A put that is repeated, since its answer
/// was lost, writes the same item again.
///
/// # Errors
/// Some are not written, or not known to be.
pub async fn write(stack: &Stack, entries: &[Entry]) -> Result<f64, WriteError> {
    let mut left = entries.iter().map(put).collect::<Result<Vec<_>, _>>()?;
    let mut units = 0.0;
    let mut pause = pauses().build();
    loop {
        let before = left.len();
        let failure = match try_once(stack, left.clone()).await {
            Ok(tried) => {
                units += tried.units;
                left = tried.unprocessed;
                None
            }
            Err(failure) if failure.is_passing() => Some(failure),
            Err(failure) => return Err(failure.into()),
        };
        if left.is_empty() {
            return Ok(units);
        }
        if left.len() < before {
            pause = pauses().build();
        }
        let Some(time) = pause.next() else {
            return Err(WriteError::TurnedAway { left: left.len(), source: failure });
        };
        sleep(time).await;
    }
}

/// What came of one call.
struct Tried {
    unprocessed: Vec<WriteRequest>,
    units: f64,
}

async fn try_once(stack: &Stack, puts: Vec<WriteRequest>) -> Result<Tried, ServiceError> {
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
    Ok(Tried { unprocessed, units })
}

fn put(entry: &Entry) -> Result<WriteRequest, ServiceError> {
    let put: Result<_, BuildError> = PutRequest::builder().set_item(Some(entry.item()?)).build();
    Ok(WriteRequest::builder().put_request(put.map_err(ServiceError::undecodable)?).build())
}
