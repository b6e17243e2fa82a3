//! What the environment tells the process, read once, in one place. A bad value stops the start and names its variable.
//!
//! | variable | default | what |
//! |---|---|---|
//! | `ORDERS_TABLE`, `LEDGER_TABLE` | – | names of the tables |
//! | `ORDER_BUDGET_MS` | 3000 | how long a write of orders retries against contention, 100 to 8 000 |
//! | `SOLD_OUT_MEMORY_MS` | 1000 | how long an instance remembers that a product is sold out, 0 to 60 000 |
//! | `LOG_LEVEL` | `info` | `error`, `warn`, `info`, `debug` or `trace` |
//! | `LOG_FORMAT` | `json` | `json` or `text` |

use std::{env, fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

use tracing::level_filters::LevelFilter;

use crate::{orders, telemetry::Format};

/// The process's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Of orders.
    pub orders: orders::Settings,
    /// Least severe level that is logged.
    pub log_level: LevelFilter,
    /// How it is written.
    pub log_format: Format,
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
            log_level: variables.parsed("LOG_LEVEL", LevelFilter::INFO)?,
            log_format: variables.parsed("LOG_FORMAT", Format::Json)?,
        })
    }
}

struct Variables<'a>(&'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    fn required(&self, variable: &'static str) -> Result<String, ConfigError> {
        let value = (self.0)(variable).filter(|value| !value.is_empty());
        value.ok_or_else(|| ConfigError { variable, problem: "is not set".to_owned() })
    }

    fn parsed<T: FromStr<Err: Display>>(&self, variable: &'static str, default: T) -> Result<T, ConfigError> {
        (self.0)(variable).map_or(Ok(default), |value| {
            value.parse().map_err(|error| ConfigError { variable, problem: format!("{value:?}: {error}") })
        })
    }

    fn millis(
        &self,
        variable: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        let millis = self.parsed(variable, default)?;
        if !range.contains(&millis) {
            let problem = format!("must be from {} to {}, not {millis}", range.start(), range.end());
            return Err(ConfigError { variable, problem });
        }
        Ok(Duration::from_millis(millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let tables = [("ORDERS_TABLE", "orders"), ("LEDGER_TABLE", "ledger")];
        Config::read(|variable| {
            let said = changes.iter().chain(&tables).find(|(name, _)| *name == variable);
            said.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let config = read(&[]).expect("defaults");
        assert_eq!(config.orders.budget, Duration::from_secs(3));
        assert_eq!(config.orders.sold_out_memory, Duration::from_secs(1));
        assert_eq!((config.log_level, config.log_format), (LevelFilter::INFO, Format::Json));
    }

    #[test]
    fn a_bad_value_stops_the_start_and_names_its_variable() {
        for (variable, value) in [
            ("ORDERS_TABLE", ""),
            ("ORDER_BUDGET_MS", "fast"),
            ("ORDER_BUDGET_MS", "99"),
            ("ORDER_BUDGET_MS", "-1"),
            ("SOLD_OUT_MEMORY_MS", "60001"),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
        ] {
            let error = read(&[(variable, value)]).expect_err(variable);
            assert!(error.to_string().starts_with(&format!("environment variable {variable}: ")), "{error}");
        }
    }
}
