//! The floor: the same conditional put, without a handler.

use aws_sdk_dynamodb::{
    Client,
    primitives::Blob,
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure::AllOld},
};
use once::{
    dynamo::{keys, number},
    testing::UNIQUES_TABLE,
    time::{Minute, Timestamp},
};

/// A put of the item that `accept` puts.
#[derive(Debug)]
pub struct BarePut {
    client: Client,
    minute: Minute,
}

impl BarePut {
    /// Returns a put to the table of this client.
    pub fn to(client: &Client) -> Self {
        Self { client: client.clone(), minute: Minute::of(Timestamp::now()) }
    }

    /// Puts one id.
    ///
    /// # Panics
    /// If the id exists.
    pub async fn send(&self, id: i64) {
        let mut item = keys::id(self.minute, 256, id).attributes();
        item.insert("token".to_owned(), AttributeValue::B(Blob::new([7; 16])));
        item.insert("ttl".to_owned(), number(1_795_216_800_i64));
        let put = self.client.put_item().table_name(UNIQUES_TABLE).set_item(Some(item));
        let put = put
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(AllOld);
        put.send().await.expect("the store writes");
    }
}
