//! What the environment tells the process, read once, in one place. A bad value stops the start and names its variable.
//!
//! | variable | default | what |
//! |---|---|---|
//! | `ORDERS_TABLE`, `LEDGER_TABLE` | – | names of the tables |
//! | `ORDER_BUDGET_MS` | 3000 | how long a write of orders retries against contention, 100 to 8 000 |
//! | `SOLD_OUT_MEMORY_MS` | 1000 | how long an instance remembers that a product is sold out, 0 to 60 000 |
//! | `UNIQUES_TABLE`, `COUNT_STREAM`, `CALLBACK_QUEUE_URL` | – | names of the table and the stream, URL of the queue |
//! | `UNIQUE_SHARDS` | 256 | over how many shards the ids of a minute are spread, 1 to 4 096 |
//! | `SEEN_IDS_MAX` | 1000000 | ids of the minute that an instance remembers at most, 0 to 10 000 000 (19 bytes each) |
//! | `DUPLICATE_IDS` | `refuse` | `refuse` or `accept` |
//! | `ID_RETENTION_HOURS` | 24 | how long the records of ids are kept, 1 to 168 |
//! | `COMPANIES_TABLE`, `COMPANY_QUEUE_URL` | – | name of the table, URL of the queue |
//! | `BASE_TTL_SECONDS` | 300 | how long a company's base holds, 1 to 86 400 |
//! | `API_TTL_SECONDS` | 60 | how long its figures hold, 1 to 86 400 |
//! | `FAILURE_TTL_SECONDS` | 5 | how long a failure holds, 1 to 300 |
//! | `WAIT_SECONDS` | 10 | how long a caller waits for figures, 1 to 25 |
//! | `SETTLEMENTS_TABLE`, `SETTLEMENT_BUCKET` | – | names of the table and the bucket |
//! | `SETTLEMENT_PLAN_QUEUE_URL`, `SETTLEMENT_BATCH_QUEUE_URL`, `SETTLEMENT_FINISH_QUEUE_URL` | – | URLs of the queues |
//! | `JOB_BATCH_SIZE` | 10000 | transactions of a batch at most, 100 to 100 000 |
//! | `SCHEDULES_TABLE`, `SCHEDULE_QUEUE_URL` | – | name of the table, URL of the queue |
//! | `SCHEDULE_TRIES` | 5 | how often the action of an occurrence is tried, 1 to 20 |
//! | `RUN_RETENTION_DAYS` | 30 | how long the history of runs is kept, 1 to 3 650 |
//! | `ACCESS_TOKEN_SHA256` | – | the SHA-256 of one token or two; empty: no token is good |
//! | `ALLOW_ANONYMOUS` | `false` | nobody is asked for a token; refused on AWS itself |
//! | `ACCEPT_NEEDS_TOKEN`, `ORDERS_NEED_TOKEN`, `FIGURES_NEED_TOKEN` | `false` | these endpoints ask for a token, too |
//! | `CALLBACK_DEAD_LETTER_QUEUE_URL`, `COMPANY_DEAD_LETTER_QUEUE_URL`, `SETTLEMENT_DEAD_LETTER_QUEUE_URL`, `SCHEDULE_DEAD_LETTER_QUEUE_URL` | – | URLs of the dead-letter queues, for `metrics-get` only; without one it tells nothing of the queue |
//! | `STACK_NAME` | – | the stack's name, for `metrics-get` only; without it, it tells nothing of single functions |
//! | `WEBHOOK_SECRET` | – | what webhooks are signed with: one or more `whsec_…`, or empty |
//! | `WEBHOOK_SECRET_PARAMETER` | `/once/webhook-secret` | the parameter of Systems Manager that has it otherwise |
//! | `CALLBACK_ALLOW_PRIVATE` | `false` | webhooks may go to private addresses; refused on AWS itself |
//! | `METRICS_EVERY_MS` | 0 | how often an instance writes its metrics at most, 0 to 60 000; 0: with every request |
//! | `LOG_LEVEL` | `info` | `error`, `warn`, `info`, `debug` or `trace` |
//! | `LOG_FORMAT` | `json` | `json` or `text` |

use std::{env, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use tracing::level_filters::LevelFilter;

use crate::{
    access::{self, Access},
    aws::Aws,
    company,
    operations::{self, QueueName},
    orders, schedule, settlement,
    telemetry::Format,
    uniques::{self, Duplicates},
    webhook::{Guard, SecretSource, Secrets, Webhooks as Sender},
};

/// The process's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Of orders.
    pub orders: orders::Settings,
    /// Of uniques.
    pub uniques: uniques::Settings,
    /// Of companies.
    pub companies: company::Settings,
    /// Of settlements.
    pub settlement: settlement::Settings,
    /// Of scheduled jobs.
    pub schedules: schedule::Settings,
    /// Of who may call what.
    pub access: access::Settings,
    /// Of webhooks.
    pub webhooks: Webhooks,
    /// Of what is looked at.
    pub operations: operations::Settings,
    /// How often metrics are written at most.
    pub metrics_every: Duration,
    /// Least severe level that is logged.
    pub log_level: LevelFilter,
    /// How it is written.
    pub log_format: Format,
}

