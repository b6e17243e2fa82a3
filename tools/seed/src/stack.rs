//! The stack that is filled: its tables, and how they are reached.

use std::{env, time::Duration};

use aws_sdk_dynamodb::{Client, config::timeout::TimeoutConfig};
use once::{
    aws::Aws,
    company::{Companies, Settings},
};

/// What the client needs besides the tables. Nothing is looked up anywhere else, as in the functions.
const ACCESS: [&str; 3] = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

/// Three tables.
#[derive(Debug, Clone)]
pub struct Stack {
    /// What reaches them.
    pub client: Client,
    /// Table `Orders`, which takes the products.
    pub orders: String,
    /// Table `Ledger`, which takes the transactions.
    pub ledger: String,
    /// Table `Companies`, which takes the companies.
    pub companies: Companies,
}

/// A variable that is missing or empty.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {0} is not set (for the local cloud: `. .local/env`)")]
pub struct Missing(&'static str);

impl Stack {
    /// The stack that the environment names, as it does to functions.
    ///
    /// # Errors
    /// It does not name all of it.
    pub fn from_env() -> Result<Self, Missing> {
        let [orders, ledger, table] = tables(|variable| env::var(variable).ok())?;
        let aws = Aws::from_env();
        let companies = companies(&aws, &table, &ledger);
        Ok(Self { client: patient(&aws.dynamo()), orders, ledger, companies })
    }
}

/// The companies of these tables. Nobody asks for figures here: no queue is named, and nothing is kept or waited for.
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
    Companies::new(&aws.patient(), &settings)
}

/// How long one attempt and one call with all of its attempts may take. A function's second is short for 25 items, of which many
/// batches wait for a small table.
const ATTEMPT: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(40);

fn patient(client: &Client) -> Client {
    let times =
        TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(CALL).build();
    Client::from_conf(client.config().to_builder().timeout_config(times).build())
}

fn tables(lookup: impl Fn(&str) -> Option<String>) -> Result<[String; 3], Missing> {
    let required = |name| lookup(name).filter(|value| !value.is_empty()).ok_or(Missing(name));
    let tables =
        [required("ORDERS_TABLE")?, required("LEDGER_TABLE")?, required("COMPANIES_TABLE")?];
    ACCESS.into_iter().try_for_each(|name| required(name).map(drop))?;
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let needed = ["ORDERS_TABLE", "LEDGER_TABLE", "COMPANIES_TABLE"].into_iter().chain(ACCESS);
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
