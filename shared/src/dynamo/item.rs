//! Items: conversion from and to values, reads of one or the first of many, conditional puts.

use aws_sdk_dynamodb::{
    Client,
    operation::{
        put_item::{PutItemError, builders::PutItemFluentBuilder},
        query::builders::QueryFluentBuilder,
    },
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
    ser::Error as _,
};

use super::{
    Item,
    keys::{self, Key},
    text,
};
use crate::{
    aws::ServiceError,
    json::{self, FromJson},
};

/// A value that is stored as a text of JSON, so that its numbers need not be within the range and
/// precision of the store's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(&self.0).map_err(S::Error::custom)?)
    }
}

impl<'de, T: FromJson> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        json::parse(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
    }
}

/// The key has no item yet.
pub const NEW: &str = "attribute_not_exists(pk)";

/// Puts an item under a key that has none yet: one write unit per kilobyte. If the key has an item,
/// writes nothing and returns that item.
///
/// A retry of the SDK may find the item that its first attempt wrote. A caller that must tell puts
/// a token of its own into the item and looks for it in the returned one.
///
/// # Errors
/// The service failed; whether the item was written is then unknown.
pub async fn put_new(
    client: &Client,
    table: &str,
    item: Item,
) -> Result<Option<Item>, ServiceError> {
    put_if(client.put_item().table_name(table).set_item(Some(item)).condition_expression(NEW)).await
}

/// Puts an item if its condition holds. If it fails, writes nothing and returns the existing item,
/// which is empty if the key has none.
///
/// # Errors
/// The service failed; whether the item was written is then unknown.
pub async fn put_if(put: PutItemFluentBuilder) -> Result<Option<Item>, ServiceError> {
    match put.return_values_on_condition_check_failure(AllOld).send().await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failure)) => {
                Ok(Some(failure.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

/// Reads the item under a key, strongly consistent: one read unit per 4 KB.
///
/// # Errors
/// The service failed, or the item is not a valid `T`.
pub async fn get<T: DeserializeOwned>(
    client: &Client,
    table: &str,
    key: Key,
) -> Result<Option<T>, ServiceError> {
    let get = client.get_item().table_name(table).set_key(Some(key.attributes()));
    get.consistent_read(true).send().await?.item.map(from_item).transpose()
}

/// Reads at most `limit` items of a partition of the index [`keys::RECENT`], newest first, starting
/// after the sort key `before`.
///
/// # Errors
/// The service failed.
pub async fn newest(
    client: &Client,
    table: &str,
    partition: impl Into<String>,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<Item>, ServiceError> {
    let query = client.query().table_name(table).index_name(keys::RECENT).scan_index_forward(false);
    let query = query.expression_attribute_values(":pk", text(partition));
    let query = match before {
        None => query.key_condition_expression("recent_pk = :pk"),
        Some(sort_key) => query
            .key_condition_expression("recent_pk = :pk AND recent_sk < :before")
            .expression_attribute_values(":before", text(sort_key)),
    };
    first(query, limit).await
}

/// Reads the first items that a query finds, at most `limit`. It reads as many pages as that takes,
/// since a page of the store ends at a megabyte.
///
/// # Errors
/// The service failed.
pub async fn first(query: QueryFluentBuilder, limit: usize) -> Result<Vec<Item>, ServiceError> {
    let page_size = i32::try_from(limit).unwrap_or(i32::MAX);
    let mut items = query.limit(page_size).into_paginator().items().send();
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(item) = items.next().await
    {
        found.push(item?);
    }
    Ok(found)
}

/// Converts an item into a value.
///
/// # Errors
/// The item is not a valid `T`.
pub fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, ServiceError> {
    serde_dynamo::from_item(item).map_err(ServiceError::permanent)
}

/// Converts a value into the item under a key.
///
/// # Errors
/// The value cannot be serialized as an item.
pub fn to_item<T: Serialize>(key: Key, value: &T) -> Result<Item, ServiceError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(ServiceError::permanent)?;
    item.extend(key.attributes());
    Ok(item)
}

/// Converts a value into an attribute.
///
/// # Errors
/// The value cannot be serialized as an attribute.
pub fn to_attribute<T: Serialize>(value: &T) -> Result<AttributeValue, ServiceError> {
    serde_dynamo::to_attribute_value(value).map_err(ServiceError::permanent)
}