/// Of webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Where they may go.
    pub guard: Guard,
    /// What they are signed with.
    pub secret: Option<Secrets>,
    /// The parameter of Systems Manager that has it otherwise.
    pub parameter: String,
}

impl Webhooks {
    /// What sends them.
    #[must_use]
    pub fn sender(&self, aws: &Aws) -> Sender {
        Sender::new(self.guard, self.secrets(aws), Sender::TIMEOUT)
    }

    /// What they are signed with.
    #[must_use]
    pub fn secrets(&self, aws: &Aws) -> SecretSource {
        match &self.secret {
            Some(secrets) => SecretSource::given(secrets.clone()),
            None => SecretSource::parameter(aws.ssm(), self.parameter.clone()),
        }
    }
}

/// A variable that is missing or says what it cannot.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {variable}: {problem}")]
pub struct ConfigError {
    variable: &'static str,
    problem: String,
}

impl Config {
    /// The settings of this process.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|variable| env::var(variable).ok())
    }

    /// The settings that `lookup` finds.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variables = Variables(&lookup);
        Ok(Self {
            orders: orders::Settings {
                orders_table: variables.required("ORDERS_TABLE")?,
                ledger_table: variables.required("LEDGER_TABLE")?,
                budget: variables.millis("ORDER_BUDGET_MS", 3_000, 100..=8_000)?,
                sold_out_memory: variables.millis("SOLD_OUT_MEMORY_MS", 1_000, 0..=60_000)?,
            },
            uniques: uniques::Settings {
                table: variables.required("UNIQUES_TABLE")?,
                shards: variables.number("UNIQUE_SHARDS", 256, 1..=4_096)?,
                seen_limit: variables.number("SEEN_IDS_MAX", 1_000_000, 0..=10_000_000)?,
                duplicates: variables.parsed("DUPLICATE_IDS", Duplicates::Refuse)?,
                retention: Duration::from_hours(variables.number("ID_RETENTION_HOURS", 24, 1..=168)?),
                stream: variables.required("COUNT_STREAM")?,
                queue_url: variables.required("CALLBACK_QUEUE_URL")?,
            },
            companies: company::Settings {
                table: variables.required("COMPANIES_TABLE")?,
                ledger_table: variables.required("LEDGER_TABLE")?,
                queue_url: variables.required("COMPANY_QUEUE_URL")?,
                base_ttl: variables.seconds("BASE_TTL_SECONDS", 300, 1..=86_400)?,
                api_ttl: variables.seconds("API_TTL_SECONDS", 60, 1..=86_400)?,
                failure_ttl: variables.seconds("FAILURE_TTL_SECONDS", 5, 1..=300)?,
                wait: variables.seconds("WAIT_SECONDS", 10, 1..=25)?,
            },
            settlement: settlement::Settings {
                table: variables.required("SETTLEMENTS_TABLE")?,
                ledger_table: variables.required("LEDGER_TABLE")?,
                bucket: variables.required("SETTLEMENT_BUCKET")?,
                queues: settlement::QueueUrls {
                    plan: variables.required("SETTLEMENT_PLAN_QUEUE_URL")?,
                    batch: variables.required("SETTLEMENT_BATCH_QUEUE_URL")?,
                    finish: variables.required("SETTLEMENT_FINISH_QUEUE_URL")?,
                },
                batch_size: variables.number("JOB_BATCH_SIZE", 10_000, 100..=100_000)?,
            },
            schedules: schedule::Settings {
                table: variables.required("SCHEDULES_TABLE")?,
                queue_url: variables.required("SCHEDULE_QUEUE_URL")?,
                tries: variables.number("SCHEDULE_TRIES", 5, 1..=20)?,
                retention: Duration::from_hours(24 * variables.number("RUN_RETENTION_DAYS", 30, 1..=3_650)?),
            },
            access: access::Settings {
                tokens: variables.optional("ACCESS_TOKEN_SHA256")?,
                anonymous: variables.only_locally("ALLOW_ANONYMOUS")?,
                asking: [
                    variables.parsed("ACCEPT_NEEDS_TOKEN", false)?.then_some(Access::Accept),
                    variables.parsed("ORDERS_NEED_TOKEN", false)?.then_some(Access::Orders),
                    variables.parsed("FIGURES_NEED_TOKEN", false)?.then_some(Access::Figures),
                ]
                .into_iter()
                .flatten()
                .collect(),
            },
            webhooks: Webhooks {
                guard: Guard { allow_private: variables.only_locally("CALLBACK_ALLOW_PRIVATE")? },
                secret: variables.optional("WEBHOOK_SECRET")?,
                parameter: variables.parsed("WEBHOOK_SECRET_PARAMETER", "/once/webhook-secret".to_owned())?,
            },
            operations: variables.operations()?,
            metrics_every: variables.millis("METRICS_EVERY_MS", 0, 0..=60_000)?,
            log_level: variables.parsed("LOG_LEVEL", LevelFilter::INFO)?,
            log_format: variables.parsed("LOG_FORMAT", Format::Json)?,
        })
    }
}

struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// An empty value is none.
    fn given(&self, variable: &str) -> Option<String> {
        (self.0)(variable).filter(|value| !value.is_empty())
    }

    fn required(&self, variable: &'static str) -> Result<String, ConfigError> {
        self.given(variable).ok_or_else(|| ConfigError { variable, problem: "is not set".to_owned() })
    }

    fn parsed<T: FromStr<Err: Display>>(&self, variable: &'static str, default: T) -> Result<T, ConfigError> {
        (self.0)(variable).map_or(Ok(default), |value| {
            value.parse().map_err(|error| ConfigError { variable, problem: format!("{value:?}: {error}") })
        })
    }

    fn optional<T: FromStr<Err: Display>>(&self, variable: &'static str) -> Result<Option<T>, ConfigError> {
        self.given(variable)
            .map(|value| {
                // It may be a secret, so the message does not repeat it.
                value.parse().map_err(|error: T::Err| ConfigError { variable, problem: error.to_string() })
            })
            .transpose()
    }

    /// All tables, queues and files, for those who look after them.
    fn operations(&self) -> Result<operations::Settings, ConfigError> {
        let tables = [
            "ORDERS_TABLE",
            "LEDGER_TABLE",
            "UNIQUES_TABLE",
            "COMPANIES_TABLE",
            "SETTLEMENTS_TABLE",
            "SCHEDULES_TABLE",
        ];
        let queues = [
            ("callback", "CALLBACK_QUEUE_URL"),
            ("company", "COMPANY_QUEUE_URL"),
            ("settlement-plan", "SETTLEMENT_PLAN_QUEUE_URL"),
            ("settlement-batch", "SETTLEMENT_BATCH_QUEUE_URL"),
            ("settlement-finish", "SETTLEMENT_FINISH_QUEUE_URL"),
            ("schedule", "SCHEDULE_QUEUE_URL"),
        ];
        let dead_letters = [
            ("callback", "CALLBACK_DEAD_LETTER_QUEUE_URL"),
            ("company", "COMPANY_DEAD_LETTER_QUEUE_URL"),
            ("settlement", "SETTLEMENT_DEAD_LETTER_QUEUE_URL"),
            ("schedule", "SCHEDULE_DEAD_LETTER_QUEUE_URL"),
        ];
        let queue = |(name, variable)| Ok(QueueName { name, url: self.required(variable)? });
        let told = |(name, variable)| self.given(variable).map(|url| QueueName { name, url });
        Ok(operations::Settings {
            tables: tables.into_iter().map(|variable| self.required(variable)).collect::<Result<_, _>>()?,
            queues: queues.into_iter().map(queue).collect::<Result<_, _>>()?,
            dead_letters: dead_letters.into_iter().filter_map(told).collect(),
            bucket: self.required("SETTLEMENT_BUCKET")?,
            stack: self.given("STACK_NAME"),
        })
    }

    /// What must never be switched on where functions meet the real AWS.
    fn only_locally(&self, variable: &'static str) -> Result<bool, ConfigError> {
        let on = self.parsed(variable, false)?;
        let local = self.given("AWS_ENDPOINT_URL").is_some();
        if on && !local {
            let problem = "is for a local cloud, which AWS_ENDPOINT_URL names".to_owned();
            return Err(ConfigError { variable, problem });
        }
        Ok(on)
    }

    fn seconds(
        &self,
        variable: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        self.number(variable, default, range).map(Duration::from_secs)
    }

    fn millis(
        &self,
        variable: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        self.number(variable, default, range).map(Duration::from_millis)
    }

    fn number<T>(&self, variable: &'static str, default: T, range: RangeInclusive<T>) -> Result<T, ConfigError>
    where
        T: FromStr<Err: Display> + Display + PartialOrd,
    {
        let number = self.parsed(variable, default)?;
        if !range.contains(&number) {
            let problem = format!("must be from {} to {}, not {number}", range.start(), range.end());
            return Err(ConfigError { variable, problem });
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let names = [
            ("ORDERS_TABLE", "orders"),
            ("LEDGER_TABLE", "ledger"),
            ("UNIQUES_TABLE", "uniques"),
            ("COUNT_STREAM", "counts"),
            ("CALLBACK_QUEUE_URL", "https://queue"),
            ("COMPANIES_TABLE", "companies"),
            ("COMPANY_QUEUE_URL", "https://companies"),
            ("SETTLEMENTS_TABLE", "settlements"),
            ("SETTLEMENT_BUCKET", "bucket"),
            ("SETTLEMENT_PLAN_QUEUE_URL", "https://plans"),
            ("SETTLEMENT_BATCH_QUEUE_URL", "https://batches"),
            ("SETTLEMENT_FINISH_QUEUE_URL", "https://finishes"),
            ("SCHEDULES_TABLE", "schedules"),
            ("SCHEDULE_QUEUE_URL", "https://occurrences"),
        ];
        Config::read(|variable| {
            let said = changes.iter().chain(&names).find(|(name, _)| *name == variable);
            said.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let config = read(&[]).expect("defaults");
        assert_eq!(config.orders.budget, Duration::from_secs(3));
        assert_eq!(config.orders.sold_out_memory, Duration::from_secs(1));
        assert_eq!((config.uniques.shards, config.uniques.seen_limit), (256, 1_000_000));
        assert_eq!((config.log_level, config.log_format), (LevelFilter::INFO, Format::Json));
    }

    #[test]
    fn dead_letter_queues_are_known_where_they_are_told_of() {
        assert!(read(&[]).expect("defaults").operations.dead_letters.is_empty());
        let told = [("SCHEDULE_DEAD_LETTER_QUEUE_URL", "https://dead"), ("COMPANY_DEAD_LETTER_QUEUE_URL", "")];
        let schedule = QueueName { name: "schedule", url: "https://dead".to_owned() };
        assert_eq!(read(&told).expect("a queue").operations.dead_letters, [schedule]);
    }

    #[test]
    fn private_addresses_are_allowed_in_a_local_cloud_only() {
        let local = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        let config = read(&[("CALLBACK_ALLOW_PRIVATE", "true"), local]).expect("a local cloud");
        assert!(config.webhooks.guard.allow_private);
        assert!(!read(&[local]).expect("a local cloud").webhooks.guard.allow_private);
    }

    #[test]
    fn a_bad_value_stops_the_start_and_names_its_variable() {
        for (variable, value) in [
            ("ORDERS_TABLE", ""),
            ("ORDER_BUDGET_MS", "fast"),
            ("ORDER_BUDGET_MS", "99"),
            ("ORDER_BUDGET_MS", "-1"),
            ("SOLD_OUT_MEMORY_MS", "60001"),
            ("UNIQUES_TABLE", ""),
            ("COUNT_STREAM", ""),
            ("CALLBACK_QUEUE_URL", ""),
            ("UNIQUE_SHARDS", "0"),
            ("UNIQUE_SHARDS", "4097"),
            ("SEEN_IDS_MAX", "-1"),
            ("SEEN_IDS_MAX", "10000001"),
            ("DUPLICATE_IDS", "maybe"),
            ("ID_RETENTION_HOURS", "0"),
            ("METRICS_EVERY_MS", "60001"),
            ("COMPANIES_TABLE", ""),
            ("COMPANY_QUEUE_URL", ""),
            ("BASE_TTL_SECONDS", "0"),
            ("API_TTL_SECONDS", "86401"),
            ("FAILURE_TTL_SECONDS", "0"),
            ("WAIT_SECONDS", "26"),
            ("SETTLEMENTS_TABLE", ""),
            ("SETTLEMENT_BUCKET", ""),
            ("SETTLEMENT_PLAN_QUEUE_URL", ""),
            ("SETTLEMENT_BATCH_QUEUE_URL", ""),
            ("SETTLEMENT_FINISH_QUEUE_URL", ""),
            ("JOB_BATCH_SIZE", "99"),
            ("JOB_BATCH_SIZE", "100001"),
            ("SCHEDULES_TABLE", ""),
            ("SCHEDULE_QUEUE_URL", ""),
            ("SCHEDULE_TRIES", "0"),
            ("RUN_RETENTION_DAYS", "3651"),
            ("ACCESS_TOKEN_SHA256", "hunter2"),
            ("ALLOW_ANONYMOUS", "true"),
            ("ORDERS_NEED_TOKEN", "maybe"),
            ("WEBHOOK_SECRET", "hunter2"),
            ("CALLBACK_ALLOW_PRIVATE", "yes"),
            ("CALLBACK_ALLOW_PRIVATE", "true"),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
        ] {
            let error = read(&[(variable, value)]).expect_err(variable);
            assert!(!error.to_string().contains("hunter2"), "a secret is not repeated");
            assert!(error.to_string().starts_with(&format!("environment variable {variable}: ")), "{error}");
        }
    }
}
