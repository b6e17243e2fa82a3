use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    types::{TimeToLiveSpecification, TimeToLiveStatus},
};

use super::*;

#[tokio::test]
async fn a_table_that_exists_is_not_created_again() {
    let (_folder, store, client) = new_client().await;
    put(&client, numbered("a", "1", 1)).await;
    store.create_table(&definition()).await.expect("the same table");
    assert_eq!(store.describe(TABLE).await.expect("a table")["ItemCount"], 1);
    let reply = store.execute("CreateTable", definition().to_string().into()).await;
    assert!(reply.body.contains("ResourceInUseException"), "{reply:?}");
}

#[tokio::test]
async fn tables_are_listed_and_described() {
    let (_folder, _store, client) = new_client().await;
    let list = client.list_tables().send().await.expect("a list");
    assert_eq!(list.table_names(), [TABLE]);
    let table = client.describe_table().table_name(TABLE).send().await.expect("a description");
    let table = table.table.expect("a table");
    assert_eq!(table.global_secondary_indexes()[0].index_name(), Some(INDEX));
    let missing = client.describe_table().table_name("Others").send().await.expect_err("no table");
    assert!(missing.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn the_time_to_live_of_a_table_is_described_as_it_was_set_last() {
    let (_folder, _store, client) = new_client().await;
    for (is_enabled, status) in
        [(true, TimeToLiveStatus::Enabled), (false, TimeToLiveStatus::Disabled)]
    {
        let ttl = TimeToLiveSpecification::builder().attribute_name("ttl").enabled(is_enabled);
        let update = client.update_time_to_live().table_name(TABLE);
        let update = update.time_to_live_specification(ttl.build().expect("a specification"));
        update.send().await.expect("an update");
        let describe = client.describe_time_to_live().table_name(TABLE).send().await;
        let described = describe.expect("a description").time_to_live_description;
        assert_eq!(described.expect("a description").time_to_live_status, Some(status));
    }
}

#[tokio::test]
async fn an_unknown_operation_is_refused_by_name() {
    let (_folder, _store, client) = new_client().await;
    let error = client.delete_table().table_name(TABLE).send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnknownOperationException"));
    let message = error.message().expect("a message");
    assert!(message.starts_with("DeleteTable: "), "{message}");
}
