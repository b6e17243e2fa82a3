//! Items: what they hold, reading one or the first of many, writing one under a condition.

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
use crate::aws::ServiceError;

/// A value that its attribute holds as a text of JSON: a number in it need not be one of the store's.
#[derive(Debug, Clone, PartialEq)]
pub struct Json<T>(pub T);

impl<T: Serialize> Serialize for Json<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(&self.0).map_err(S::Error::custom)?)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Json<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map(Self).map_err(D::Error::custom)
    }
}

/// Nothing has this key yet.
pub const NEW: &str = "attribute_not_exists(pk)";

/// Puts an item under a key that nothing has yet: one write unit a kilobyte. Answers what has the key already, and then nothing is written.
///
/// The SDK's own retry may meet what its first attempt has written: a caller that must know puts a token of its own into the
/// item and looks for it in the answer.
///
/// # Errors
/// The service failed; whether the item was written is then not known.
pub async fn put_new(
    client: &Client,
    table: &str,
    item: Item,
) -> Result<Option<Item>, ServiceError> {
    put_if(client.put_item().table_name(table).set_item(Some(item)).condition_expression(NEW)).await
}

/// Puts an item, if its condition holds. Answers what the key has instead, and then nothing is written.
///
/// # Errors
/// The service failed; whether the item was written is then not known.
pub async fn put_if(put: PutItemFluentBuilder) -> Result<Option<Item>, ServiceError> {
    match put.return_values_on_condition_check_failure(AllOld).send().await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(lost)) => {
                Ok(Some(lost.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

/// The item under a key, consistently: one read unit for 4 KB.
///
/// # Errors
/// The service failed, or the item holds no such value.
pub async fn get<T: DeserializeOwned>(
    client: &Client,
    table: &str,
    key: Key,
) -> Result<Option<T>, ServiceError> {
    let get = client.get_item().table_name(table).set_key(Some(key.attributes()));
    get.consistent_read(true).send().await?.item.map(read).transpose()
}

/// The newest items of a partition of the index [`keys::RECENT`], or the newest before a place, at most so many.
///
/// # Errors
/// The service failed.
pub async fn newest(
    client: &Client,
    table: &str,
    partition: impl Into<String>,
    before: Option<&str>,
    wanted: usize,
) -> Result<Vec<Item>, ServiceError> {
    let query = client.query().table_name(table).index_name(keys::RECENT).scan_index_forward(false);
    let query = query.expression_attribute_values(":pk", text(partition));
    let query = match before {
        None => query.key_condition_expression("recent_pk = :pk"),
        Some(place) => query
            .key_condition_expression("recent_pk = :pk AND recent_sk < :place")
            .expression_attribute_values(":place", text(place)),
    };
    first(query, wanted).await
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
    serde_dynamo::from_item(item).map_err(ServiceError::permanent)
}

/// A value as the item under this key.
///
/// # Errors
/// It has no form as an item.
pub fn keyed<T: Serialize>(key: Key, value: &T) -> Result<Item, ServiceError> {
    let mut item: Item = serde_dynamo::to_item(value).map_err(ServiceError::permanent)?;
    item.extend(key.attributes());
    Ok(item)
}

/// A value as an attribute.
///
/// # Errors
/// It has no form as an attribute.
pub fn written<T: Serialize>(value: &T) -> Result<AttributeValue, ServiceError> {
    serde_dynamo::to_attribute_value(value).map_err(ServiceError::permanent)
}
