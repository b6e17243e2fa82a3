//! The tables of the stack to fill, and their client.

use std::{env, time::Duration};

use aws_sdk_dynamodb::{Client, config::timeout::TimeoutConfig};
use once::{
    aws::Aws,
    company::{Companies, Settings},
};

/// Variables that the client needs besides the tables. As in the functions, there is no other
/// source.
const CLIENT_VARIABLES: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// The tables of a stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Client of the tables.
    pub client: Client,
    /// Name of the table `Orders`, which stores the products.
    pub orders: String,
    /// Name of the table `Ledger`, which stores the transactions.
    pub ledger: String,
    /// The companies, in the table `Companies`.
    pub companies: Companies,
}

/// An environment variable is missing or empty.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {0} is not set: read the file `env` of the stack first")]
pub struct MissingVariable(&'static str);

impl Stack {
    /// Reads the stack from the environment variables that functions have.
    ///
    /// # Errors
    /// A variable is missing or empty.
    pub fn from_env() -> Result<Self, MissingVariable> {
        let [orders, ledger, table] = tables(|variable| env::var(variable).ok())?;
        let aws = Aws::from_env();
        let companies = companies(&aws, &table, &ledger);
        Ok(Self { client: with_long_timeouts(&aws.dynamo()), orders, ledger, companies })
    }
}

/// Returns the companies of these tables. They are only for profiles, not for figures: the queue
/// has no URL, and all times to live and waits are zero.
pub fn companies(aws: &Aws, table: &str, ledger: &str) -> Companies {
    let settings = Settings {
        table: table.to_owned(),
        ledger_table: ledger.to_owned(),
        queue_url: String::new(),
        base_ttl: Duration::ZERO,
        api_ttl: Duration::ZERO,
        failure_ttl: Duration::ZERO,
        wait: Duration::ZERO,
    };
    Companies::new(&aws.with_long_timeouts(), &settings)
}

/// Timeouts of one attempt and of one call with all of its attempts. The one second of a function
/// is too short for concurrent batches of 25 items on a table with little capacity.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_secs(40);

fn with_long_timeouts(client: &Client) -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    Client::from_conf(client.config().to_builder().timeout_config(timeouts).build())
}

fn tables(lookup: impl Fn(&str) -> Option<String>) -> Result<[String; 3], MissingVariable> {
    let required =
        |name| lookup(name).filter(|value| !value.is_empty()).ok_or(MissingVariable(name));
    let tables =
        [required("ORDERS_TABLE")?, required("LEDGER_TABLE")?, required("COMPANIES_TABLE")?];
    CLIENT_VARIABLES.into_iter().try_for_each(|name| required(name).map(drop))?;
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_variable_is_named() {
        let needed =
            ["ORDERS_TABLE", "LEDGER_TABLE", "COMPANIES_TABLE"].into_iter().chain(CLIENT_VARIABLES);
        for missing in needed {
            for value in [None, Some(String::new())] {
                let read =
                    tables(
                        |name| if name == missing { value.clone() } else { Some(name.to_owned()) },
                    );
                let error = read.expect_err(missing);
                assert!(
                    error
                        .to_string()
                        .starts_with(&format!("environment variable {missing} is not set")),
                    "{error}"
                );
            }
        }
        let named = tables(|name| Some(name.to_lowercase()));
        assert_eq!(
            named,
            Ok(["orders_table", "ledger_table", "companies_table"].map(str::to_owned))
        );
    }
}
