//! Settlement: **a transaction is settled once a run**. Totals and progress cannot drift, whatever is delivered twice.
//!
//! A job sums the ledger of some days per merchant and day, up to a cutoff, in batches that many workers take from a queue. What a
//! batch comes to is recorded by one transaction that moves it from `TODO` to `DONE`, so a batch that is summed twice counts once;
//! progress is the sum of what is done. The plan that a job names is the only one whose batches count; a plan made twice, late or
//! half is nobody's. States change by conditional updates (`transition.rs`), so of a cancellation and a completion one wins.
//!
//! Not covered: entries that appear in the ledger more than [`LEDGER_LAG`] after the moment that they tell. A job that meets them fails
//! (`LEDGER_CHANGED`) or has counted without them; it never publishes sums that do not add up. `docs/SETTLEMENT.md` has the protocol.

mod batch;
mod batches;
mod csv_report;
mod download;
mod entries;
mod files;
mod finish;
mod job;
mod job_counts;
mod job_failure;
mod job_status;
mod jobs;
mod lease;
mod merge;
mod message;
mod plan;
mod range;
mod resend;
mod store;
mod totals;
mod transition;
mod work;

use std::{sync::OnceLock, time::Duration};

use self::{entries::Ledger, files::Files, store::Store};
use crate::{
    aws::{Aws, ServiceError},
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use download::{Content, Download, DownloadError};
pub use job::{Failure, InvalidJobId, JobId, State};
pub use job_counts::JobCounts;
pub use job_status::JobStatus;
pub use jobs::{Accepted, CancelError, CreateError, Cursor, JobPage, RetryError};
pub use message::{BatchId, Message};
pub use range::{Days, InvalidDays, MOST_DAYS};
pub use resend::Recovered;
pub use totals::{Summing, Totals};
pub use work::WorkError;

/// How long after the moment that it tells an entry may appear in the ledger: longer than the time-out of the functions that write it
/// (15 s) and the difference of two clocks together.
pub const LEDGER_LAG: Duration = Duration::from_secs(20);

/// Where settlements are kept, and how large their batches are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Settlements`.
    pub table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// The bucket of parts and files.
    pub bucket: String,
    /// What feeds the workers.
    pub queues: QueueUrls,
    /// Transactions of a batch at most.
    pub batch_size: u32,
}

impl Settings {
    /// Reads `SETTLEMENTS_TABLE`, `LEDGER_TABLE`, `SETTLEMENT_BUCKET`, `JOB_BATCH_SIZE` and the URLs
    /// of the three queues.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        Ok(Self {
            table: variables.required("SETTLEMENTS_TABLE")?,
            ledger_table: variables.required("LEDGER_TABLE")?,
            bucket: variables.required("SETTLEMENT_BUCKET")?,
            queues: QueueUrls {
                plan: variables.required("SETTLEMENT_PLAN_QUEUE_URL")?,
                batch: variables.required("SETTLEMENT_BATCH_QUEUE_URL")?,
                finish: variables.required("SETTLEMENT_FINISH_QUEUE_URL")?,
            },
            batch_size: variables.number("JOB_BATCH_SIZE", 10_000, 100..=100_000)?,
        })
    }
}

/// URLs of the queues.
#[derive(Debug, Clone)]
pub struct QueueUrls {
    /// Of jobs to be planned.
    pub plan: String,
    /// Of batches to be summed.
    pub batch: String,
    /// Of jobs to be finished.
    pub finish: String,
}

/// Settlements. What only some functions use is made when it is asked for.
#[derive(Debug)]
pub struct Settlement {
    store: Store,
    ledger: Ledger,
    aws: Aws,
    settings: Settings,
    files: OnceLock<Files>,
    plans: OnceLock<Queue>,
    batches: OnceLock<Queue>,
    finishes: OnceLock<Queue>,
}

impl Settlement {
    /// Over the settings' tables, queues and bucket.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings),
            ledger: Ledger::new(aws, settings),
            aws: aws.clone(),
            settings: settings.clone(),
            files: OnceLock::new(),
            plans: OnceLock::new(),
            batches: OnceLock::new(),
            finishes: OnceLock::new(),
        }
    }

    /// One cheap call, so that the connection stands and TLS is set up before the first request.
    ///
    /// # Errors
    /// The store failed.
    pub async fn warm(&self) -> Result<(), ServiceError> {
        self.store.job(JobId::new()).await.map(drop)
    }

    fn files(&self) -> &Files {
        self.files.get_or_init(|| {
            Files::new(self.aws.with_long_timeouts().s3(), self.settings.bucket.clone())
        })
    }

    fn plans(&self) -> &Queue {
        self.plans.get_or_init(|| self.queue(&self.settings.queues.plan))
    }

    fn batches(&self) -> &Queue {
        self.batches.get_or_init(|| self.queue(&self.settings.queues.batch))
    }

    fn finishes(&self) -> &Queue {
        self.finishes.get_or_init(|| self.queue(&self.settings.queues.finish))
    }

    fn queue(&self, url: &str) -> Queue {
        Queue::new(self.aws.sqs(), url.to_owned())
    }
}
