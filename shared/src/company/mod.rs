//! Company figures: **computed once per company and kind**, however many ask, shared by all of them, and kept for a while.
//!
//! There are two layers of claims ([`crate::claim`]): one for each company and kind, and one for the company's base, its days of the
//! ledger, which the three kinds share. Whoever wants figures looks for a fresh result; who finds none claims the kind, asks `company-compute` by
//! a message to do the work, and then waits like everybody else. So nobody's connection carries the work: a caller that leaves ends its own wait
//! and nothing else.
//!
//! Not covered: what is written to the ledger meanwhile. Figures tell what was there when their base was read, which may be as long before
//! `computed_at` as a base holds.

mod base;
mod cache;
mod compute;
mod figures;
mod profile;
mod query;
mod singleflight;
mod store;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use self::{base::Ledger, cache::Memory, singleflight::Singleflight, store::Store};
use crate::{
    aws::{Aws, ServiceError},
    claim::Claims,
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use compute::{ComputeError, DAYS, Message};
pub use figures::{Base, DaySums, EmployeeFigures, FinancialFigures, Fraction, SalesFigures};
pub use profile::{CompanyId, NewProfile, Profile};
pub use query::{Answer, CacheStatus, FiguresError, FiguresKey, Kind, Response};

/// Where companies are kept, and how long what holds.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Companies`.
    pub table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// The URL of the queue of figures to be computed.
    pub queue_url: String,
    /// How long a company's base holds.
    pub base_ttl: Duration,
    /// How long figures hold.
    pub api_ttl: Duration,
    /// How long a failure holds, and a company that is not there.
    pub failure_ttl: Duration,
    /// How long a caller waits.
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

/// Companies and their figures. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct Companies(Arc<Inner>);

/// What pollers hold, too, which outlive the requests that began them.
#[derive(Debug)]
struct Inner {
    store: Store,
    claims: Claims,
    aws: Aws,
    settings: Settings,
    queue: OnceLock<Queue>,
    ledger: OnceLock<Ledger>,
    memory: Memory,
    polls: Singleflight,
}

impl Companies {
    /// Over the settings' tables and queue, with an empty memory.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            store: Store::new(aws.dynamo(), settings.table.clone()),
            claims: Claims::new(aws.dynamo(), settings.table.clone()),
            aws: aws.clone(),
            settings: settings.clone(),
            queue: OnceLock::new(),
            ledger: OnceLock::new(),
            memory: Memory::default(),
            polls: Singleflight::default(),
        }))
    }

    /// One cheap call, so that the connection stands and TLS is set up before the first request.
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
