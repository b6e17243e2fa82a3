//! Health checks ([`Health`]) and metrics ([`Gauges`]) of the deployment.
//!
//! An instance of a function knows only its own state, and the next call may reach another
//! instance. Both therefore describe the whole deployment: they query the services and the tables
//! for each response, and accumulate nothing. What only an instance knows is in CloudWatch already,
//! and is read from there.
//!
//! Not covered: values that would require reading whole tables. `docs/OPERATIONS.md` lists each
//! metric with its source.
//!
//! | file | content |
//! |---|---|
//! | `health.rs` | the rule from checks to a status; pure |
//! | `checks.rs` | runs the checks |
//! | `gauges.rs` | reads all sources of metrics for one scrape |
//! | `queues.rs` | depths of queues, from SQS |
//! | `cloudwatch.rs` | metrics of the features, the API and Lambda, from CloudWatch |
//! | `series.rs` | the table of these metrics |
//! | `functions.rs` | metrics of each function of the stack, from CloudWatch |
//! | `window.rs` | reads and aggregates a window of CloudWatch metrics |
//! | `exposition.rs` | Prometheus's text format |

mod checks;
mod cloudwatch;
mod exposition;
mod functions;
mod gauges;
mod health;
mod queues;
mod series;
mod window;

use std::time::Duration;

use crate::{
    aws::{Aws, ServiceError},
    env::{VariableError, Variables},
    secret::SecretError,
};

use self::{cloudwatch::CloudWatchMetrics, functions::Functions, queues::Queues};

pub use checks::Health;
pub use gauges::Gauges;
pub use health::{Check, Checks, Report, Status};

/// The resources that are checked and measured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names of all tables.
    pub tables: Vec<String>,
    /// The queues that feed workers.
    pub queues: Vec<Queue>,
    /// The dead-letter queues whose URLs are set.
    pub dead_letters: Vec<Queue>,
    /// The bucket of settlements.
    pub bucket: String,
    /// The name of the stack, if the metrics of each of its functions are reported.
    pub stack: Option<String>,
}

impl Settings {
    /// Reads the names of all tables, queues and the bucket, `STACK_NAME`, and the URLs of those
    /// dead-letter queues that are set.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let required = |variable| variables.required(variable);
        let queue = |(name, variable)| Ok(Queue { name, url: variables.required(variable)? });
        let dead_letters =
            |(name, variable)| variables.text(variable).map(|url| Queue { name, url });
        Ok(Self {
            tables: TABLES.into_iter().map(required).collect::<Result<_, _>>()?,
            queues: QUEUES.into_iter().map(queue).collect::<Result<_, _>>()?,
            dead_letters: DEAD_LETTER_QUEUES.into_iter().filter_map(dead_letters).collect(),
            bucket: variables.required("SETTLEMENT_BUCKET")?,
            stack: variables.text("STACK_NAME"),
        })
    }
}

/// The variables that name the tables.
const TABLES: [&str; 6] = [
    "ORDERS_TABLE",
    "LEDGER_TABLE",
    "UNIQUES_TABLE",
    "COMPANIES_TABLE",
    "SETTLEMENTS_TABLE",
    "SCHEDULES_TABLE",
];

/// The queues that feed workers, and the variables with their URLs.
const QUEUES: [(&str, &str); 6] = [
    ("callback", "CALLBACK_QUEUE_URL"),
    ("company", "COMPANY_QUEUE_URL"),
    ("settlement-plan", "SETTLEMENT_PLAN_QUEUE_URL"),
    ("settlement-batch", "SETTLEMENT_BATCH_QUEUE_URL"),
    ("settlement-finish", "SETTLEMENT_FINISH_QUEUE_URL"),
    ("schedule", "SCHEDULE_QUEUE_URL"),
];

/// The dead-letter queues, and the variables with their URLs.
const DEAD_LETTER_QUEUES: [(&str, &str); 4] = [
    ("callback", "CALLBACK_DEAD_LETTER_QUEUE_URL"),
    ("company", "COMPANY_DEAD_LETTER_QUEUE_URL"),
    ("settlement", "SETTLEMENT_DEAD_LETTER_QUEUE_URL"),
    ("schedule", "SCHEDULE_DEAD_LETTER_QUEUE_URL"),
];

/// A queue: its name in checks and metrics, and its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// `settlement-plan`
    pub name: &'static str,
    /// Its URL.
    pub url: String,
}

/// The sources of metrics other than the tables: the queues and CloudWatch.
#[derive(Debug)]
pub struct MetricSources {
    queues: Queues,
    cloudwatch: CloudWatchMetrics,
    functions: Functions,
}

impl MetricSources {
    /// Creates the sources over the settings' queues and stack, with empty caches.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        let Settings { queues, dead_letters, stack, .. } = settings;
        // CloudWatch aggregates for each query, which can take longer than a read.
        let cloudwatch = aws.with_long_timeouts().cloudwatch();
        Self {
            queues: Queues::new(aws.sqs(), queues.clone(), dead_letters.clone()),
            cloudwatch: CloudWatchMetrics::new(cloudwatch.clone()),
            functions: Functions::new(cloudwatch, stack.clone()),
        }
    }
}

/// Why a check failed or a source could not be read.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    /// The deadline passed.
    #[error("no response within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// The service failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
    /// There is no webhook secret to sign with.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Returns the call's result, or [`CheckError::TimedOut`] if it takes longer than `deadline`.
async fn with_deadline<T, E>(
    deadline: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, CheckError>
where
    CheckError: From<E>,
{
    Ok(tokio::time::timeout(deadline, call).await.map_err(|_| CheckError::TimedOut(deadline))??)
}
