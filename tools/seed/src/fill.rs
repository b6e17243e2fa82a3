//! A plan becomes what the tables hold, and the sums of it.

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

/// How long one product is tried before it is begun anew.
const BUDGET: Duration = Duration::from_secs(10);

/// From which pause on a new try is told.
const LONG: Duration = Duration::from_secs(2);

/// Why a product is not there.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    /// The orders refused it or the store failed.
    #[error("product {0} was not created: {1}")]
    Create(usize, #[source] CreateError),
    /// Its key is none; no plan makes such a key.
    #[error("product {0} has no key: {1}")]
    Key(usize, #[source] InvalidKey),
}

/// Why a company is not there.
#[derive(Debug, thiserror::Error)]
pub enum CompanyError {
    /// It is none; no plan makes such a company.
    #[error("a company does not fit: {0}")]
    Unfit(#[from] serde_json::Error),
    /// The store failed.
    #[error("a company was not written: {0}")]
    Store(#[from] ServiceError),
}

/// What came of the transactions.
#[derive(Debug)]
pub struct Written {
    /// What they add up to, merchant by merchant and day by day.
    pub sums: Sums,
    /// Write units that the table told. Those of a lost answer are not in it.
    pub units: f64,
}

/// Writes what is told of each merchant as a company, in place of what was told before. Answers how many employees they have.
///
/// # Errors
/// One is not written. Those before it are; with the same plan they are written again.
pub async fn put_companies(stack: &Stack, plan: &Plan) -> Result<u32, CompanyError> {
    let mut employees = 0;
    for (id, profile) in plan.companies()? {
        employees += profile.employees.get();
        (|| stack.companies.put(id.clone(), profile.clone(), plan.begin()))
            .retry(batch::pauses())
            .when(ServiceError::is_passing)
            .await?;
    }
    Ok(employees)
}

/// Creates the products, one after the other, so that in an empty table their ids follow their numbers. Answers how many are
/// new; the others were there from a run before. Every run takes an id for each product, used or not, so a second run leaves a gap.
///
/// # Errors
/// One is not there. Those before it are; with the same plan they are found again.
pub async fn create_products(
    stack: &Stack,
    plan: &Plan,
    catalog: &[NewProduct],
) -> Result<usize, ProductError> {
    let settings = Settings {
        orders_table: stack.orders.clone(),
        ledger_table: stack.ledger.clone(),
        retry_budget: BUDGET,
        sold_out_cache: Duration::ZERO,
    };
    let orders = Orders::new(stack.client.clone(), settings);
    let mut new = 0;
    for (number, product) in (1..).zip(catalog) {
        let key = plan.product_key(number).map_err(|unfit| ProductError::Key(number, unfit))?;
        let created = (|| orders.create_product(product.clone(), Some(&key), plan.begin()))
            .retry(batch::pauses())
            .when(may_pass)
            .notify(|error, pause| tell(number, error, pause))
            .await
            .map_err(|error| ProductError::Create(number, error))?;
        new += usize::from(!created.replayed);
    }
    Ok(new)
}

/// A stack that cannot be reached is noticed here first, and long before the last try.
fn tell(number: usize, error: &CreateError, pause: Duration) {
    if pause >= LONG {
        eprintln!("product {number} is tried again: {error}");
    }
}

fn may_pass(error: &CreateError) -> bool {
    match error {
        CreateError::Contended => true,
        CreateError::Store(failure) => failure.is_passing(),
        CreateError::KeyReused => false,
    }
}

/// Writes all transactions, so many batches at once, and adds them up on the way. `progress` hears how many are written more.
///
/// No more of them are in memory than are under way.
///
/// # Errors
/// One was not written, and the sums would not be those of the table. With the same plan all are written again.
pub async fn write_entries(
    stack: &Stack,
    plan: &Plan,
    catalog: &[NewProduct],
    at_once: usize,
    progress: impl Fn(usize),
) -> Result<Written, WriteError> {
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
    Ok(Written { sums, units })
}
