//! The configuration of a process: the settings of every module, read once from the environment. An
//! invalid value stops the start and names its variable.
//!
//! | variable | default | what |
//! |---|---|---|
//! | `ORDERS_TABLE`, `LEDGER_TABLE` | – | names of the tables |
//! | `ORDER_RETRY_BUDGET_MS` | 3000 | how long a write of orders retries on contention, in ms: 100 to 8 000 |
//! | `SOLD_OUT_CACHE_MS` | 1000 | how long an instance caches that a product is sold out, in ms: 0 to 60 000 |
//! | `UNIQUES_TABLE`, `COUNT_STREAM`, `CALLBACK_QUEUE_URL` | – | names of the table and the stream, URL of the queue |
//! | `UNIQUE_SHARDS` | 256 | number of shards of the ids of a minute, 1 to 4 096 |
//! | `RECENT_IDS_MAX` | 1000000 | the largest number of ids of a minute that an instance caches, 0 to 10 000 000 (19 bytes each) |
//! | `DUPLICATE_IDS` | `refuse` | how a duplicate is answered: `refuse` or `accept` |
//! | `ID_RETENTION_HOURS` | 24 | how long records of ids are kept, 1 to 168 |
//! | `COMPANIES_TABLE`, `COMPANY_QUEUE_URL` | – | name of the table, URL of the queue |
//! | `BASE_TTL_SECONDS` | 300 | lifetime of the cached base of a company, 1 to 86 400 |
//! | `API_TTL_SECONDS` | 60 | lifetime of cached figures, 1 to 86 400 |
//! | `FAILURE_TTL_SECONDS` | 5 | lifetime of a cached failure, 1 to 300 |
//! | `WAIT_SECONDS` | 10 | how long a caller waits for figures, 1 to 25 |
//! | `SETTLEMENTS_TABLE`, `SETTLEMENT_BUCKET` | – | names of the table and the bucket |
//! | `SETTLEMENT_PLAN_QUEUE_URL`, `SETTLEMENT_BATCH_QUEUE_URL`, `SETTLEMENT_FINISH_QUEUE_URL` | – | URLs of the queues |
//! | `JOB_BATCH_SIZE` | 10000 | the largest number of transactions of a batch, 100 to 100 000 |
//! | `SCHEDULES_TABLE`, `SCHEDULE_QUEUE_URL` | – | name of the table, URL of the queue |
//! | `SCHEDULE_MAX_ATTEMPTS` | 5 | the largest number of attempts of an occurrence's action, 1 to 20 |
//! | `RUN_RETENTION_DAYS` | 30 | how long the history of runs is kept, 1 to 3 650 |
//! | `ADMIN_TOKEN_SHA256`, `READ_TOKEN_SHA256` | – | the SHA-256 of one token with this role, or of two separated by a comma; empty: there is none |
//! | `ACCEPT_NEEDS_TOKEN`, `ORDERS_NEED_TOKEN`, `TEST_NEEDS_TOKEN` | `false` | `accept`, placing orders and the test receiver require a token too |
//! | `ORDER_SECRET_ID` | `order-secret` | name or ARN of the secret in Secrets Manager that signs the tokens of orders |
//! | `CALLBACK_DEAD_LETTER_QUEUE_URL`, `COMPANY_DEAD_LETTER_QUEUE_URL`, `SETTLEMENT_DEAD_LETTER_QUEUE_URL`, `SCHEDULE_DEAD_LETTER_QUEUE_URL` | – | URLs of the dead-letter queues, for `metrics-get` only; without a URL it has no metrics of that queue |
//! | `STACK_NAME` | – | name of the stack, for `metrics-get` only; without it there are no metrics of single functions |
//! | `WEBHOOK_SECRET_ID` | `webhook-secret` | name or ARN of the secret in Secrets Manager that signs webhooks |
//! | `CALLBACK_ALLOW_PRIVATE` | `false` | webhooks may go to private addresses; only with `AWS_ENDPOINT_URL` |
//! | `METRICS_INTERVAL_MS` | 0 | shortest time between two writes of an instance's metrics, in ms: 0 to 60 000; 0: with every request |
//! | `LOG_LEVEL` | `info` | `error`, `warn`, `info`, `debug` or `trace` |
//! | `LOG_FORMAT` | `json` | `json` or `text` |

use crate::{
    access, company,
    env::{self, VariableError, Variables},
    operations, orders, schedule, settlement, telemetry, uniques, webhook,
};

