//! Builders of conditional writes, alone and as parts of a transaction.
//!
//! The placeholders of an [`Update`] have the names of their attributes (`#state`, `:state`), so
//! that reserved words of DynamoDB are no problem and a condition can use the same placeholders.
//! Other placeholders of a condition are defined with [`Update::name`] and [`Update::value`].

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    operation::update_item::UpdateItemError,
    types::{
        self, AttributeValue, Delete, Put, ReturnValue::AllNew,
        ReturnValuesOnConditionCheckFailure::AllOld, TransactWriteItem,
    },
};

use super::{Item, NEW, keys::Key, number};
use crate::aws::ServiceError;

/// A conditional update of one item.
#[derive(Debug, Clone)]
pub struct Update {
    table: String,
    key: Key,
    set: Vec<String>,
    remove: Vec<String>,
    add: Vec<String>,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Update {
    /// Starts an update of the item with this key. It changes nothing yet.
    #[must_use]
    pub fn new(table: impl Into<String>, key: Key) -> Self {
        Self {
            table: table.into(),
            key,
            set: Vec::new(),
            remove: Vec::new(),
            add: Vec::new(),
            condition: None,
            names: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// Sets an attribute: `#name = :name`.
    #[must_use]
    pub fn set(self, name: &str, value: AttributeValue) -> Self {
        self.set_to(name, &format!(":{name}")).value(name, value)
    }

    /// Sets an attribute to an expression, such as `stock - :units`.
    #[must_use]
    pub fn set_to(mut self, name: &str, expression: &str) -> Self {
        self.set.push(format!("#{name} = {expression}"));
        self.name(name, name)
    }

    /// Sets an attribute unless the item has it already.
    #[must_use]
    pub fn set_if_missing(self, name: &str, value: AttributeValue) -> Self {
        self.set_to(name, &format!("if_not_exists(#{name}, :{name})")).value(name, value)
    }

    /// Removes an attribute.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(format!("#{name}"));
        self.name(name, name)
    }

    /// Adds one to a number; a missing one is counted as zero.
    #[must_use]
    pub fn increment(mut self, name: &str) -> Self {
        self.add.push(format!("#{name} :one"));
        self.name(name, name).value("one", number(1))
    }

    /// Sets the condition of the update. If it fails, nothing is written.
    #[must_use]
    pub fn condition(mut self, condition: impl Into<String>) -> Self {
        self.condition = Some(condition.into());
        self
    }

    /// Defines `#placeholder` as the name of an attribute.
    #[must_use]
    pub fn name(mut self, placeholder: &str, name: &str) -> Self {
        self.names.insert(format!("#{placeholder}"), name.to_owned());
        self
    }

    /// Defines `:placeholder` as a value.
    #[must_use]
    pub fn value(mut self, placeholder: &str, value: AttributeValue) -> Self {
        self.values.insert(format!(":{placeholder}"), value);
        self
    }

    /// Sends the update and returns the updated item. If the condition fails, nothing is written,
    /// and the inner error is the existing item, if there is one.
    ///
    /// # Errors
    /// The service failed; whether the item was updated is then unknown.
    pub async fn send(self, client: &Client) -> Result<Result<Item, Option<Item>>, ServiceError> {
        let expression = self.expression();
        let Self { table, key, condition, names, values, .. } = self;
        let update = client
            .update_item()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(none_if_empty(names))
            .set_expression_attribute_values(none_if_empty(values))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld);
        // Boxed: the future of an SDK call is large, and every caller's future would contain it.
        match Box::pin(update.send()).await {
            Ok(output) => Ok(Ok(output.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failure)) => {
                    Ok(Err(failure.item().cloned()))
                }
                _ => Err(error.into()),
            },
        }
    }

