//! Writes the companies, products and transactions of a plan to the tables, and adds up their sums.

use std::time::Duration;

use backon::Retryable;
use futures_util::{StreamExt, TryStreamExt, stream};
use once::{
    aws::ServiceError,
    idempotency::InvalidKey,
    orders::{CreateError, NewProduct, Orders, Settings},
};

use crate::{
    batch::{self, BATCH, WriteError},
    plan::Plan,
    stack::Stack,
    sums::Sums,
};

/// Retry budget of one attempt to create a product.
const RETRY_BUDGET: Duration = Duration::from_secs(10);

/// Shortest delay of a retry that is logged.
const LOGGED_DELAY: Duration = Duration::from_secs(2);

/// A product was not created.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    /// The order service rejected it, or the store failed.
    #[error("product {0} was not created: {1}")]
    Create(usize, #[source] CreateError),
    /// Its idempotency key is invalid; no plan generates such a key.
    #[error("product {0} has an invalid idempotency key: {1}")]
    Key(usize, #[source] InvalidKey),
}

/// A company was not written.
#[derive(Debug, thiserror::Error)]
pub enum CompanyError {
    /// Its id or profile is invalid; no plan generates such a company.
    #[error("company is invalid: {0}")]
    Invalid(#[from] serde_json::Error),
    /// The store failed.
    #[error("company was not written: {0}")]
    Store(#[from] ServiceError),
}

/// Sums and costs of the written transactions.
#[derive(Debug)]
pub struct WriteSummary {
    /// Sums per merchant and day.
    pub sums: Sums,
    /// Consumed write units, without those of lost answers.
    pub units: f64,
}

/// Writes each merchant's profile as a company, replacing an existing one. Returns the number of
/// their employees.
///
/// # Errors
/// A company is not written. Those before it are; a new run with the same plan writes them again.
pub async fn put_companies(stack: &Stack, plan: &Plan) -> Result<u32, CompanyError> {
    let mut employees = 0;
    for (id, profile) in plan.companies()? {
        employees += profile.employees.get();
        (|| stack.companies.put(id.clone(), profile.clone(), plan.start()))
            .retry(batch::backoff())
            .when(ServiceError::is_transient)
            .await?;
    }
    Ok(employees)
}

/// Creates the products one after another, so that in an empty table their ids are their numbers.
/// Returns the number of new ones; the others exist from an earlier run. Every run takes an id for
/// each product, used or not, so a second run leaves a gap.
///
/// # Errors
/// A product is not created. Those before it are; a new run with the same plan finds them.
pub async fn create_products(
    stack: &Stack,
    plan: &Plan,
    catalog: &[NewProduct],
) -> Result<usize, ProductError> {
    let settings = Settings {
        orders_table: stack.orders.clone(),
        ledger_table: stack.ledger.clone(),
        retry_budget: RETRY_BUDGET,
        sold_out_cache: Duration::ZERO,
    };
    let orders = Orders::new(stack.client.clone(), settings);
    let mut new = 0;
    for (number, product) in (1..).zip(catalog) {
        let key = plan.product_key(number).map_err(|invalid| ProductError::Key(number, invalid))?;
        let created = (|| orders.create_product(product.clone(), Some(&key), plan.start()))
            .retry(batch::backoff())
            .when(is_transient)
            .notify(|error, delay| log_retry(number, error, delay))
            .await
            .map_err(|error| ProductError::Create(number, error))?;
        new += usize::from(!created.replayed);
    }
    Ok(new)
}

/// Logs a late retry. An unreachable stack is noticed here, long before the last attempt.
fn log_retry(number: usize, error: &CreateError, delay: Duration) {
    if delay >= LOGGED_DELAY {
        eprintln!("retrying product {number}: {error}");
    }
}

fn is_transient(error: &CreateError) -> bool {
    match error {
        CreateError::Contended => true,
        CreateError::Store(failure) => failure.is_transient(),
        CreateError::KeyReused => false,
    }
}

/// Writes all transactions, at most `at_once` batches at a time, and adds them up. Calls `progress`
/// with the size of each written batch.
///
/// Only the batches in flight are in memory.
///
/// # Errors
/// A transaction is not written, so the sums would differ from the table. A new run with the same
/// plan writes all of them again.
pub async fn write_entries(
    stack: &Stack,
    plan: &Plan,
    catalog: &[NewProduct],
    at_once: usize,
    progress: impl Fn(usize),
) -> Result<WriteSummary, WriteError> {
    let mut sums = Sums::default();
    let mut units = 0.0;
    let mut entries = plan.entries(catalog).inspect(|entry| sums.add(entry));
    let batches = std::iter::from_fn(|| {
        let batch: Vec<_> = entries.by_ref().take(BATCH).collect();
        (!batch.is_empty()).then_some(batch)
    });
    let writes = batches.map(|batch| async move {
        batch::write(stack, &batch).await.map(|units| (batch.len(), units))
    });
    let mut writes = stream::iter(writes).buffer_unordered(at_once);
    while let Some((count, consumed)) = writes.try_next().await? {
        units += consumed;
        progress(count);
    }
    drop(writes);
    drop(entries);
    Ok(WriteSummary { sums, units })
}
