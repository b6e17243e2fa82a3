use aws_sdk_dynamodb::types::{
    KeysAndAttributes, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest,
};
use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn an_item_is_put_read_updated_and_deleted() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "1", 1)).await;
    let update = client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("SET n = n + :one");
    update.expression_attribute_values(":one", number(1)).send().await.expect("an update");
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 2)));
    let delete = client.delete_item().table_name(TABLE).set_key(Some(key("a", "1")));
    delete.send().await.expect("a delete");
    assert_eq!(get(&client, "a", "1").await, None);
}

#[tokio::test]
async fn a_failed_condition_is_answered_with_the_item_and_changes_nothing() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "1", 1)).await;
    let again = client.put_item().table_name(TABLE).set_item(Some(numbered("a", "1", 2)));
    let again = again
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let error = again.send().await.expect_err("a failed condition").into_service_error();
    let aws_sdk_dynamodb::operation::put_item::PutItemError::ConditionalCheckFailedException(
        failed,
    ) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(failed.item, Some(numbered("a", "1", 1)));
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_concurrent_conditional_increments_none_is_lost_and_none_is_too_much() {
    let (_folder, _store, client) = new_client().await;
    put(&client, numbered("a", "1", 0)).await;
    let increment = || {
        let update = client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(key("a", "1")))
            .update_expression("SET n = n + :one")
            .condition_expression("n < :most")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":most", number(64));
        tokio::spawn(update.send())
    };
    let results = join_all((0..96).map(|_| increment())).await;
    let succeeded = results.iter().filter(|result| result.as_ref().is_ok_and(Result::is_ok));
    assert_eq!(succeeded.count(), 64);
    assert_eq!(get(&client, "a", "1").await, Some(numbered("a", "1", 64)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_sees_every_write_that_was_answered_before() {
    let (_folder, _store, client) = new_client().await;
    let write_and_read = |writer: i64| {
        let client = client.clone();
        tokio::spawn(async move {
            for n in 0..50 {
                let item = numbered("a", &writer.to_string(), n);
                put(&client, item.clone()).await;
                assert_eq!(get(&client, "a", &writer.to_string()).await, Some(item));
            }
        })
    };
    for result in join_all((0..4).map(write_and_read)).await {
        result.expect("no stale read");
    }
}

#[tokio::test]
async fn items_are_written_and_read_in_batches() {
    let (_folder, _store, client) = new_client().await;
    let names: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
    let puts = names.iter().zip(0..).map(|(name, n)| {
        let put = PutRequest::builder().set_item(Some(numbered("a", name, n)));
        WriteRequest::builder().put_request(put.build().expect("an item")).build()
    });
    let write = client.batch_write_item().request_items(TABLE, puts.collect());
    write.send().await.expect("a batch");
    let keys = names.iter().map(|name| key("a", name)).collect();
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().expect("keys");
    let read = client.batch_get_item().request_items(TABLE, keys).send().await.expect("a batch");
    assert_eq!(read.responses.expect("responses")[TABLE].len(), 25);
}

#[tokio::test]
async fn a_request_that_cannot_be_read_is_refused() {
    let (_folder, store, _client) = new_client().await;
    for (body, error) in [
        ("", "SerializationException"),
        (r#"{"TableName": 1}"#, "SerializationException"),
        (r#"{"TableName": "Items", "Item": {"pk": {"N": "x"}}}"#, "ValidationException"),
    ] {
        let reply = store.execute("PutItem", body.into()).await;
        assert_eq!(reply.status, 400);
        assert!(reply.body.contains(error), "{body}: {reply:?}");
    }
}
