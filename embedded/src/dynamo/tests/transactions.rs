use aws_sdk_dynamodb::{
    operation::transact_write_items::{
        TransactWriteItemsError, builders::TransactWriteItemsFluentBuilder,
    },
    types::{Get, Put, TransactGetItem, TransactWriteItem, Update},
};

use super::*;

fn new_item(item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)").build().expect("a put");
    TransactWriteItem::builder().put(put).build()
}

fn increment(pk: &str, sk: &str) -> TransactWriteItem {
    let update = Update::builder().table_name(TABLE).set_key(Some(key(pk, sk)));
    let update = update.update_expression("SET n = n + :one");
    let update = update.expression_attribute_values(":one", number(1)).build().expect("an update");
    TransactWriteItem::builder().update(update).build()
}

fn transaction(
    client: &Client,
    items: impl IntoIterator<Item = TransactWriteItem>,
) -> TransactWriteItemsFluentBuilder {
    client.transact_write_items().set_transact_items(Some(items.into_iter().collect()))
}

#[tokio::test]
async fn a_cancelled_transaction_gives_a_reason_for_each_item_and_changes_nothing() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "2", 2)).await;
    let items = [new_item(numbered("a", "1", 1)), new_item(numbered("a", "2", 1))];
    let error = transaction(&client, items).send().await.expect_err("cancelled");
    let error = error.into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        panic!("{error:?}")
    };
    let codes = cancelled.cancellation_reasons().iter().map(|reason| reason.code());
    assert_eq!(codes.collect::<Vec<_>>(), [Some("None"), Some("ConditionalCheckFailed")]);
    assert_eq!(get(&client, "a", "1").await, None);
    assert_eq!(get(&client, "a", "2").await, Some(numbered("a", "2", 2)));
}

#[tokio::test]
async fn a_transaction_that_is_sent_twice_is_executed_once() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "1", 0)).await;
    for _ in 0..2 {
        // The second one would be cancelled if it were executed.
        let items = [new_item(numbered("a", "2", 1)), increment("a", "1")];
        let transaction = transaction(&client, items).client_request_token("token");
        transaction.send().await.expect("a success");
    }
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 1)));
    let other = transaction(&client, [increment("a", "1")]).client_request_token("token");
    let refused = other.send().await.expect_err("a mismatch").into_service_error();
    assert!(refused.is_idempotent_parameter_mismatch_exception(), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_reads_sees_other_transactions_as_a_whole() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "1", 0)).await;
    put(&client, numbered("b", "1", 0)).await;
    let writer = client.clone();
    let writer = tokio::spawn(async move {
        for _ in 0..200 {
            let items = [increment("a", "1"), increment("b", "1")];
            transaction(&writer, items).send().await.expect("a success");
        }
    });
    let get = |pk| {
        let get = Get::builder().table_name(TABLE).set_key(Some(key(pk, "1")));
        TransactGetItem::builder().get(get.build().expect("a get")).build()
    };
    while !writer.is_finished() {
        let read = client.transact_get_items().transact_items(get("a")).transact_items(get("b"));
        let read = read.send().await.expect("a read").responses.expect("items");
        let numbers = read.iter().map(|item| item.item.as_ref().expect("an item")["n"].clone());
        let numbers: Vec<AttributeValue> = numbers.collect();
        assert_eq!(numbers[0], numbers[1]);
    }
    writer.await.expect("no failure");
}