/// The settings of every module.
#[derive(Debug, Clone)]
pub struct Config {
    /// Orders.
    pub orders: orders::Settings,
    /// Uniques.
    pub uniques: uniques::Settings,
    /// Companies.
    pub companies: company::Settings,
    /// Settlements.
    pub settlement: settlement::Settings,
    /// Scheduled jobs.
    pub schedules: schedule::Settings,
    /// Access.
    pub access: access::Settings,
    /// Webhooks.
    pub webhooks: webhook::Settings,
    /// Health checks and metrics.
    pub operations: operations::Settings,
    /// Logs and metrics of the process itself.
    pub telemetry: telemetry::Settings,
}

impl Config {
    /// Reads the environment of this process.
    pub fn from_env() -> Result<Self, VariableError> {
        Self::read(env::lookup)
    }

    /// Reads the variables that `lookup` finds.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, VariableError> {
        let variables = &Variables::new(&lookup);
        Ok(Self {
            orders: orders::Settings::read(variables)?,
            uniques: uniques::Settings::read(variables)?,
            companies: company::Settings::read(variables)?,
            settlement: settlement::Settings::read(variables)?,
            schedules: schedule::Settings::read(variables)?,
            access: access::Settings::read(variables)?,
            webhooks: webhook::Settings::read(variables)?,
            operations: operations::Settings::read(variables)?,
            telemetry: telemetry::Settings::read(variables)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::{operations::Queue, telemetry::Format};

    fn read(changes: &[(&str, &str)]) -> Result<Config, VariableError> {
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
            let found = changes.iter().chain(&names).find(|(name, _)| *name == variable);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_missing_variable_has_its_default() {
        let config = read(&[]).expect("defaults");
        assert_eq!(config.orders.retry_budget, Duration::from_secs(3));
        assert_eq!(config.orders.sold_out_cache, Duration::from_secs(1));
        assert_eq!((config.uniques.shards, config.uniques.recent_ids_max), (256, 1_000_000));
        assert_eq!(
            (config.telemetry.level, config.telemetry.format),
            (LevelFilter::INFO, Format::Json)
        );
    }

    #[test]
    fn only_dead_letter_queues_with_a_url_are_configured() {
        assert!(read(&[]).expect("defaults").operations.dead_letters.is_empty());
        let urls = [
            ("SCHEDULE_DEAD_LETTER_QUEUE_URL", "https://dead"),
            ("COMPANY_DEAD_LETTER_QUEUE_URL", ""),
        ];
        let schedule = Queue { name: "schedule", url: "https://dead".to_owned() };
        assert_eq!(read(&urls).expect("a queue").operations.dead_letters, [schedule]);
    }

    #[test]
    fn private_addresses_are_allowed_only_in_a_local_cloud() {
        let local = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
        let config = read(&[("CALLBACK_ALLOW_PRIVATE", "true"), local]).expect("a local cloud");
        assert!(config.webhooks.guard.allow_private);
        assert!(!read(&[local]).expect("a local cloud").webhooks.guard.allow_private);
    }

    #[test]
    fn an_invalid_value_stops_the_start_and_names_its_variable() {
        for (variable, value) in [
            ("ORDERS_TABLE", ""),
            ("ORDER_RETRY_BUDGET_MS", "fast"),
            ("ORDER_RETRY_BUDGET_MS", "99"),
            ("ORDER_RETRY_BUDGET_MS", "-1"),
            ("SOLD_OUT_CACHE_MS", "60001"),
            ("UNIQUES_TABLE", ""),
            ("COUNT_STREAM", ""),
            ("CALLBACK_QUEUE_URL", ""),
            ("UNIQUE_SHARDS", "0"),
            ("UNIQUE_SHARDS", "4097"),
            ("RECENT_IDS_MAX", "-1"),
            ("RECENT_IDS_MAX", "10000001"),
            ("DUPLICATE_IDS", "maybe"),
            ("ID_RETENTION_HOURS", "0"),
            ("METRICS_INTERVAL_MS", "60001"),
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
            ("SCHEDULE_MAX_ATTEMPTS", "0"),
            ("RUN_RETENTION_DAYS", "3651"),
            ("ADMIN_TOKEN_SHA256", "hunter2"),
            ("READ_TOKEN_SHA256", "hunter2"),
            ("ACCEPT_NEEDS_TOKEN", "maybe"),
            ("ORDERS_NEED_TOKEN", "maybe"),
            ("TEST_NEEDS_TOKEN", "maybe"),
            ("CALLBACK_ALLOW_PRIVATE", "yes"),
            ("CALLBACK_ALLOW_PRIVATE", "true"),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
        ] {
            let error = read(&[(variable, value)]).expect_err(variable);
            assert!(!error.to_string().contains("hunter2"), "a secret is not repeated");
            assert!(
                error.to_string().starts_with(&format!("environment variable {variable}: ")),
                "{error}"
            );
        }
    }
}
