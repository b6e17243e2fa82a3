//! Removal of expired items.
//!
//! Each table with a time-to-live attribute gets an index of it, so that a removal reads only what
//! it removes. The first removal makes the index, which is cheap while the table is small.

use dynoxide::{
    Result, TableMetadata, storage::Storage, storage_backend::sql_builders::escape_table_name,
};
use rusqlite::params;
use serde::Deserialize;
use serde_json::Value;

use super::DynoxideError;

/// The number of items that one call removes at most. Other writes wait for it: a few milliseconds.
pub(super) const BATCH: usize = 250;

/// The age from which an expired item is kept: DynamoDB takes such a time for a mistake.
const MAX_AGE_S: i64 = 5 * 365 * 24 * 60 * 60;

/// Removes up to [`BATCH`] items that expired before a time, and returns their number.
pub(super) fn remove(storage: &Storage, now_s: i64) -> Result<usize> {
    let mut removed = 0;
    for table in storage.list_ttl_enabled_tables()? {
        removed += remove_from(storage, &table, now_s, BATCH - removed)?;
    }
    Ok(removed)
}

fn remove_from(
    storage: &Storage,
    table: &TableMetadata,
    now_s: i64,
    at_most: usize,
) -> Result<usize> {
    let Some(attribute) = &table.ttl_attribute else { return Ok(0) };
    storage.conn().execute_batch(&index(&table.table_name, attribute))?;
    let keys = expired(storage, &table.table_name, attribute, now_s, at_most)?;
    let (global, local) =
        (names(table.gsi_definitions.as_ref())?, names(table.lsi_definitions.as_ref())?);
    for (pk, sk) in &keys {
        storage.delete_item(&table.table_name, pk, sk)?;
        for index in &global {
            storage.delete_gsi_item(&table.table_name, index, pk, sk)?;
        }
        for index in &local {
            storage.delete_lsi_item(&table.table_name, index, pk, sk)?;
        }
    }
    Ok(keys.len())
}

/// Returns the keys of expired items.
fn expired(
    storage: &Storage,
    table: &str,
    attribute: &str,
    now_s: i64,
    at_most: usize,
) -> Result<Vec<(String, String)>> {
    let mut select = storage.conn().prepare(&selection(table, attribute))?;
    let range = params![now_s - MAX_AGE_S, now_s - 1, i64::try_from(at_most).unwrap_or(i64::MAX)];
    let keys = select.query_map(range, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(keys.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn selection(table: &str, attribute: &str) -> String {
    let (table, expiry) = (escape_table_name(table), expiry(attribute));
    format!(r#"SELECT pk, sk FROM "{table}" WHERE {expiry} BETWEEN ?1 AND ?2 LIMIT ?3"#)
}

fn index(table: &str, attribute: &str) -> String {
    let name = escape_table_name(&format!("{table}::ttl::{attribute}"));
    let (table, expiry) = (escape_table_name(table), expiry(attribute));
    format!(
        r#"CREATE INDEX IF NOT EXISTS "{name}" ON "{table}" ({expiry}) WHERE {expiry} IS NOT NULL"#
    )
}

/// Returns the SQL of an item's expiry: NULL without the attribute, or if it is not a number.
fn expiry(attribute: &str) -> String {
    let path = format!("$.{}.N", Value::from(attribute)).replace('\'', "''");
    format!("CAST(json_extract(item_json, '{path}') AS INTEGER)")
}

/// Returns the names of the indexes in their definitions.
fn names(definitions: Option<&String>) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Definition {
        index_name: String,
    }
    let Some(definitions) = definitions else { return Ok(Vec::new()) };
    let definitions: Vec<Definition> = serde_json::from_str(definitions)
        .map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    Ok(definitions.into_iter().map(|definition| definition.index_name).collect())
}
