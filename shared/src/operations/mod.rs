//! How the deployment is: whether what it stands on answers ([`Health`]), and what it comes to in numbers ([`Gauges`]).
//!
//! An instance of a function knows only itself, and another one answers the next call. So both tell what holds for the whole deployment: they
//! ask the services and the tables each time, and add nothing up. What only an instance knows is in CloudWatch already, and is read from there.
//!
//! Not covered: what the tables would tell only by reading all of them. `docs/OPERATIONS.md` has each number with its source.

mod checks;
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
    webhook::SecretError,
};

use self::{functions::Functions, queues::Queues, series::CloudWatchMetrics};

pub use checks::Health;
pub use gauges::Gauges;
pub use health::{Check, Checks, Report, Status};

/// What is looked at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names of all tables.
    pub tables: Vec<String>,
    /// The queues that feed workers.
    pub queues: Vec<QueueName>,
    /// Where their messages end that were tried too often, as far as the process was told.
    pub dead_letters: Vec<QueueName>,
    /// The bucket of settlements.
    pub bucket: String,
    /// The name of the stack, if each of its functions is to be told of.
    pub stack: Option<String>,
}

impl Settings {
    /// Reads the names of all tables, queues and the bucket, `STACK_NAME`, and the URLs of those
    /// dead-letter queues that are set.
    pub fn read(variables: &Variables<'_>) -> Result<Self, VariableError> {
        let required = |variable| variables.required(variable);
        let queue = |(name, variable)| Ok(QueueName { name, url: variables.required(variable)? });
        let dead_letters =
            |(name, variable)| variables.text(variable).map(|url| QueueName { name, url });
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

/// A queue, as people call it and as it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueName {
    /// `settlement-plan`
    pub name: &'static str,
    /// Its URL.
    pub url: String,
}

/// What is asked for numbers beside the tables: the queues, and CloudWatch.
#[derive(Debug)]
pub struct MetricSources {
    queues: Queues,
    counted: CloudWatchMetrics,
    functions: Functions,
}

impl MetricSources {
    /// Over the settings' queues, with an empty memory.
    #[must_use]
    pub fn new(aws: &Aws, settings: &Settings) -> Self {
        let Settings { queues, dead_letters, stack, .. } = settings;
        // It adds up what it is asked for: that may take longer than a read.
        let cloudwatch = aws.with_long_timeouts().cloudwatch();
        Self {
            queues: Queues::new(aws.sqs(), queues.clone(), dead_letters.clone()),
            counted: CloudWatchMetrics::new(cloudwatch.clone()),
            functions: Functions::new(cloudwatch, stack.clone()),
        }
    }
}

/// Why something gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
enum CheckError {
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] ServiceError),
    /// Nobody can sign with it.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// The answer, if it comes in time.
async fn within<T, E>(
    deadline: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, CheckError>
where
    CheckError: From<E>,
{
    Ok(tokio::time::timeout(deadline, asked).await.map_err(|_| CheckError::Late(deadline))??)
}
