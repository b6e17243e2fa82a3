//! Items: what they hold, putting a new one, reading the first of many.

use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Item, keys::Key};
use crate::aws::ServiceError;

/// Nothing has this key yet.
pub const NEW: &str = "attribute_not_exists(pk)";

/// Puts an item under a key that nothing has yet: one write unit a kilobyte. Answers what has the key already, and then nothing is written.
///
/// The SDK's own retry may meet what its first attempt has written: a caller that must know puts a token of its own into the
/// item and looks for it in the answer.
///
/// # Errors
/// The service failed; whether the item was written is then not known.
pub async fn put_new(client: &Client, table: &str, item: Item) -> Result<Option<Item>, ServiceError> {
    let put = client
        .put_item()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(NEW)
        .return_values_on_condition_check_failure(AllOld);
    match put.send().await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                Ok(Some(lost.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

/// The first items that a query finds, at most so many: a page of the store ends at a megabyte, which may be before that.
///
/// # Errors
/// The service failed.
pub async fn first(query: QueryFluentBuilder, wanted: usize) -> Result<Vec<Item>, ServiceError> {
    let limit = i32::try_from(wanted).unwrap_or(i32::MAX);
    let mut items = query.limit(limit).into_paginator().items().send();
    let mut found = Vec::new();
    while found.len() < wanted
        && let Some(item) = items.next().await
    {
        found.push(item?);
    }
    Ok(found)
}

/// An item as the value that it holds.
///
/// # Errors
/// It holds no such value.
pub fn read<T: DeserializeOwned>(item: Item) -> Result<T, ServiceError> {
    serde_dynamo::from_item(item).map_err(ServiceError::undecodable)
}

/// A value as the item under this key.
///
/// # Errors
/// It has no form as an item.
pub fn keyed<T: Serialize>(key: Key, value: &T) -> Result<Item, ServiceError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(ServiceError::undecodable)?;
    item.extend(key.attributes());
    Ok(item)
}

/// A value as an attribute.
///
/// # Errors
/// It has no form as an attribute.
pub fn written<T: Serialize>(value: &T) -> Result<AttributeValue, ServiceError> {
    serde_dynamo::to_attribute_value(value).map_err(ServiceError::undecodable)
}
