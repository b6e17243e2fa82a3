//! Company figures: **computed once per company and kind** for all concurrent callers, and shared
//! until they expire.
//!
//! There are two layers of claims ([`crate::claim`]): one per company and kind, and one per company
//! for its base, the daily sums of its ledger, which the three kinds share. A request uses a result
//! that has not expired. Without one it claims the key, sends a message to `company-compute`, and
//! then waits like all other requests. So no caller's connection carries the computation: a caller
//! that disconnects ends only its own wait.
//!
//! Not covered: entries of the ledger that are written after the base was read. Figures describe
//! the ledger at that time, which is up to a base's lifetime before `computed_at`.
//!
//! | file | what |
//! |---|---|
//! | `profile.rs` | company profiles |
//! | `query.rs` | kinds, keys, answers and errors |
//! | `message.rs` | the worker's message |
//! | `store.rs` | profiles in the table |
//! | `cache.rs` | an instance's cache |
//! | `singleflight.rs` | one poll per key and instance |
//! | `lookup.rs` | a request: cache, then poll |
//! | `compute.rs` | the worker |
//! | `base.rs` | reads the base from the ledger |
//! | `sums.rs` | the base: sums of each day |
//! | `figures.rs`, `fraction.rs` | the formulas |

mod base;
mod cache;
mod compute;
mod figures;
mod fraction;
mod lookup;
mod message;
mod profile;
mod query;
mod singleflight;
mod store;
mod sums;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use self::{base::Ledger, cache::Cache, singleflight::Singleflight, store::Store};
use crate::{
    aws::{Aws, ServiceError},
    claim::Claims,
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use compute::{ComputeError, DAYS};
pub use figures::{EmployeeFigures, FinancialFigures, SalesFigures};
pub use fraction::Fraction;
pub use message::Message;
pub use profile::{CompanyId, NewProfile, Profile};
pub use query::{Answer, CacheStatus, FiguresError, FiguresKey, Kind, Response};
pub use sums::{Base, DaySums};

/// Tables, queue, lifetimes and wait of the company figures.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Companies`.
    pub table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// URL of the queue of `company-compute`.
    pub queue_url: String,
    /// Lifetime of a company's base.
    pub base_ttl: Duration,
    /// Lifetime of figures.
    pub api_ttl: Duration,
    /// Lifetime of a failure, and of a missing company's entry in the cache.
    pub failure_ttl: Duration,
    /// Maximum time that a caller waits.
    pub wait: Duration,
}

impl Settings {
    /// Reads `COMPANIES_TABLE`, `LEDGER_TABLE`, `COMPANY_QUEUE_URL`, `BASE_TTL_SECONDS`,
    /// `API_TTL_SECONDS`, `FAILURE_TTL_SECONDS` and `WAIT_SECONDS`.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        Ok(Self {
            table: variables.required("COMPANIES_TABLE")?,
            ledger_table: variables.required("LEDGER_TABLE")?,
            queue_url: variables.required("COMPANY_QUEUE_URL")?,
            base_ttl: variables.seconds("BASE_TTL_SECONDS", 300, 1..=86_400)?,
            api_ttl: variables.seconds("API_TTL_SECONDS", 60, 1..=86_400)?,
            failure_ttl: variables.seconds("FAILURE_TTL_SECONDS", 5, 1..=300)?,
            wait: variables.seconds("WAIT_SECONDS", 10, 1..=25)?,
        })
    }
}

/// Companies and their figures. A clone is a pointer to the same state.
#[derive(Debug, Clone)]
pub struct Companies(Arc<Inner>);

/// Shared state. Polls hold it too, since they may outlive the request that started them.
#[derive(Debug)]
struct Inner {
    store: Store,
    claims: Claims,
    aws: Aws,
    settings: Settings,
    queue: OnceLock<Queue>,
    ledger: OnceLock<Ledger>,
    cache: Cache,
    singleflight: Singleflight,
}

impl Companies {
    /// Returns companies over the settings' tables and queue, with an empty cache.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            store: Store::new(aws.dynamo(), settings.table.clone()),
            claims: Claims::new(aws.dynamo(), settings.table.clone()),
            aws: aws.clone(),
            settings: settings.clone(),
            queue: OnceLock::new(),
            ledger: OnceLock::new(),
            cache: Cache::default(),
            singleflight: Singleflight::default(),
        }))
    }

    /// Sends one cheap read, so that the connection and TLS are set up before the first request.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.0.store.warm().await
    }
}

impl Inner {
    fn queue(&self) -> &Queue {
        self.queue.get_or_init(|| Queue::new(self.aws.sqs(), self.settings.queue_url.clone()))
    }

    fn ledger(&self) -> &Ledger {
        self.ledger.get_or_init(|| Ledger::new(&self.aws, &self.settings))
    }
}