    /// Makes the update a part of a transaction. If its condition fails, the transaction returns
    /// the existing item.
    ///
    /// # Errors
    /// A required field is missing.
    pub fn transact(self) -> Result<TransactWriteItem, ServiceError> {
        let expression = self.expression();
        let Self { table, key, condition, names, values, .. } = self;
        let update = types::Update::builder()
            .table_name(table)
            .set_key(Some(key.attributes()))
            .update_expression(expression)
            .set_condition_expression(condition)
            .set_expression_attribute_names(none_if_empty(names))
            .set_expression_attribute_values(none_if_empty(values))
            .return_values_on_condition_check_failure(AllOld);
        Ok(TransactWriteItem::builder().update(complete(update.build())?).build())
    }

    fn expression(&self) -> String {
        let clause = |keyword: &str, parts: &[String]| {
            (!parts.is_empty()).then(|| format!("{keyword} {}", parts.join(", ")))
        };
        let clauses =
            [clause("SET", &self.set), clause("REMOVE", &self.remove), clause("ADD", &self.add)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Makes a part of a transaction that puts an item, and replaces an existing one.
///
/// # Errors
/// A required field is missing.
pub fn put(table: &str, item: Item) -> Result<TransactWriteItem, ServiceError> {
    let put = Put::builder().table_name(table).set_item(Some(item));
    Ok(TransactWriteItem::builder().put(complete(put.build())?).build())
}

/// Makes a part of a transaction that puts an item under a key that has none. If the key has one,
/// the transaction returns it.
///
/// # Errors
/// A required field is missing.
pub fn put_new(table: &str, item: Item) -> Result<TransactWriteItem, ServiceError> {
    put_if(table, item, NEW, HashMap::new())
}

/// Makes a part of a transaction that puts an item if a condition holds. If it fails, the
/// transaction returns the existing item.
///
/// # Errors
/// A required field is missing.
pub fn put_if(
    table: &str,
    item: Item,
    condition: &str,
    values: Item,
) -> Result<TransactWriteItem, ServiceError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(condition)
        .set_expression_attribute_values(none_if_empty(values))
        .return_values_on_condition_check_failure(AllOld);
    Ok(TransactWriteItem::builder().put(complete(put.build())?).build())
}

/// Makes a part of a transaction that deletes an item if a condition holds.
///
/// # Errors
/// A required field is missing.
pub fn delete_if(
    table: &str,
    key: Key,
    condition: &str,
) -> Result<TransactWriteItem, ServiceError> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key.attributes()))
        .condition_expression(condition);
    Ok(TransactWriteItem::builder().delete(complete(delete.build())?).build())
}

/// Returns `None` for an empty map: DynamoDB rejects empty maps of placeholders.
fn none_if_empty<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}

fn complete<T>(part: Result<T, BuildError>) -> Result<T, ServiceError> {
    part.map_err(ServiceError::permanent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::text;

    #[test]
    fn an_update_has_one_clause_per_action_and_a_placeholder_per_attribute() {
        let key = Key { pk: "A".to_owned(), sk: "B".to_owned() };
        let update = Update::new("table", key)
            .set("state", text("DONE"))
            .set_to("stock", "stock - :units")
            .value("units", number(3))
            .set_if_missing("created_at", text("now"))
            .remove("result")
            .remove("error")
            .increment("fence")
            .condition("#state = :running")
            .value("running", text("RUNNING"));
        assert_eq!(
            update.expression(),
            "SET #state = :state, #stock = stock - :units, \
             #created_at = if_not_exists(#created_at, :created_at) \
             REMOVE #result, #error ADD #fence :one"
        );
        let part = update.transact().expect("complete");
        let part = part.update().expect("an update");
        assert_eq!(part.condition_expression(), Some("#state = :running"));
        let names = part.expression_attribute_names().expect("names");
        assert_eq!((names.len(), names["#fence"].as_str()), (6, "fence"));
        let values = part.expression_attribute_values().expect("values");
        assert_eq!(values[":running"], text("RUNNING"));
    }

    #[test]
    fn an_update_without_placeholders_sends_no_empty_map() {
        let key = Key { pk: "A".to_owned(), sk: "B".to_owned() };
        let update = Update::new("table", key).set_to("at", "at").transact().expect("complete");
        let update = update.update().expect("an update");
        assert!(update.expression_attribute_values().is_none());
    }
}
