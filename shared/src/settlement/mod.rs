//! Settlement: **each transaction is in the sums once per run**, and runs with the same cutoff
//! produce the same bytes, whatever messages are duplicated, late or lost and whichever worker
//! dies.
//!
//! A settlement sums the ledger of a range of days per merchant and day, up to a cutoff, in batches
//! that workers receive from a queue. One transaction moves a batch from `TODO` to `DONE` with its
//! totals, so a batch that is summed twice counts once, and progress, the sum of all `DONE` items,
//! cannot drift. Only the batches of the plan that the settlement names count; a plan that is
//! duplicate, late or incomplete has no effect. States change by conditional updates, so of a
//! cancellation and a completion exactly one is applied.
//!
//! Not covered: entries that appear in the ledger more than [`LEDGER_LAG`] after the time that they
//! contain. A settlement that encounters them fails (`LEDGER_CHANGED`) or has been computed without
//! them; it never publishes sums that do not add up. `docs/SETTLEMENT.md` describes the protocol.
//!
//! | file | content |
//! |---|---|
//! | `job` | `Job`, a settlement as stored, and its `State` |
//! | `days`, `totals`, `progress`, `message` | values: ranges, sums, finished batches, queue messages |
//! | `transition` | the state machine |
//! | `job_status`, `job_failure` | a settlement as callers see it; why one fails |
//! | `store`, `batch_store`, `lease` | `impl Store`: settlements, batches, and leases as items |
//! | `ledger_reader`, `files`, `csv_report` | the ledger, the bucket, the formats of its objects |
//! | `create`, `queries`, `cancel`, `retry`, `download` | what callers request |
//! | `plan`, `batch`, `finish` with `merge` | the three workers |
//! | `work`, `dispatch` | what the workers share: results of attempts, sending of messages |
//! | `dead_letter`, `resend` | messages that used up their attempts, settlements that stalled |
//!
//! `impl Settlement` has one file per use case: each holds the method that a function calls and the
//! private steps of that method. This file holds only its construction and its clients.

mod batch;
mod batch_store;
mod cancel;
mod create;
mod csv_report;
mod days;
mod dead_letter;
mod dispatch;
mod download;
mod files;
mod finish;
mod job;
mod job_failure;
mod job_status;
mod lease;
mod ledger_reader;
mod merge;
mod message;
mod plan;
mod progress;
mod queries;
mod resend;
mod retry;
mod store;
mod totals;
mod transition;
mod work;

use std::sync::OnceLock;

use self::{files::Files, ledger_reader::LedgerReader, store::Store};
use crate::{
    aws::{Aws, ServiceError},
    env::{VariableError, Variables},
    sqs::Queue,
};

pub use cancel::CancelError;
pub use create::{AcceptedJob, CreateError};
pub use days::{Days, InvalidDays, MAX_DAYS};
pub use download::{Content, Download, DownloadError};
pub use job::{FailureRecord, InvalidJobId, JobId, LEDGER_LAG, State};
pub use job_status::JobStatus;
pub use message::{BatchId, Message};
pub use queries::{JobCounts, JobPlace};
pub use resend::ResendSummary;
pub use retry::RetryError;
pub use totals::{Accumulator, Totals};
pub use work::WorkError;

/// Table, ledger, bucket, queues and batch size of settlements.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Table `Settlements`.
    pub table: String,
    /// Table `Ledger`.
    pub ledger_table: String,
    /// Bucket of parts and reports.
    pub bucket: String,
    /// Queues of the workers.
    pub queues: QueueUrls,
    /// Maximum transactions of a batch.
    pub batch_size: u32,
}

impl Settings {
    /// Reads `SETTLEMENTS_TABLE`, `LEDGER_TABLE`, `SETTLEMENT_BUCKET`, `JOB_BATCH_SIZE` and the
    /// URLs of the three queues.
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
    /// Of settlements to plan.
    pub plan: String,
    /// Of batches to sum.
    pub batch: String,
    /// Of settlements to finish.
    pub finish: String,
}

/// Settlements. Clients that only some functions use are created on first use.
#[derive(Debug)]
pub struct Settlement {
    store: Store,
    ledger: LedgerReader,
    aws: Aws,
    settings: Settings,
    files: OnceLock<Files>,
    plan_queue: OnceLock<Queue>,
    batch_queue: OnceLock<Queue>,
    finish_queue: OnceLock<Queue>,
}

impl Settlement {
    /// Creates settlements on the tables, queues and bucket of the settings.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        Self {
            store: Store::new(aws.dynamo(), settings.table.clone()),
            ledger: LedgerReader::new(aws, settings.ledger_table.clone()),
            aws: aws.clone(),
            settings: settings.clone(),
            files: OnceLock::new(),
            plan_queue: OnceLock::new(),
            batch_queue: OnceLock::new(),
            finish_queue: OnceLock::new(),
        }
    }

    /// Makes one cheap call, so that the connection and TLS are set up before the first request.
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

    fn plan_queue(&self) -> &Queue {
        self.plan_queue.get_or_init(|| self.queue(&self.settings.queues.plan))
    }

    fn batch_queue(&self) -> &Queue {
        self.batch_queue.get_or_init(|| self.queue(&self.settings.queues.batch))
    }

    fn finish_queue(&self) -> &Queue {
        self.finish_queue.get_or_init(|| self.queue(&self.settings.queues.finish))
    }

    fn queue(&self, url: &str) -> Queue {
        Queue::new(self.aws.sqs(), url.to_owned())
    }
}
